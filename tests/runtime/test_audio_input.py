"""Every clip a person may hand over is either understood or refused in words."""

from __future__ import annotations

import numpy as np
import pianissimo as pp
import pytest
from pianissimo.audio import prepare

TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)).astype(np.float32)


def mono(audio: object, rate: object = 16000) -> np.ndarray:
    return prepare(audio, rate, 16000, 30.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("audio", "tolerance"),
    [
        (TONE.astype(np.float64), 1e-7),
        (TONE.astype(np.float16), 1e-3),
        (TONE.tolist(), 1e-7),
        (np.round(TONE * 2**15).astype(np.int16), 2e-5),
        (np.round(TONE * 2**31).astype(np.int64).astype(np.int32), 1e-6),
        (np.round(TONE * 2**23).astype(np.int32) << 8, 1e-6),
        (np.stack([TONE, TONE], axis=1), 1e-7),
        (np.stack([TONE, TONE], axis=0), 1e-7),
        (np.stack([2 * TONE, np.zeros_like(TONE)], axis=1), 1e-7),
        (TONE[:, None], 1e-7),
        (np.repeat(TONE, 2)[::2], 1e-7),
    ],
    ids=["float64", "float16", "list", "int16", "int32", "24-bit", "stereo", "planar", "average", "column", "strided"],
)
def test_one_signal_in_many_forms(audio: object, tolerance: float) -> None:
    clip = mono(audio)
    assert clip.dtype == np.float32
    assert clip.flags.c_contiguous
    np.testing.assert_allclose(clip, TONE, atol=tolerance)


@pytest.mark.parametrize(
    "audio",
    [
        np.zeros(16000, np.float32),
        np.ones(16000, np.float32),
        np.full(16000, -(2**15), np.int16),
        1.4 * TONE,
    ],
    ids=["silence", "direct current", "clipped", "a little over"],
)
def test_legal_extremes(audio: np.ndarray) -> None:
    assert mono(audio).shape == (16000,)


def broken(value: float) -> np.ndarray:
    clip = TONE.copy()
    clip[100] = value
    return clip


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (np.zeros(0, np.float32), "empty"),
        ([], "empty"),
        (np.zeros((0, 2), np.float32), "empty"),
        (np.zeros(2, np.float32), "2 samples; allowed: at least 16"),
        (broken(np.nan), "the first at 100"),
        (broken(np.inf), "1 samples are NaN or infinite"),
        (broken(-np.inf), "finite numbers"),
        (np.zeros(16000 * 600, np.float32), "600.0 s; allowed: at most 30 s; cut it into shorter clips"),
        (TONE.astype(np.complex64), "complex64"),
        (np.zeros(16000, np.int64), "int64; allowed: float16"),
        (np.zeros(16000, np.uint8), "uint8"),
        (np.zeros(16000, bool), "bool"),
        (np.array(["a"] * 100), "samples of type"),
        (np.array(0.5, np.float32), "shape"),
        (np.zeros((100, 100), np.float32), "at most 8 channels"),
        (np.zeros((2, 100, 2), np.float32), "shape"),
        ([[1.0, 2.0], [1.0]], "not an array"),
        (TONE * 20000, "PCM given as int16 or int32"),
        (None, "samples of type object"),
    ],
)
def test_refused_audio(audio: object, words: str) -> None:
    with pytest.raises(pp.AudioError) as caught:
        mono(audio)
    assert words in str(caught.value)


@pytest.mark.parametrize("rate", [0, -16000, 3999, 192_001, 16000.5, float("nan"), float("inf"), True, None, "16000"])
def test_refused_rates(rate: object) -> None:
    with pytest.raises(pp.AudioError, match="4,000 to 192,000"):
        mono(TONE, rate)


@pytest.mark.parametrize("rate", [16000.0, np.int64(16000), np.float32(16000)])
def test_rates_in_other_types(rate: object) -> None:
    np.testing.assert_array_equal(mono(TONE, rate), TONE)


def test_the_limit_is_in_seconds_of_the_clips_own_rate() -> None:
    assert len(prepare(np.zeros(44100, np.float32), 44100, 16000, 1.0)) == 16000
    with pytest.raises(pp.AudioError, match=r"1\.1 s"):
        prepare(np.zeros(48510, np.float32), 44100, 16000, 1.0)


def test_the_largest_float_is_refused_and_nothing_overflows() -> None:
    clip = np.full(1600, 0.1, np.float32)
    clip[7] = 3e38
    with pytest.raises(pp.AudioError, match="as loud as 3e"):
        pp.audio.prepare(clip, 16000, 16000, 30.0)
