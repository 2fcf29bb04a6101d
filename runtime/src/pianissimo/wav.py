"""Read a PCM WAV file with the standard library."""

from __future__ import annotations

import os
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import AudioError

Samples = NDArray[Any]
ALLOWED = "a PCM WAV file of 8, 16, 24 or 32 bits, whole"


def _from_24(data: bytes) -> Samples:
    """Three bytes a sample, moved to the upper three of an int32."""
    padded = np.zeros((len(data) // 3, 4), np.uint8)
    padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return padded.view("<i4")[:, 0]


# Bytes a sample -> how to read them. WAV's 8-bit samples are unsigned, the others signed, little-endian.
WIDTHS: dict[int, Callable[[bytes], Samples]] = {
    1: lambda data: (np.frombuffer(data, np.uint8).astype(np.int16) - 128) * np.int16(256),
    2: lambda data: np.frombuffer(data, "<i2"),
    3: _from_24,
    4: lambda data: np.frombuffer(data, "<i4"),
}


def read_wav(path: str | os.PathLike[str]) -> tuple[Samples, int]:
    """Samples (n,) or (n, channels), int16 or int32, and the sample rate in Hz. Raises AudioError."""
    name = Path(path).name
    try:
        with wave.open(os.fspath(path), "rb") as stream:
            channels, width, rate, count = stream.getparams()[:4]
            data = stream.readframes(count)
    except (wave.Error, EOFError, RuntimeError) as fault:
        raise AudioError(f"{name} cannot be read ({fault or 'it ends too early'})", ALLOWED) from fault
    except OSError as fault:
        raise AudioError(f"{name} cannot be read ({fault.strerror or fault})", ALLOWED) from fault
    if width not in WIDTHS:
        raise AudioError(f"{name} has {8 * width}-bit samples", ALLOWED)
    if len(data) != count * channels * width:
        raise AudioError(f"{name} is cut short: {len(data)} of {count * channels * width} bytes", ALLOWED)
    samples = WIDTHS[width](data)
    return (samples.reshape(-1, channels) if channels > 1 else samples), rate
