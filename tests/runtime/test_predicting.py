"""Answers are the network's, the same for every form of a model, one clip or many, one thread or eight."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pianissimo as pp
import pytest
from pianissimo.backends.shapes import fitted
from pianissimo.backends.tflite import Port

Make = Callable[..., Path]
ALL = ["float", "int8", "baked", "onnx", "half", "single"]


def tone(hertz: float, rate: int = 16000) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)).astype(np.float32)


@pytest.mark.parametrize("variant", ALL)
def test_an_answer(draft: Make, variant: str) -> None:
    with pp.open_folder(draft(edge=[variant])) as model:
        answer = model.predict(tone(300), 16000)
        scores = model.scores(model.features(tone(300), 16000))
    assert list(answer.scores) == ["low", "middle", "high"]
    assert answer.label == max(answer.scores, key=answer.scores.__getitem__)
    assert answer.score == answer.scores[answer.label]
    assert sum(answer.scores.values()) == pytest.approx(1, abs=0.02)
    assert list(answer.scores.values()) == scores[0].tolist()
    assert answer.milliseconds > 0


@pytest.mark.parametrize("variant", ALL)
def test_a_batch_is_its_clips(draft: Make, variant: str) -> None:
    """More clips than one batch holds, through models with a free and with a fixed batch: within 1e-6."""
    clips = [tone(100 + 50 * number) for number in range(35)]
    with pp.open_folder(draft(edge=[variant])) as model:
        together = model.predict_batch(clips, 16000)
        alone = [model.predict(clip, 16000) for clip in clips]
        assert model.predict_batch([], 16000) == []
    tolerance = 1e-3 if variant == "half" else 1e-6
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(list(one.scores.values()), list(other.scores.values()), atol=tolerance)


def test_a_free_batch_agrees_with_a_bare_interpreter(networks: Path, draft: Make) -> None:
    """The file with a free batch through the runtime, the one with a fixed batch called directly: within 1e-6."""
    from ai_edge_litert.interpreter import Interpreter

    reference = Interpreter(str(networks / "baked.tflite"))
    reference.allocate_tensors()
    with pp.open_folder(draft(edge=["float"])) as model:
        features = model.features(tone(700), 16000)
        reference.set_tensor(reference.get_input_details()[0]["index"], features[..., None])
        reference.invoke()
        expected = reference.get_tensor(reference.get_output_details()[0]["index"])
        np.testing.assert_allclose(model.scores(features), expected, atol=1e-6)


def test_int8_stays_near_its_float_form(draft: Make) -> None:
    """Int8 in and out, dequantized: within 0.05 of a probability."""
    folder = draft(edge=["float", "int8"])
    with pp.open_folder(folder, variant="float") as exact, pp.open_folder(folder, variant="int8") as coarse:
        for hertz in (200, 900, 3000):
            features = exact.features(tone(hertz), 16000)
            np.testing.assert_allclose(coarse.scores(features), exact.scores(features), atol=0.05)


def test_rounding_is_tflites() -> None:
    port = Port(0, np.dtype(np.int8), scale=0.5, zero=3)
    values = np.array([0.25, -0.25, 0.75, -0.75, 0.2, 100, -100], np.float32)
    assert port.encode(values).tolist() == [4, 2, 5, 1, 3, 127, -128]
    nearly = np.nextafter(np.array([0.25, 0.75, 1.25, 20.25], np.float32), np.float32(0))
    assert port.encode(nearly).tolist() == [3, 4, 5, 43]
    np.testing.assert_array_equal(port.decode(np.array([5, 1], np.int8)), np.array([1, -1], np.float32))


def test_int8_ends_are_the_quantize_operators(draft: Make) -> None:
    """The runtime's own steps at both ends against TFLite's operators in a file with float ends: equal."""
    folder = draft(edge=["int8", "inner"])
    with pp.open_folder(folder, variant="int8") as ours, pp.open_folder(folder, variant="inner") as theirs:
        features = np.random.default_rng(1).normal(0, 2, (64, 49, 40)).astype(np.float32)
        np.testing.assert_array_equal(ours.scores(features), theirs.scores(features))


@pytest.mark.parametrize(
    ("shape", "declared", "expected"),
    [
        ((2, 49, 40), [None, 49, 40], (2, 49, 40)),
        ((2, 49, 40), [1, 49, 40, 1], (2, 49, 40, 1)),
        ((2, 49, 40), [None, 1, 49, 40], (2, 1, 49, 40)),
        ((2, 49, 40), [None, None, 40, 1], (2, 49, 40, 1)),
        ((2, 49, 40), [None, 1960], (2, 1960)),
        ((2, 49, 40), [None, None, None], (2, 49, 40)),
    ],
)
def test_features_fit(shape: tuple[int, ...], declared: list[int | None], expected: tuple[int, ...]) -> None:
    assert fitted(np.zeros(shape, np.float32), declared).shape == expected


@pytest.mark.parametrize("declared", [[None, 40, 40], [1, 49, 41, 1], [None, None, None, None]])
def test_features_do_not_fit(declared: list[int | None]) -> None:
    with pytest.raises(ValueError, match="features of shape"):
        fitted(np.zeros((2, 49, 40), np.float32), declared)


@pytest.mark.parametrize(
    ("audio", "rate"),
    [
        (np.zeros(16000, np.float32), 16000),
        (np.ones(16000, np.float32), 16000),
        (np.stack([tone(440), tone(880)], axis=1), 16000),
        ((tone(440) * 2**23).astype(np.int32) << 8, 16000),
        (tone(440, 44100), 44100),
        (tone(440)[:1000], 16000),
    ],
    ids=["silence", "clipped", "stereo", "24-bit", "44.1 kHz", "short"],
)
def test_legal_audio(draft: Make, audio: np.ndarray, rate: int) -> None:
    with pp.open_folder(draft(edge=["int8"])) as model:
        assert model.features(audio, rate).shape == (1, 49, 40)
        assert np.isfinite(model.predict(audio, rate).score)


@pytest.mark.parametrize(
    "audio",
    [
        np.zeros(0, np.float32),
        np.full(16000, np.nan, np.float32),
        np.full(16000, np.inf),
        np.zeros(2, np.float32),
        np.zeros(600 * 16000, np.float32),
    ],
    ids=["empty", "nan", "infinite", "two samples", "ten minutes"],
)
def test_refused_audio(draft: Make, audio: np.ndarray) -> None:
    with pp.open_folder(draft(edge=["onnx"])) as model:
        with pytest.raises(pp.AudioError, match="allowed:"):
            model.predict(audio, 16000)
        with pytest.raises(pp.AudioError, match="clip 1: "):
            model.predict_batch([tone(440), audio], 16000)


@pytest.mark.parametrize(
    "features",
    [
        np.zeros((1, 49, 40)),
        np.zeros((49, 40), np.float32),
        np.zeros((1, 40, 49), np.float32),
        np.zeros((0, 49, 40), np.float32),
    ],
)
def test_refused_features(draft: Make, features: np.ndarray) -> None:
    with pp.open_folder(draft(edge=["onnx"])) as model, pytest.raises(pp.FrontEndError, match=r"float32 \(n, 49, 40\)"):
        model.scores(features)


def test_a_network_that_answers_nonsense(draft: Make) -> None:
    with pp.open_folder(draft(edge=["onnx"])) as model, pytest.raises(pp.BackendFailedError, match="NaN or infinite"):
        model.scores(np.full((1, 49, 40), np.nan, np.float32))


def test_labels_that_do_not_match_the_network(draft: Make) -> None:
    folder = draft(edge=["onnx"])
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "labels": ["a", "b"]}))
    with pp.open_folder(folder) as model, pytest.raises(pp.BackendFailedError, match="for 2 labels"):
        model.predict(tone(440), 16000)


@pytest.mark.parametrize("variant", ["float", "int8", "onnx"])
def test_eight_threads_answer_as_one(draft: Make, variant: str) -> None:
    clips = [tone(100 + 37 * number) for number in range(50)]
    with pp.open_folder(draft(edge=[variant])) as model:
        serial = [model.predict(clip, 16000).scores for clip in clips]
        with ThreadPoolExecutor(8) as pool:
            runs = [pool.submit(lambda: [model.predict(clip, 16000).scores for clip in clips]) for _ in range(8)]
        assert all(run.result() == serial for run in runs)


@pytest.mark.parametrize("variant", ["int8", "onnx"])
def test_closed(draft: Make, variant: str) -> None:
    model = pp.open_folder(draft(edge=[variant]))
    model.close()
    model.close()
    with pytest.raises(pp.BackendFailedError, match="closed"):
        model.predict(tone(440), 16000)


def test_only_the_middle_of_a_long_clip_is_heard(draft: Make) -> None:
    """One second is heard: a tone and then two seconds of silence are the same as silence."""
    silence = np.zeros(48000, np.float32)
    ends, middle = silence.copy(), silence.copy()
    ends[:16000], middle[16000:32000] = tone(300), tone(300)
    with pp.open_folder(draft(edge=["onnx"])) as model:
        np.testing.assert_array_equal(model.features(ends, 16000), model.features(silence[:16000], 16000))
        np.testing.assert_array_equal(model.features(middle, 16000), model.features(tone(300), 16000))
