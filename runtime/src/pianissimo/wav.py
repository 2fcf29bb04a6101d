"""Read a WAV file: the chunks of RIFF, PCM and IEEE float, plain and extensible; strictly."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .audio import MOST_CHANNELS
from .errors import AudioError

Samples = NDArray[Any]
ALLOWED = f"a whole RIFF WAV file, PCM of 8, 16, 24 or 32 bits or float of 32 or 64, 1 to {MOST_CHANNELS} channels"
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
NAMES = {PCM: "PCM", 2: "ADPCM", FLOAT: "float", 6: "A-law", 7: "µ-law", 0x55: "MP3"}
SUBTYPE = bytes.fromhex("0000 0000 1000 8000 00aa 0038 9b71")  # what follows the two bytes of a tag in its GUID
PLAIN_BYTES, EXTENSIBLE_BYTES = 16, 40  # of a fmt chunk
MOST_CHUNKS = 1_000  # before the samples; a recorder writes a handful


def _from_24(data: bytes) -> Samples:
    """Three bytes a sample, moved to the upper three of an int32."""
    padded = np.zeros((len(data) // 3, 4), np.uint8)
    padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return padded.view("<i4")[:, 0]


def _from_double(data: bytes) -> Samples:
    """Eight bytes a sample; what float32 cannot hold becomes infinite, which `audio.prepare` refuses."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.frombuffer(data, "<f8").astype(np.float32)


# Format and bits -> how to read them. WAV's 8-bit samples are unsigned, the others signed, little-endian.
READERS: dict[tuple[int, int], Callable[[bytes], Samples]] = {
    (PCM, 8): lambda data: (np.frombuffer(data, np.uint8).astype(np.int16) - 128) * np.int16(256),
    (PCM, 16): lambda data: np.frombuffer(data, "<i2"),
    (PCM, 24): _from_24,
    (PCM, 32): lambda data: np.frombuffer(data, "<i4"),
    (FLOAT, 32): lambda data: np.frombuffer(data, "<f4"),
    (FLOAT, 64): _from_double,
}


def read_wav(path: str | os.PathLike[str]) -> tuple[Samples, int]:
    """Samples (n,) or (n, channels), and the sample rate in Hz. Raises AudioError.

    PCM gives int16 or int32 (24 bits in the upper three bytes), float gives float32.
    """
    name = Path(path).name
    try:
        with open(path, "rb") as file:
            return _read(file if file.seekable() else io.BytesIO(file.read()), name)
    except OSError as fault:
        raise AudioError(f"{name} cannot be read ({fault.strerror or fault})", ALLOWED) from fault


def parse_wav(data: bytes, name: str = "the WAV file") -> tuple[Samples, int]:
    """As `read_wav`, of a file's content; `name` is what an error calls it."""
    return _read(io.BytesIO(data), name)


def _read(stream: BinaryIO, name: str) -> tuple[Samples, int]:
    places = _places(stream, name)
    at, size = places[b"fmt "]
    stream.seek(at)
    read, channels, rate, frame = _format(stream.read(min(size, EXTENSIBLE_BYTES)), name)
    at, size = places[b"data"]
    if size % frame:
        raise AudioError(f"{name} has {size} bytes of samples, not whole frames of {frame}", ALLOWED)
    stream.seek(at)
    data = stream.read(size)
    if len(data) != size:  # the file shrank while it was read
        raise _cut("data", len(data), size, name)
    samples = read(data)
    return (samples.reshape(-1, channels) if channels > 1 else samples), rate


def _places(stream: BinaryIO, name: str) -> dict[bytes, tuple[int, int]]:
    """Where the fmt and data chunks begin, and their bytes; RIFF's own size is often wrong and not believed."""
    end = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    start = stream.read(12)
    if start[:4] != b"RIFF" or start[8:] != b"WAVE":
        other = start[:4].decode() if start[:4] in (b"RF64", b"BW64", b"RIFX") else "not a RIFF WAV"
        raise AudioError(f"{name} cannot be read ({other if start else 'it is empty'})", ALLOWED)
    places: dict[bytes, tuple[int, int]] = {}
    at = stream.tell()
    for _ in range(MOST_CHUNKS):
        stream.seek(at)
        head = stream.read(8)
        if len(places) == 2 or len(head) < 8:
            break
        kind, size = struct.unpack("<4sI", head)
        at += 8
        if kind in (b"fmt ", b"data"):
            label = kind.decode().strip()
            if kind in places:
                raise AudioError(f"{name} cannot be read (it has two {label} chunks)", ALLOWED)
            if at + size > end:
                raise _cut(label, end - at, size, name)
            places[kind] = at, size
        at += size + size % 2  # a chunk of odd size is padded
    for kind in (b"fmt ", b"data"):
        if kind not in places:
            raise AudioError(f"{name} cannot be read (no {kind.decode().strip()} chunk was found)", ALLOWED)
    return places


def _format(chunk: bytes, name: str) -> tuple[Callable[[bytes], Samples], int, int, int]:
    """From a fmt chunk: how to read the samples, channels, rate, and bytes of one sample of every channel."""
    if len(chunk) < PLAIN_BYTES:
        raise AudioError(f"{name} cannot be read (its fmt chunk has {len(chunk)} bytes)", ALLOWED)
    tag, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == EXTENSIBLE:
        if len(chunk) < EXTENSIBLE_BYTES or chunk[26:] != SUBTYPE:
            raise AudioError(f"{name} has an extensible format that is neither PCM nor float", ALLOWED)
        (tag,) = struct.unpack_from("<H", chunk, 24)
    if (tag, bits) not in READERS:
        raise AudioError(f"{name} has {bits}-bit samples of format {NAMES.get(tag, hex(tag))}", ALLOWED)
    if not 1 <= channels <= MOST_CHANNELS:
        raise AudioError(f"{name} has {channels} channels", ALLOWED)
    if frame != channels * bits // 8:
        raise AudioError(f"{name} has frames of {frame} bytes where {channels * bits // 8} are needed", ALLOWED)
    return READERS[tag, bits], channels, rate, frame


def _cut(label: str, found: int, size: int, name: str) -> AudioError:
    return AudioError(f"{name} is cut short: {found} of {size} bytes of its {label} chunk", ALLOWED)
