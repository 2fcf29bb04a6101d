"""The front end beside librosa's, on the same clip: how much quicker, and how far apart."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pianissimo as pp

from benchmarks.timing import Row, timed

RATE, FLOOR = 16_000, 1e-10  # the least energy that power_to_db tells from none
DECIBELS = 10 / np.log(10)  # in a natural logarithm of a power
SHARED: dict[str, Any] = {"sample_rate": RATE, "frame": 512, "hop": 256, "fft": 512, "mels": 40}
SHARED |= {"fmin": 20.0, "fmax": 8000.0, "floor": FLOOR, "mean": 0.0, "deviation": 1.0}
FRAMING: dict[str, Any] = {"hop_length": 256, "win_length": 512, "center": False}
MEL: dict[str, Any] = {"sr": RATE, "n_fft": 512, "n_mels": 40, "fmin": 20.0, "fmax": 8000.0}
COEFFICIENTS = 13


def rows() -> Iterator[Row]:
    """log-mel and MFCC of one second: librosa as it is called, and its transform with the filters made once."""
    if find_spec("librosa") is None:
        yield Row("front end beside librosa", "librosa is not installed", "at least 5 ×")
        return
    import librosa

    def mel_db(audio: np.ndarray, dtype: type) -> np.ndarray:
        return np.asarray(librosa.power_to_db(librosa.feature.melspectrogram(y=audio, dtype=dtype, **MEL, **FRAMING)))

    def cepstrum(audio: np.ndarray, dtype: type) -> np.ndarray:
        return np.asarray(librosa.feature.mfcc(y=audio, n_mfcc=COEFFICIENTS, dtype=dtype, **MEL, **FRAMING))

    clip = np.random.default_rng(1).normal(0, 0.1, RATE).astype(np.float32)
    frames = 1 + (RATE - 512) // 256
    log_mel = pp.frontend.build({"kind": "log_mel", "seconds": 1.0, **SHARED})
    mfcc = pp.frontend.build({"kind": "mfcc", "frames": frames, "coefficients": COEFFICIENTS, **SHARED})
    whole = clip[: (frames - 1) * 256 + 512]  # what that many frames cover
    yield from _beside("log-mel", log_mel, mel_db, clip, lambda logs: logs)
    yield from _beside("MFCC", mfcc, cepstrum, whole, lambda logs: librosa.feature.mfcc(S=logs, n_mfcc=COEFFICIENTS))


def _beside(name: str, ours: Any, theirs: Any, clip: np.ndarray, after: Any) -> Iterator[Row]:
    import librosa
    from librosa.filters import mel

    filters = mel(**MEL)

    def lean() -> np.ndarray:
        energies = filters @ np.abs(librosa.stft(clip, n_fft=512, **FRAMING)) ** 2
        return np.asarray(after(librosa.power_to_db(energies)))

    exact = theirs(clip.astype(np.float64), np.float64).T / DECIBELS
    distance = float(np.abs(ours(clip) - exact).max())
    mine, user, leaner = np.median(timed(lambda: ours(clip), lambda: theirs(clip, np.float32), lean), axis=1)
    yield Row(f"{name}, 1 s", f"{mine:.0f} µs")
    yield Row(f"… librosa's function, {user:.0f} µs", f"{user / mine:.1f} ×", "at least 5 ×", bool(user >= 5 * mine))
    yield Row(f"… its stft, filters made once, {leaner:.0f} µs", f"{leaner / mine:.1f} ×")
    yield Row("… largest distance", f"{distance:.1e}", "at most 1e-4", distance <= 1e-4)
