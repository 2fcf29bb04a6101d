"""WAV files as others write them are read to the last bit; anything else is an AudioError."""

from __future__ import annotations

import io
import os
import struct
import threading
from pathlib import Path

import numpy as np
import pianissimo as pp
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pianissimo.wav import read_wav

GUID = bytes.fromhex("000000001000800000aa00389b71")
SUBTYPES = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]
KEPT = {"PCM_U8": np.int16, "PCM_16": np.int16, "PCM_24": np.int32, "PCM_32": np.int32}


def noise(samples: int, channels: int) -> np.ndarray:
    """Loud noise with both extremes in it, float64 (n, channels)."""
    values = np.random.default_rng(3).uniform(-1, 1, (samples, channels))
    values[0], values[1] = -1, 1 - 2**-31
    return values


def written(subtype: str, form: str = "WAV", channels: int = 1, samples: int = 101, rate: int = 22050) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, noise(samples, channels), rate, subtype=subtype, format=form)
    return stream.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def riff(*chunks: bytes, form: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return form + struct.pack("<I", len(body)) + body


def fmt(tag: int = 1, channels: int = 1, bits: int = 16, frame: int | None = None, more: bytes = b"") -> bytes:
    frame = channels * bits // 8 if frame is None else frame
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, 16000, 16000 * frame, frame, bits) + more)


def extensible(tag: int = 1, guid: bytes = GUID, bits: int = 16) -> bytes:
    return fmt(0xFFFE, bits=bits, more=struct.pack("<HHIH", 22, bits, 0, tag) + guid)


def read(path: Path, content: bytes) -> tuple[np.ndarray, int]:
    path.write_bytes(content)
    return read_wav(path)


VALUES = np.arange(-50, 51, dtype="<i2")
DATA = chunk(b"data", VALUES.tobytes())


@pytest.mark.parametrize("channels", [1, 2, 8])
@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
@pytest.mark.parametrize("subtype", SUBTYPES)
def test_as_soundfile_reads_it(tmp_path: Path, subtype: str, form: str, channels: int) -> None:
    """Bit for bit; 101 samples of an odd number of bytes make the data chunk odd too."""
    content = written(subtype, form, channels)
    kept = KEPT.get(subtype, np.float32)
    expected, expected_rate = soundfile.read(io.BytesIO(content), dtype=np.dtype(kept).name)
    samples, rate = read(tmp_path / "a.wav", content)
    assert (samples.dtype, rate) == (kept, expected_rate)
    np.testing.assert_array_equal(samples, expected)


def test_every_subtype_of_soundfile_is_read_or_refused(tmp_path: Path) -> None:
    refused = set()
    for subtype in soundfile.available_subtypes("WAV"):
        try:
            content = written(subtype, samples=2400, rate=8000)
        except soundfile.LibsndfileError:  # some need a rate or a width of their own
            continue
        try:
            samples, _ = read(tmp_path / "a.wav", content)
        except pp.AudioError:
            refused.add(subtype)
        else:
            assert len(samples) == 2400
            assert subtype in SUBTYPES
    assert {"ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM"} <= refused
    assert not refused & set(SUBTYPES)


@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
@pytest.mark.parametrize("subtype", SUBTYPES)
def test_cut_anywhere(tmp_path: Path, subtype: str, form: str) -> None:
    """Every byte of the header, and every byte of the samples."""
    content = written(subtype, form, samples=16)
    last = content.index(b"data") + 8 + 16 * {"PCM_U8": 1, "PCM_24": 3, "PCM_16": 2, "DOUBLE": 8}.get(subtype, 4)
    for keep in range(last):
        with pytest.raises(pp.AudioError, match="allowed: a whole RIFF WAV file"):
            read(tmp_path / "a.wav", content[:keep])
    assert len(read(tmp_path / "a.wav", content[:last])[0]) == 16


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([riff(fmt(), DATA), riff(extensible(), DATA), written("DOUBLE"), written("PCM_24", "WAVEX", 2)]),
    st.lists(st.tuples(st.integers(0, 119), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_damage_gives_samples_or_an_audio_error(tmp_path: Path, content: bytes, changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(content)
    for at, value in changes:
        damaged[at] = value
    try:
        samples, rate = read(tmp_path / "a.wav", bytes(damaged))
    except pp.AudioError:
        return
    assert samples.dtype in (np.int16, np.int32, np.float32)
    assert samples.ndim in (1, 2)
    assert 0 <= rate < 2**32


ODD = chunk(b"junk", b"an odd chunk.")
GOOD = {
    "plain": riff(fmt(), DATA),
    "longer fmt": riff(fmt(more=struct.pack("<H", 0)), DATA),
    "extensible": riff(extensible(), DATA),
    "junk first": riff(ODD, chunk(b"JUNK", bytes(28)), fmt(), ODD, chunk(b"fact", bytes(4)), DATA),
    "data first": riff(DATA, ODD, fmt()),
    "chunks after": riff(fmt(), DATA, chunk(b"LIST", b"INFO"), ODD),
    "words after": riff(fmt(), DATA) + b"and more",
    "size of RIFF wrong": b"RIFF" + bytes(4) + riff(fmt(), DATA)[8:],
}


@pytest.mark.parametrize("case", GOOD)
def test_chunks_in_any_order(tmp_path: Path, case: str) -> None:
    samples, rate = read(tmp_path / "a.wav", GOOD[case])
    np.testing.assert_array_equal(samples, VALUES)
    assert rate == 16000


ENORMOUS = b"data" + struct.pack("<I", 2**32 - 1) + VALUES.tobytes()
BAD = {
    "empty": (b"", "it is empty"),
    "text": (b"some words, long enough", "not a RIFF WAV"),
    "AVI": (b"RIFF" + bytes(4) + b"AVI " + bytes(40), "not a RIFF WAV"),
    "RF64": (riff(chunk(b"ds64", bytes(28)), fmt(), DATA, form=b"RF64"), "RF64"),
    "big-endian": (riff(fmt(), DATA, form=b"RIFX"), "RIFX"),
    "no fmt": (riff(DATA), "no fmt chunk"),
    "no data": (riff(fmt(), ODD), "no data chunk"),
    "neither": (riff(), "no fmt chunk"),
    "two formats": (riff(fmt(), fmt(), DATA), "two fmt chunks"),
    "samples of a stream": (riff(fmt()) + ENORMOUS, r"cut short: 202 of 4294967295 bytes of its data chunk"),
    "enormous junk": (riff(b"junk" + b"\xff" * 4, fmt(), DATA), "no fmt chunk"),
    "enormous fmt": (riff(b"fmt " + b"\xff" * 4, fmt(), DATA), "of its fmt chunk"),
    "many chunks": (riff(*[chunk(b"junk", b"")] * 2000, fmt(), DATA), "no fmt chunk"),
    "short fmt": (riff(chunk(b"fmt ", bytes(14)), DATA), "its fmt chunk has 14 bytes"),
    "no channels": (riff(fmt(channels=0), DATA), "has 0 channels"),
    "many channels": (riff(fmt(channels=9), DATA), "has 9 channels"),
    "12 bits": (riff(fmt(bits=12, frame=2), DATA), "12-bit samples of format PCM"),
    "no bits": (riff(fmt(bits=0), DATA), "0-bit samples"),
    "half precision": (riff(fmt(3), DATA), "16-bit samples of format float"),
    "A-law": (riff(fmt(6, bits=8), DATA), "8-bit samples of format A-law"),
    "unknown format": (riff(fmt(0x1234), DATA), "format 0x1234"),
    "wrong frame": (riff(fmt(frame=4), DATA), "frames of 4 bytes where 2 are needed"),
    "no frame": (riff(fmt(frame=0), DATA), "frames of 0 bytes where 2 are needed"),
    "half a frame": (riff(fmt(channels=2), DATA), "202 bytes of samples, not whole frames of 4"),
    "extensible, short": (riff(fmt(0xFFFE), DATA), "neither PCM nor float"),
    "extensible, other": (riff(extensible(guid=bytes(14)), DATA), "neither PCM nor float"),
    "extensible, µ-law": (riff(extensible(7, bits=8), DATA), "8-bit samples of format µ-law"),
}


@pytest.mark.parametrize("case", BAD)
def test_refused(tmp_path: Path, case: str) -> None:
    content, words = BAD[case]
    with pytest.raises(pp.AudioError, match=words) as caught:
        read(tmp_path / "odd.wav", content)
    assert str(caught.value).startswith("odd.wav ")
    assert caught.value.allowed.endswith("PCM of 8, 16, 24 or 32 bits or float of 32 or 64, 1 to 8 channels")


def test_an_empty_recording_has_no_samples(tmp_path: Path) -> None:
    assert read(tmp_path / "a.wav", riff(fmt(), chunk(b"data", b"")))[0].shape == (0,)


def test_doubles_beyond_float32_are_refused_later(tmp_path: Path) -> None:
    data = np.array([1e300, np.nan, 0.5] * 8)
    samples, rate = read(tmp_path / "a.wav", riff(fmt(3, bits=64), chunk(b"data", data.tobytes())))
    with pytest.raises(pp.AudioError, match="16 samples are NaN or infinite"):
        pp.audio.prepare(samples, rate, 16000, 30.0)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name")
def test_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    writer = threading.Thread(target=(tmp_path / "pipe.wav").write_bytes, args=[GOOD["junk first"]], daemon=True)
    writer.start()
    np.testing.assert_array_equal(read_wav(tmp_path / "pipe.wav")[0], VALUES)
    writer.join()
