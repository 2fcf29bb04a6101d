"""Audio files: read one as float32 mono, or say exactly why not; resample."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from corpora.errors import CorpusError

Audio = NDArray[np.float32]

FORMATS = {"WAV": "WAV", "WAVEX": "WAV", "FLAC": "FLAC"}
MIN_SECONDS = 0.01  # less than one analysis frame of any front end
MAX_SECONDS = 60.0
RATES = (4_000, 192_000)
UNSTATED = 0xFFFF_FFFF  # what a program writes that streamed a WAV and never came back to the header


@dataclass(frozen=True)
class AudioFacts:
    """What the header of an audio file says."""

    format: str
    rate: int
    channels: int
    frames: int

    @property
    def seconds(self) -> float:
        """Length in seconds, by the header."""
        return self.frames / self.rate


def inspect(path: Path | str) -> AudioFacts:
    """Read the header alone; raises CorpusError for missing, empty, truncated and non-audio files."""
    path = Path(path)
    if not path.is_file():
        raise CorpusError("no such file", place=path, allowed="a WAV or FLAC file")
    if path.stat().st_size == 0:
        raise CorpusError("empty file", place=path, allowed="a WAV or FLAC file with sound in it")
    _check_whole(path)
    try:
        facts = soundfile.info(str(path))
    except soundfile.LibsndfileError as error:
        raise CorpusError(f"not readable as audio ({error.error_string})", place=path, allowed="WAV, FLAC") from error
    if facts.format not in FORMATS:
        raise CorpusError(f"{facts.format} audio", place=path, allowed="WAV, FLAC")
    return AudioFacts(FORMATS[facts.format], facts.samplerate, facts.channels, facts.frames)


def read_audio(
    path: Path | str,
    *,
    min_seconds: float = MIN_SECONDS,
    max_seconds: float = MAX_SECONDS,
    allow_silence: bool = False,
) -> tuple[Audio, int]:
    """Read a WAV (8, 16, 24, 32 bit, float) or FLAC file as (float32 mono samples in -1…1, rate in Hz).

    Several channels are averaged. Length and rate are judged by the header before any sample is read.
    Raises CorpusError for files `inspect` refuses, lengths outside min_seconds…max_seconds, rates outside
    4-192 kHz, NaN or infinite samples, and sound that is zero throughout unless `allow_silence` is given
    (a class called silence may hold such clips; in any other they are a broken recording).
    """
    path = Path(path)
    facts = inspect(path)
    _check_facts(path, facts, min_seconds, max_seconds)
    try:
        samples, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise CorpusError(
            f"broken off or damaged ({error.error_string})", place=path, allowed="a whole file"
        ) from error
    if len(samples) != facts.frames:
        raise CorpusError(
            f"truncated: {len(samples)} of the {facts.frames} frames its header states",
            place=path,
            allowed="a whole file",
        )
    audio: Audio = samples.mean(axis=1, dtype=np.float32)
    if not np.isfinite(samples).all():
        raise CorpusError("NaN or infinite samples", place=path, allowed="finite samples")
    if not allow_silence and not samples.any():
        raise CorpusError("every sample is zero", place=path, allowed="sound, or a caller that allows silence")
    return audio, int(rate)


def resample(audio: Audio, rate: int, target: int) -> Audio:
    """Resample float32 mono (samples,) from `rate` to `target` Hz with soxr's high quality (HQ, -100 dB)."""
    for name, value in (("rate", rate), ("target", target)):
        if not RATES[0] <= value <= RATES[1]:
            raise CorpusError(f"{value} Hz", place=name, allowed=f"{RATES[0]} to {RATES[1]} Hz")
    if audio.ndim != 1:
        raise CorpusError(f"audio of shape {audio.shape}", place="audio", allowed="mono, shape (samples,)")
    if rate == target:
        return audio.astype(np.float32, copy=False)
    resampled: Audio = soxr.resample(audio.astype(np.float32, copy=False), rate, target, quality="HQ")
    return resampled


def _check_facts(path: Path, facts: AudioFacts, min_seconds: float, max_seconds: float) -> None:
    if not RATES[0] <= facts.rate <= RATES[1]:
        raise CorpusError(f"sample rate {facts.rate} Hz", place=path, allowed=f"{RATES[0]} to {RATES[1]} Hz")
    if facts.frames < min_seconds * facts.rate:
        raise CorpusError(
            f"too short: {facts.frames} samples, {facts.seconds:.4f} s",
            place=path,
            allowed=f"{min_seconds} s or more",
        )
    if facts.seconds > max_seconds:
        raise CorpusError(f"too long: {facts.seconds:.1f} s", place=path, allowed=f"at most {max_seconds} s")


def _check_whole(path: Path) -> None:
    """Compare the data length a WAV states with what the file holds; libsndfile would shorten it without a word."""
    with path.open("rb") as stream:
        head = stream.read(12)
        if len(head) < 12:
            raise CorpusError(f"{len(head)} bytes, too few for a header", place=path, allowed="WAV, FLAC")
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return  # FLAC counts its frames itself; anything else is refused by its format
        stated, held = _find_data(stream, path.stat().st_size)
    if stated == UNSTATED:
        raise CorpusError(
            "a streamed WAV whose length was never written", place=path, allowed="a header with the length"
        )
    if stated > held:
        raise CorpusError(
            f"truncated: {held} of the {stated} bytes its header states", place=path, allowed="a whole file"
        )


def _find_data(stream: BinaryIO, size: int) -> tuple[int, int]:
    """Walk the chunks of a WAV (RIFF, 1991: name, length, body padded to even) to `data`: bytes stated, bytes held."""
    while len(chunk := stream.read(8)) == 8:
        name, length = struct.unpack("<4sI", chunk)
        if name == b"data":
            return length, size - stream.tell()
        stream.seek(length + length % 2, 1)
    return 1, 0  # a WAV that ends before its data
