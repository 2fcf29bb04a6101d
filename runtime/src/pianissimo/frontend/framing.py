"""Cut a clip to a length, and a signal into frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Signal = NDArray[Any]  # float32, or what else somebody has: it is computed with in double precision


def fit_length(audio: Float32, samples: int) -> Float32:
    """Cut or zero-pad (n,) about its centre to (samples,)."""
    surplus = len(audio) - samples
    if surplus >= 0:
        return audio[surplus // 2 : surplus // 2 + samples]
    padded = np.zeros(samples, np.float32)
    padded[-surplus // 2 : -surplus // 2 + len(audio)] = audio
    return padded


def frame_count(samples: int, frame: int, hop: int) -> int:
    """Whole frames in so many samples, at least one."""
    return 1 + max(0, samples - frame) // hop


def framed(audio: Signal, frame: int, hop: int) -> Signal:
    """Frames (frames, frame) of (n,), one every `hop` samples, to be read only: they are the signal's own memory.

    A signal shorter than one frame is padded with zeros at its end.
    """
    if len(audio) < frame:
        audio = np.concatenate([audio, np.zeros(frame - len(audio), audio.dtype)])
    audio = np.ascontiguousarray(audio)
    step, count = audio.itemsize, frame_count(len(audio), frame, hop)
    # Overlapping rows without a copy; as_strided does the same and costs eight times as much.
    return np.ndarray((count, frame), audio.dtype, audio.data, 0, (hop * step, step))
