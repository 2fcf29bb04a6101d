"""Arrays kept from clip to clip change nothing: no clip is heard in another one, in whatever order and thread."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from pianissimo.frontend.mel import mel_filters
from pianissimo.frontend.scratch import BLOCK

COMMON: dict[str, Any] = {"sample_rate": 16_000, "frame": 400, "hop": 160, "fft": 512, "fmin": 20.0, "fmax": 7600.0}
SPECS: dict[str, dict[str, Any]] = {
    "log_mel": {"kind": "log_mel", "seconds": 1.0, "mels": 40, **COMMON},
    "log_mel_sequence": {"kind": "log_mel_sequence", "mels": 23, **COMMON},
    "mfcc": {"kind": "mfcc", "frames": 90, "coefficients": 13, "mels": 64, **COMMON},
}
ROWS = BLOCK // (8 * COMMON["fft"])  # frames in one block


def clips() -> list[np.ndarray]:
    """Shorter than a frame, as long as a block and a frame to either side, of several blocks; loud, quiet, silent."""
    rng = np.random.default_rng(5)
    lengths = [100, *(400 + 160 * (frames - 1) for frames in (1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS + 7))]
    noises = [rng.normal(0, level, length) for length in lengths for level in (0.5, 1e-4)]
    return [clip.astype(np.float32) for clip in (*noises, np.zeros(16_000))]


def plainly(front: Any, audio: np.ndarray) -> np.ndarray:
    """Log energies of a signal by the definition: frame by frame, all filters over all bins, nothing kept."""
    padded = np.zeros(max(len(audio), front.frame))
    padded[: len(audio)] = audio
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(front.frame) / front.frame)
    starts = range(0, len(padded) - front.frame + 1, front.hop)
    bins = np.fft.rfft([padded[at : at + front.frame] * window for at in starts], front.fft)
    filters = mel_filters(front.sample_rate, front.fft, front.mels, front.fmin, front.fmax)
    return np.asarray(np.log((bins.real**2 + bins.imag**2) @ filters.T + front.floor))


@pytest.mark.parametrize("kind", SPECS)
def test_no_clip_is_heard_in_another(kind: str) -> None:
    front = pp.frontend.build(SPECS[kind])
    fresh = [pp.frontend.build(SPECS[kind])(clip) for clip in clips()]
    for order in (range(len(fresh)), reversed(range(len(fresh)))):
        for at in order:
            np.testing.assert_array_equal(front(clips()[at]), fresh[at])


@pytest.mark.parametrize("kind", SPECS)
def test_threads_do_not_share_arrays(kind: str) -> None:
    front, given = pp.frontend.build(SPECS[kind]), clips() * 20
    alone = [front(clip) for clip in given]
    with ThreadPoolExecutor(8) as threads:
        for mine, theirs in zip(threads.map(front, given), alone, strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("kind", SPECS)
def test_a_copy_takes_no_arrays_along(kind: str) -> None:
    front, clip = pp.frontend.build(SPECS[kind]), clips()[-2]
    expected = front(clip)
    sent = pickle.dumps(front)
    assert len(sent) < BLOCK
    np.testing.assert_array_equal(pickle.loads(sent)(clip), expected)


@pytest.mark.parametrize("mels", [1, 15, 16, 17, 40, 80, 128])
def test_filters_band_by_band_are_all_filters(mels: int) -> None:
    """Leaving zeros out of a sum changes less than the rounding to float32 does."""
    front: Any = pp.frontend.build({**SPECS["log_mel_sequence"], "mels": mels})
    for clip in clips():
        np.testing.assert_array_max_ulp(front(clip), plainly(front, clip).astype(np.float32), maxulp=1)
