"""What read_audio takes, what it refuses and in which words."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from corpora import CorpusError, inspect, read_audio, resample

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "subtype", "tolerance"),
    [
        ("a.wav", "PCM_U8", 1e-2),
        ("a.wav", "PCM_16", 1e-4),
        ("a.wav", "PCM_24", 1e-6),
        ("a.wav", "PCM_32", 1e-6),
        ("a.wav", "FLOAT", 1e-7),
        ("a.flac", "PCM_16", 1e-4),
        ("a.flac", "PCM_24", 1e-6),
    ],
)
def test_reads_every_depth(write_sound: Write, name: str, subtype: str, tolerance: float) -> None:
    tone = 0.5 * np.sin(np.arange(4_410) / 10)
    audio, rate = read_audio(write_sound(name, tone, 44_100, subtype))
    assert rate == 44_100
    assert audio.dtype == np.float32
    np.testing.assert_allclose(audio, tone, atol=tolerance)


def test_stereo_is_averaged(write_sound: Write) -> None:
    audio, _ = read_audio(write_sound("stereo.wav", np.stack([np.full(400, 0.5), np.full(400, -0.1)], axis=1)))
    np.testing.assert_allclose(audio, 0.2, atol=1e-4)


def _whole(write: Write) -> bytes:
    return write("whole.wav").read_bytes()


BROKEN: dict[str, tuple[Callable[[Write], bytes], str]] = {
    "empty": (lambda write: b"", "empty file"),
    "few-bytes": (lambda write: b"RIFF", "too few for a header"),
    "text": (lambda write: b"this is no sound at all, but text\n" * 9, "not readable as audio"),
    "header-only": (lambda write: _whole(write)[:20], "truncated"),
    "truncated": (lambda write: _whole(write)[:-1_000], "truncated: 2200 of the 3200 bytes"),
    "truncated-flac": (lambda write: write("whole.flac").read_bytes()[:-200], "truncated|broken off"),
    "streamed": (
        lambda write: _whole(write)[:40] + struct.pack("<I", 0xFFFFFFFF) + _whole(write)[44:],
        "streamed WAV",
    ),
    "other-format": (
        lambda write: write("whole.ogg", subtype="VORBIS").read_bytes(),
        "OGG audio.*allowed: WAV, FLAC",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_refuses_what_is_no_whole_sound_file(write_sound: Write, tmp_path: Path, case: str) -> None:
    content, problem = BROKEN[case]
    path = tmp_path / "broken.wav"
    path.write_bytes(content(write_sound))
    with pytest.raises(CorpusError, match=problem) as caught:
        read_audio(path)
    assert caught.value.place == path
    assert caught.value.allowed


SAMPLES: dict[str, tuple[np.ndarray, int, str]] = {
    "nan": (np.r_[np.zeros(400), np.nan], 16_000, "NaN or infinite"),
    "infinite": (np.r_[np.zeros(400), np.inf], 16_000, "NaN or infinite"),
    "all-zero": (np.zeros(400), 16_000, "every sample is zero"),
    "two-sample": (np.ones(2) / 2, 16_000, "too short: 2 samples"),
    "no-sample": (np.zeros(0), 16_000, "too short: 0 samples"),
    "ten-minute": (np.zeros(600 * 4_000, np.float32), 4_000, "too long: 600.0 s.*at most 60.0 s"),
    "slow": (np.ones(400) / 2, 2_000, "sample rate 2000 Hz.*4000 to 192000 Hz"),
    "fast": (np.ones(40_000) / 2, 384_000, "sample rate 384000 Hz"),
}


@pytest.mark.parametrize("case", SAMPLES)
def test_refuses_sound_that_cannot_be_right(write_sound: Write, case: str) -> None:
    samples, rate, problem = SAMPLES[case]
    with pytest.raises(CorpusError, match=problem):
        read_audio(write_sound("odd.wav", samples, rate, "FLOAT"))


def test_nan_in_one_channel_is_seen_though_the_other_is_fine(write_sound: Write) -> None:
    samples = np.full((400, 2), 0.5)
    samples[7, 1] = np.nan
    with pytest.raises(CorpusError, match="NaN"):
        read_audio(write_sound("half.wav", samples, subtype="FLOAT"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file"):
        read_audio(tmp_path / "absent.wav")


def test_silence_may_be_allowed(write_sound: Write) -> None:
    audio, _ = read_audio(write_sound("zero.wav", np.zeros(400)), allow_silence=True)
    assert not audio.any()


def test_a_long_file_is_refused_unread(write_sound: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_sound("long.wav", np.zeros(61 * 4_000), 4_000)
    monkeypatch.setattr(soundfile, "read", lambda *_, **__: pytest.fail("the samples were read"))
    with pytest.raises(CorpusError, match="too long"):
        read_audio(path)


def test_other_chunks_before_the_data_are_walked_over(write_sound: Write, tmp_path: Path) -> None:
    whole = write_sound("plain.wav").read_bytes()
    odd = struct.pack("<4sI", b"note", 3) + b"abc\0"  # odd bodies are padded
    path = tmp_path / "chunks.wav"
    path.write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8 + len(odd)) + whole[8:12] + odd + whole[12:])
    assert len(read_audio(path)[0]) == 1_600


def test_inspect_reads_the_header(write_sound: Write) -> None:
    facts = inspect(write_sound("a.flac", np.ones((800, 2)) / 2, 8_000))
    assert (facts.format, facts.rate, facts.channels, facts.frames, facts.seconds) == (
        "FLAC",
        8_000,
        2,
        800,
        0.1,
    )


@pytest.mark.parametrize(("rate", "target"), [(44_100, 16_000), (8_000, 16_000), (22_050, 16_000), (16_000, 16_000)])
def test_resampling_keeps_a_tone(rate: int, target: int) -> None:
    def tone(at: int) -> np.ndarray:
        return (0.5 * np.sin(2 * np.pi * 1_000 * np.arange(at) / at)).astype(np.float32)

    heard = resample(tone(rate), rate, target)
    assert heard.dtype == np.float32
    assert abs(len(heard) - target) <= 1
    inner = slice(target // 10, -target // 10)
    np.testing.assert_allclose(heard[:target][inner], tone(target)[: len(heard)][inner], atol=1e-3)


def test_resampling_removes_what_the_target_cannot_hold() -> None:
    above = np.sin(2 * np.pi * 12_000 * np.arange(44_100) / 44_100).astype(np.float32)
    assert np.abs(resample(above, 44_100, 16_000)[1_000:-1_000]).max() < 1e-3


@pytest.mark.parametrize(("shape", "rate"), [((4, 2), 16_000), ((400,), 0), ((400,), 1_000_000)])
def test_resampling_refuses(shape: tuple[int, ...], rate: int) -> None:
    with pytest.raises(CorpusError, match="allowed"):
        resample(np.zeros(shape, np.float32), rate, 16_000)
