"""ONNX files: what torch answers, within a tolerance a precision, in the types they claim, the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from pianissimo.backends import open_session

from frameworks import FrameworkError
from frameworks.examples import Examples
from frameworks.formats import onnx_quantize
from frameworks.formats.onnx import audit
from frameworks.recipe import Variant
from frameworks.torch.build import build

PLAN = {"method": "minmax", "network": "network", "float_layers": []}
FAR = {"float32": 1e-5, "float16": 5e-3, "int8": 0.15}


@pytest.fixture
def convert(framework: Any, pictures: Examples, tmp_path: Path) -> Callable[..., Path]:
    """`convert(network, "int8")` gives the file."""

    def make(network: Any, precision: str, examples: Examples = pictures, name: str = "model", **plan: Any) -> Path:
        file = tmp_path / "made" / f"{name}-{precision}.onnx"
        variant = Variant(backend="onnx", precision=precision)  # type: ignore[arg-type]
        framework.convert(network, {**PLAN, **plan}, variant, examples, file)
        return file

    return make


def answers(file: Path, features: np.ndarray) -> np.ndarray:
    session = open_session("onnx", file, 1)
    try:
        return np.asarray(session.run(features))
    finally:
        session.close()


@pytest.mark.parametrize("precision", FAR)
def test_a_file_answers_as_torch_does(
    framework: Any, trained: Any, pictures: Examples, convert: Callable[..., Path], precision: str
) -> None:
    features = pictures.validation.features
    found, expected = (
        answers(convert(trained.network, precision), features),
        framework.predict(trained.network, features),
    )
    assert np.abs(found - expected).max() < FAR[precision]
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=0.02)


@pytest.mark.parametrize("precision", FAR)
def test_a_file_is_what_it_says_and_the_same_twice(trained: Any, convert: Callable[..., Path], precision: str) -> None:
    first, second = (convert(trained.network, precision, name=name) for name in ("one", "two"))
    assert audit(first).problems(precision) == []
    assert first.read_bytes() == second.read_bytes()


def test_ports_have_names_and_take_any_number_of_clips(
    trained: Any, pictures: Examples, convert: Callable[..., Path]
) -> None:
    file = convert(trained.network, "float32")
    graph = onnx.load(file).graph
    assert [port.name for port in (*graph.input, *graph.output)] == ["features", "scores"]
    features = pictures.validation.features[:7]
    one_by_one = np.concatenate([answers(file, clip[None]) for clip in features])
    np.testing.assert_allclose(answers(file, features), one_by_one, atol=1e-6)


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_time_is_free_where_clips_differ(
    framework: Any, transcriber: Any, phrases: Examples, convert: Callable[..., Path], precision: str
) -> None:
    network = build(transcriber, "teacher", phrases, {})
    file = convert(network, precision, phrases)
    expected = framework.predict(network, phrases.validation.features)
    for clip, wanted in zip(phrases.validation.features, expected, strict=True):
        found = answers(file, clip[None])[0]
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).max() < FAR[precision]


def test_a_node_that_stays_float_is_known_to_the_audit(trained: Any, convert: Callable[..., Path]) -> None:
    kept = onnx_quantize.weighted(convert(trained.network, "float32"))[-2]
    small = convert(trained.network, "int8")
    mixed = convert(trained.network, "int8", name="mixed", float_layers=[kept])
    assert small.stat().st_size < mixed.stat().st_size
    assert kept in "".join(audit(mixed).problems("int8"))
    assert audit(mixed).problems("int8", (kept,)) == []


@pytest.mark.parametrize(("backend", "precision", "micro"), [("tflite", "int8", True), ("onnx", "int8", True)])
def test_a_form_that_is_not_made_names_those_that_are(
    framework: Any, trained: Any, pictures: Examples, tmp_path: Path, backend: Any, precision: Any, micro: bool
) -> None:
    variant = Variant(backend=backend, precision=precision)
    with pytest.raises(FrameworkError, match="it has: onnx float32, onnx float16, onnx int8"):
        framework.convert(trained.network, PLAN, variant, pictures, tmp_path / "x", micro=micro)


def test_conversion_is_silent(trained: Any, convert: Callable[..., Path], capfd: pytest.CaptureFixture[str]) -> None:
    convert(trained.network, "int8")
    assert capfd.readouterr() == ("", "")
