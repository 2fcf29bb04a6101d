"""What an output says: labels by CTC with their times, a vector to enrol with, or a refusal in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pianissimo.backends import open_session
from pianissimo.decode import READINGS, greedy

Make = Callable[..., Path]
LABELS = ("a", "b", "c")
BLANK = 3
MELS = 16
SEQUENCE: dict[str, Any] = {
    "kind": "log_mel_sequence",
    "sample_rate": 16000,
    "frame": 400,
    "hop": 160,
    "fft": 512,
    "mels": MELS,
    "fmin": 20.0,
    "fmax": 8000.0,
}
RNG = np.random.default_rng(8)
WEIGHTS = {"w": RNG.normal(0, 0.2, (MELS, 4)).astype(np.float32), "b": np.zeros(4, np.float32)}
FRAMEWISE = [
    {"op": "input", "shape": [None, MELS]},
    {"op": "dense", "arrays": {"weight": "w", "bias": "b"}},
    {"op": "softmax"},
]
MELLOW = [
    {"op": "input", "shape": [49, 40]},
    {"op": "flatten"},
    {"op": "dense", "arrays": {"weight": "w", "bias": "b"}},
    {"op": "l2"},
]
PROJECTOR = {"w": RNG.normal(0, 0.02, (49 * 40, 5)).astype(np.float32), "b": np.zeros(5, np.float32)}
FIXED: dict[str, Any] = SEQUENCE | {"kind": "log_mel", "seconds": 1.0, "frame": 480, "hop": 320, "mels": 40}


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32)


def spelled(path: list[int], best: float = 0.7) -> np.ndarray:
    """Probabilities (frames, 4) whose best classes are `path`."""
    outputs = np.full((len(path), 4), (1 - best) / 3, np.float32)
    outputs[np.arange(len(path)), path] = best
    return outputs


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ([3, 0, 0, 3, 0, 1, 1, 3], (0, 0, 1)),
        ([0], (0,)),
        ([3, 3, 3], ()),
        ([2, 1, 0], (2, 1, 0)),
        ([], ()),
    ],
)
def test_best_path(path: list[int], expected: tuple[int, ...]) -> None:
    assert greedy(spelled(path)) == expected


@given(st.lists(st.integers(0, BLANK), max_size=30))
def test_best_path_is_the_definition(path: list[int]) -> None:
    """Merge repeats, then drop blanks, as Graves et al. write it."""
    merged = [label for at, label in enumerate(path) if at == 0 or label != path[at - 1]]
    assert greedy(spelled(path)) == tuple(label for label in merged if label != BLANK)


def test_a_label_twice_needs_a_blank_between() -> None:
    labels = [int(label) for label in RNG.integers(0, 3, 40)]
    path = [step for label in labels for step in (label, BLANK)]
    assert greedy(spelled(path)) == tuple(labels)


def test_symbols_have_scores_and_times() -> None:
    """A frame lasts the clip's seconds divided by its frames; a run's score is the best in it."""
    outputs = spelled([3, 0, 0, 3, 2])
    outputs[2, 0] = 0.9
    label, score, scores, symbols = READINGS["transcribe"].answer(outputs, LABELS, None, 1, lambda _: (0.0, 1.0))
    assert (label, scores) == ("a c", {})
    assert [(symbol.label, symbol.start, symbol.end) for symbol in symbols] == [
        ("a", pytest.approx(0.2), pytest.approx(0.6)),
        ("c", pytest.approx(0.8), pytest.approx(1.0)),
    ]
    assert [symbol.score for symbol in symbols] == [pytest.approx(0.9), pytest.approx(0.7)]
    assert score == pytest.approx(0.8)


def test_nothing_heard() -> None:
    answer = READINGS["transcribe"].answer(spelled([BLANK] * 4), LABELS, None, 1, lambda _: (0.0, 1.0))
    assert answer == ("", 0.0, {}, ())


def test_a_transcript(assemble: Make) -> None:
    """From audio of any length at another rate: the network's own probabilities, spelled."""
    folder = assemble(SEQUENCE, FRAMEWISE, WEIGHTS, task="transcribe", labels=list(LABELS))
    with pp.open_folder(folder) as model:
        for rate, samples in ((16000, 5000), (8000, 20_000), (16000, 100)):
            clip = noise(samples, samples)
            answer = model.predict(clip, rate)
            features = model.features(clip, rate)
            (outputs,) = model.scores(list(features))
            assert outputs.shape == (features.shape[1], 4)
            assert answer.label.split() == [LABELS[label] for label in greedy(outputs)]
            assert answer.symbols[0].start >= 0
            assert answer.symbols[-1].end <= samples / rate + 1e-9
            assert answer.score == pytest.approx(np.mean([symbol.score for symbol in answer.symbols]))


def test_a_batch_of_unequal_clips_is_its_clips(assemble: Make) -> None:
    clips = [noise(samples, samples) for samples in (400, 5000, 16_000)]
    with pp.open_folder(assemble(SEQUENCE, FRAMEWISE, WEIGHTS, task="transcribe", labels=list(LABELS))) as model:
        for one, clip in zip(model.predict_batch(clips, 16000), clips, strict=True):
            alone = model.predict(clip, 16000)
            assert (one.label, one.symbols) == (alone.label, alone.symbols)


@pytest.mark.parametrize(
    "features",
    [
        [np.zeros((7, MELS))],
        [np.zeros((7, MELS + 1), np.float32)],
        [np.zeros((0, MELS), np.float32)],
        [np.zeros((1, 7, MELS), np.float32)],
        np.zeros((2, 7, MELS), np.float64),
    ],
)
def test_refused_features(assemble: Make, features: Any) -> None:
    folder = assemble(SEQUENCE, FRAMEWISE, WEIGHTS, task="transcribe", labels=list(LABELS))
    with pp.open_folder(folder) as model, pytest.raises(pp.FrontEndError, match=rf"clip 0.*float32 \(any, {MELS}\)"):
        model.scores(features)


def test_unequal_features_of_a_window(draft: Make) -> None:
    with pp.open_folder(draft(edge=["onnx"])) as model:
        with pytest.raises(pp.FrontEndError, match=r"clip 1.*float32 \(49, 40\)"):
            model.scores([np.zeros((49, 40), np.float32), np.zeros((48, 40), np.float32)])
        with pytest.raises(pp.FrontEndError, match="at least one clip"):
            model.scores([])


@pytest.mark.parametrize(
    ("task", "labels", "more", "words"),
    [
        ("transcribe", ["a", "b"], {}, r"for 2 labels; allowed: \(1, any, 3\)"),
        ("classify", ["a", "b"], {}, r"for 2 labels; allowed: \(1, 2\)"),
        ("verify", [], {"enrolment": {}}, r"for 0 labels; allowed: \(1, any\)"),
    ],
)
def test_an_output_that_is_not_the_tasks(
    assemble: Make, task: str, labels: list[str], more: dict[str, Any], words: str
) -> None:
    folder = assemble(SEQUENCE, FRAMEWISE, WEIGHTS, task=task, labels=labels, **more)
    with pp.open_folder(folder) as model, pytest.raises(pp.BackendFailedError, match=words):
        model.scores([np.zeros((7, MELS), np.float32)])


@pytest.fixture
def verifier(assemble: Make) -> Path:
    return assemble(FIXED, MELLOW, PROJECTOR, task="verify", labels=[], enrolment={"nu": 0.1}, threshold=-2.5)


def test_a_vector_to_enrol_with(verifier: Path) -> None:
    with pp.open_folder(verifier) as model:
        vector = model.embed(noise(16_000), 16000)
        assert (vector.shape, vector.dtype) == ((5,), np.float32)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
        np.testing.assert_array_equal(model.scores(model.features(noise(16_000), 16000))[0], vector)
        assert (model.info.threshold, model.info.enrolment) == (-2.5, {"nu": 0.1})


def test_nobody_is_enrolled(verifier: Path) -> None:
    with pp.open_folder(verifier) as model:
        with pytest.raises(pp.EnrolmentError, match="enrol somebody first"):
            model.predict(noise(16_000), 16000)
        with pytest.raises(ValueError, match="enrol somebody first"):
            model.predict_batch([noise(16_000)], 16000)


def test_a_classifier_does_not_embed(draft: Make) -> None:
    with pp.open_folder(draft(edge=["onnx"])) as model, pytest.raises(pp.EnrolmentError, match="task classify"):
        model.embed(noise(16_000), 16000)


def test_a_window_tells_its_own_times(assemble: Make) -> None:
    """Where only the middle second of a clip is heard, its symbols lie there."""
    steps = [{"op": "input", "shape": [49, 40]}, *FRAMEWISE[1:]]
    weights = {"w": RNG.normal(0, 0.2, (40, 4)).astype(np.float32), "b": np.zeros(4, np.float32)}
    folder = assemble(FIXED, steps, weights, task="transcribe", labels=list(LABELS))
    with pp.open_folder(folder) as model:
        symbols = model.predict(noise(48_000), 16000).symbols
    assert symbols[0].start >= 1.0
    assert symbols[-1].end <= 2.0 + 1e-9


def test_onnx_with_free_axes(assemble: Make) -> None:
    """A network with a free batch and time, and one with a batch of one, answer as the plain arrays do."""
    import hashlib

    for batch in ("n", 1):
        folder = assemble(SEQUENCE, FRAMEWISE, WEIGHTS, task="transcribe", labels=list(LABELS))
        with pp.open_folder(folder) as model:
            features = [model.features(noise(samples), 16000)[0] for samples in (700, 9000)]
            expected = model.scores(features)
        write_framewise(folder / "network.onnx", batch)
        content = (folder / "network.onnx").read_bytes()
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["platforms"]["edge"]["variants"][0] |= {
            "backend": "onnx",
            "files": [
                {
                    "name": "network.onnx",
                    "role": "model",
                    "bytes": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
            ],
        }
        (folder / "manifest.json").write_text(json.dumps(manifest))
        with pp.open_folder(folder) as model:
            for one, other in zip(model.scores(features), expected, strict=True):
                np.testing.assert_allclose(one, other, atol=1e-6)
        together = open_session("onnx", folder / "network.onnx", 1).run(np.stack([features[0], features[0]]))
        assert together.shape == (2, len(features[0]), 4)


def write_framewise(path: Path, batch: str | int) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["features", "w"], ["product"]),
            helper.make_node("Add", ["product", "b"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
        ],
        "framewise",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [batch, "time", MELS])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, "time", 4])],
        [numpy_helper.from_array(array, name) for name, array in WEIGHTS.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)
