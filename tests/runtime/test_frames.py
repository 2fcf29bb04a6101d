"""A stream of frames is answered as the clip it makes up, whatever came before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest

Make = Callable[..., Path]
FRAMES, FRAME, COEFFICIENTS = 8, 960, 13
SPEC: dict[str, Any] = {
    "kind": "mfcc",
    "sample_rate": 48000,
    "frames": FRAMES,
    "frame": FRAME,
    "hop": FRAME,
    "fft": 1024,
    "mels": 40,
    "coefficients": COEFFICIENTS,
    "fmin": 20.0,
    "fmax": 16000.0,
    "mean": [float(n) for n in range(COEFFICIENTS)],
    "deviation": 3.0,
}
RNG = np.random.default_rng(21)
STEPS = [
    {"op": "input", "shape": [FRAMES, COEFFICIENTS]},
    {"op": "flatten"},
    {"op": "dense", "arrays": {"weight": "w", "bias": "b"}},
    {"op": "softmax"},
]
ARRAYS = {
    "w": RNG.normal(0, 0.1, (FRAMES * COEFFICIENTS, 3)).astype(np.float32),
    "b": RNG.normal(0, 0.1, 3).astype(np.float32),
}
STREAM = (RNG.normal(0, 0.1, (3 * FRAMES, FRAME)) * np.linspace(0.1, 2, 3 * FRAMES)[:, None]).astype(np.float32)


@pytest.fixture
def model(assemble: Make) -> pp.Model:
    return pp.open_folder(assemble(SPEC, STEPS, ARRAYS))


def test_each_frame_is_the_clip_that_ends_with_it(model: pp.Model) -> None:
    """Exactly, before the context is full (silence came before) and long after."""
    stream = pp.FrameClassifier(model)
    heard = np.concatenate([np.zeros((FRAMES, FRAME), np.float32), STREAM])
    for at, frame in enumerate(STREAM):
        answer = stream.process_frame(frame)
        expected = model.predict(heard[at + 1 : at + 1 + FRAMES].reshape(-1), 48000)
        assert (answer.label, answer.confidence, answer.scores) == (expected.label, expected.score, expected.scores)
        assert answer.milliseconds > 0


def test_int16_is_its_floats(model: pp.Model) -> None:
    first, second = pp.FrameClassifier(model), pp.FrameClassifier(model)
    for frame in np.round(STREAM * 2**15).clip(-(2**15), 2**15 - 1).astype(np.int16):
        assert first.process_frame(frame).scores == second.process_frame(frame.astype(np.float64) / 2**15).scores


def test_reset_forgets(model: pp.Model) -> None:
    stream = pp.FrameClassifier(model)
    first = [stream.process_frame(frame).scores for frame in STREAM]
    again = [stream.process_frame(frame).scores for frame in STREAM]
    stream.reset()
    assert [stream.process_frame(frame).scores for frame in STREAM] == first
    assert again[:FRAMES] != first[:FRAMES]
    assert again[FRAMES:] == first[FRAMES:]


def test_streams_share_a_model_and_nothing_else(model: pp.Model) -> None:
    one, other = pp.FrameClassifier(model), pp.FrameClassifier(model)
    alone = [pp.FrameClassifier(model).process_frame(STREAM[0]).scores]
    one.process_frame(STREAM[5])
    assert [other.process_frame(STREAM[0]).scores] == alone


def broken(value: float) -> np.ndarray:
    frame = STREAM[0].copy()
    frame[7] = value
    return frame


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(959, np.float32), r"a frame of shape \(959,\); allowed: mono frames of 960 samples"),
        (np.zeros((960, 2), np.float32), r"\(960, 2\)"),
        (np.zeros(0, np.float32), r"\(0,\)"),
        (broken(np.nan), "the first at 7"),
        (broken(np.inf), "NaN or infinite"),
        (broken(-np.inf), "NaN or infinite"),
        (STREAM[0] * 30_000, "PCM given as int16"),
        (np.zeros(960, np.int64), "int64"),
        (None, "object"),
    ],
)
def test_a_frame_that_is_refused_is_not_kept(model: pp.Model, samples: Any, words: str) -> None:
    stream, undisturbed = pp.FrameClassifier(model), pp.FrameClassifier(model)
    stream.process_frame(STREAM[0])
    undisturbed.process_frame(STREAM[0])
    with pytest.raises(pp.AudioError, match=words):
        stream.process_frame(samples)
    assert stream.process_frame(STREAM[1]).scores == undisturbed.process_frame(STREAM[1]).scores


@pytest.mark.parametrize("loudness", [1.0, 1.4, 20.0])
def test_loud_is_legal(model: pp.Model, loudness: float) -> None:
    """As `predict` has it: clipped audio and floats a little beyond full scale are let pass."""
    frame = np.full(FRAME, loudness, np.float32)
    assert np.isfinite(pp.FrameClassifier(model).process_frame(frame).score)


def test_what_it_needs(model: pp.Model, assemble: Make, draft: Make) -> None:
    window = pp.open_folder(draft(edge=["onnx"]))
    overlapping = pp.open_folder(assemble(SPEC | {"hop": 480}, STEPS, ARRAYS))
    assert [pp.FrameClassifier.fits(one) for one in (model, window, overlapping)] == [True, False, False]
    with pytest.raises(pp.FrontEndError, match="kind: found log_mel; allowed: mfcc"):
        pp.FrameClassifier(window)
    with pytest.raises(pp.FrontEndError, match="hop: found 480; allowed: 960"):
        pp.FrameClassifier(overlapping)
    stream = pp.FrameClassifier(model)
    assert (stream.sample_rate, stream.samples) == (48000, FRAME)


def test_a_closed_model(model: pp.Model) -> None:
    stream = pp.FrameClassifier(model)
    model.close()
    with pytest.raises(pp.BackendFailedError, match="closed"):
        stream.process_frame(STREAM[0])
