"""The audit reads what is really in a file, whatever its name says, and refuses what is no model file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from frameworks.formats import onnx, tflite
from frameworks.proof import AUDITS

Made = Callable[..., Path]
PRECISIONS = ["float32", "float16", "int8"]
FILES = {"float32": ("cloud", 1), "float16": ("mobile", 1), "int8": ("edge", 0)}


@pytest.mark.parametrize("inside", PRECISIONS)
@pytest.mark.parametrize("said", PRECISIONS)
def test_a_file_is_what_it_says_or_is_named(made: Made, inside: str, said: str) -> None:
    problems = tflite.audit(made(*FILES[inside])).problems(said)
    assert bool(problems) == (inside != said), problems
    if inside != said:
        assert any(f"a {said} file holds {inside} weights (" in problem for problem in problems)


@pytest.mark.parametrize("inside", ["float32", "float16"])
def test_an_int8_file_with_float_weights_is_rejected_in_those_words(made: Made, inside: str) -> None:
    assert tflite.audit(made(*FILES[inside])).problems("int8")[0].startswith("an int8 file computes in float: ")


def test_int8_weights_alone_do_not_make_an_int8_file(small: Any, tmp_path: Path) -> None:
    """What Keras calls dynamic range: weights in int8, arithmetic in float."""
    import tensorflow as tf

    from frameworks.formats.chatter import quiet

    converter = tf.lite.TFLiteConverter.from_keras_model(small)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with quiet():
        (tmp_path / "dynamic.tflite").write_bytes(converter.convert())
    assert tflite.audit(tmp_path / "dynamic.tflite").problems("int8")[0].startswith("an int8 file computes in float: ")


def test_a_micro_file_is_int8_at_its_doors_too(made: Made) -> None:
    assert tflite.audit(made("mcu")).problems("int8", micro=True) == []
    (problem,) = tflite.audit(made("edge")).problems("int8", micro=True)
    assert problem == "a micro file takes ('float32',) and answers ('float32',); both must be int8"


def test_weights_are_counted_in_bytes(made: Made, small: Any, keras: Any) -> None:
    full, half, whole = (tflite.audit(made(*FILES[name])).weights for name in PRECISIONS)
    assert full["float32"] == pytest.approx(keras.size(small).bytes, rel=0.02)
    assert half["float16"] == pytest.approx(full["float32"] / 2, rel=0.02)
    assert whole["int8"] < full["float32"] / 3


def test_layers_are_those_with_weights(made: Made, small: Any) -> None:
    weighted = [layer.name for layer in small.layers if layer.weights and "norm" not in layer.name]
    found = tflite.layers(made("edge"))
    assert len(found) == len(weighted)
    assert all(any(name in tensor for tensor in found) for name in weighted)


def test_an_onnx_file_is_audited_alike(made: Made) -> None:
    found = onnx.audit(made("cloud"))
    assert found.problems("float32") == []
    assert (
        found.problems("int8")[0].startswith("a int8 file holds float32 weights")
        or "int8 file" in found.problems("int8")[0]
    )
    assert found.problems("float32", micro=True) == ["a micro platform takes TFLite files, not ONNX"]
    assert {"Conv", "Softmax"} <= set(found.operators)


def test_every_backend_has_an_audit() -> None:
    from pianissimo.backends import BACKENDS

    assert set(AUDITS) == set(BACKENDS)


@pytest.mark.parametrize("backend", sorted(AUDITS))
@pytest.mark.parametrize("damage", ["empty", "text", "the other format", "first half", "identifier alone"])
def test_a_file_that_is_no_model_is_refused(made: Made, tmp_path: Path, backend: str, damage: str) -> None:
    own, other = made("cloud", 0 if backend == "onnx" else 1), made("cloud", 1 if backend == "onnx" else 0)
    content = {
        "empty": b"",
        "text": b"not a model at all\n" * 40,
        "the other format": other.read_bytes(),
        "first half": own.read_bytes()[: own.stat().st_size // 2],
        "identifier alone": own.read_bytes()[:8],
    }[damage]
    file = tmp_path / f"damaged.{backend}"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=f"damaged.{backend}: not a"):
        AUDITS[backend](file)
