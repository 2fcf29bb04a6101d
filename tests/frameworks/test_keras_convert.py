"""Files from networks: parity with Keras, the same bytes every time, and forms that are not made are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from frameworks.examples import Examples
from frameworks.formats import tflite
from frameworks.proof.ladder import EXACT, HALF


@pytest.mark.parametrize(
    ("backend", "precision", "tolerance"),
    [("tflite", "float32", EXACT), ("onnx", "float32", EXACT), ("tflite", "float16", HALF)],
)
@pytest.mark.parametrize("which", ["teacher", "small"])
def test_a_float_file_answers_as_keras_does(
    keras: Any,
    examples: Examples,
    convert: Callable[..., Path],
    answer: Any,
    request: pytest.FixtureRequest,
    which: str,
    backend: str,
    precision: str,
    tolerance: float,
) -> None:
    network, features = request.getfixturevalue(which), examples.validation.features
    scores = answer(convert(network, backend, precision), features)
    assert np.abs(scores - keras.predict(network, features)).max() <= tolerance


@pytest.mark.parametrize(
    ("precision", "micro"), [("float32", False), ("float16", False), ("int8", False), ("int8", True)]
)
def test_the_same_network_makes_the_same_bytes(
    small: Any, convert: Callable[..., Path], precision: str, micro: bool
) -> None:
    files = [convert(small, "tflite", precision, micro=micro, name=name).read_bytes() for name in ("one", "two")]
    assert files[0] == files[1]


@pytest.mark.parametrize("micro", [False, True])
def test_an_int8_file_keeps_nearly_every_label(
    keras: Any, small: Any, examples: Examples, convert: Callable[..., Path], answer: Any, micro: bool
) -> None:
    """On 40 clips of a network of a minute's training: at most two change. The real figure is measured on FSDD."""
    file, features = convert(small, "tflite", "int8", micro=micro), examples.validation.features
    scores, expected = answer(file, features), keras.predict(small, features)
    assert np.sum(scores.argmax(axis=1) != expected.argmax(axis=1)) <= 2
    assert np.abs(scores - expected).mean() < 0.02


def test_only_a_micro_file_is_int8_at_both_ends(small: Any, convert: Callable[..., Path]) -> None:
    edge, micro = (tflite.audit(convert(small, "tflite", "int8", micro=micro)) for micro in (False, True))
    assert (edge.inputs, edge.outputs) == (("float32",), ("float32",))
    assert (micro.inputs, micro.outputs) == (("int8",), ("int8",))
    assert edge.floats == micro.floats == ()


def test_an_onnx_file_takes_any_number_of_clips(
    small: Any, examples: Examples, convert: Callable[..., Path], answer: Any
) -> None:
    file, features = convert(small, "onnx", "float32"), examples.validation.features[:7]
    one_by_one = np.concatenate([answer(file, clip[None]) for clip in features])
    assert np.abs(answer(file, features) - one_by_one).max() < 1e-6


@pytest.mark.parametrize("precision", ["int8", "float16"])
def test_a_form_that_is_not_made_names_those_that_are(small: Any, convert: Callable[..., Path], precision: str) -> None:
    with pytest.raises(
        ValueError,
        match=f"no conversion to onnx {precision}; it has: tflite float32, tflite float16, tflite int8, onnx float32",
    ):
        convert(small, "onnx", precision)


def test_conversion_is_silent(small: Any, convert: Callable[..., Path], capfd: pytest.CaptureFixture[str]) -> None:
    convert(small, "tflite", "int8")
    assert capfd.readouterr().err == ""
