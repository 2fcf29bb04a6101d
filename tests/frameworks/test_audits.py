"""The audit reads what is really in a file, whatever its name says, and refuses what is no model file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx as model_format
import pytest
from pianissimo.backends.arrays import write as write_arrays

from frameworks.formats import arrays, onnx, onnx_quantize, tflite
from frameworks.proof import AUDITS
from tests.frameworks import onnx_networks

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
    assert found.problems("int8")[0].startswith("an int8 file holds float32 weights: ")
    assert found.problems("float32", micro=True) == ["a micro platform takes TFLite files, not ONNX"]
    assert {"Conv", "Softmax"} <= set(found.operators)


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """`brought("int8")` is a small ONNX network in that form."""
    place = tmp_path_factory.mktemp("audited")
    source = onnx_networks.picture(place / "source.onnx")
    heard = onnx_networks.pictures(source).calibration.features
    onnx_quantize.float32(source, place / "float32")
    onnx_quantize.float16(source, place / "float16")
    onnx_quantize.static(source, heard, place / "int8")
    onnx_quantize.dynamic(source, place / "dynamic")
    onnx_quantize.static(source, heard, place / "mixed", float_nodes=["conv_2_node", "gemm_13_node"])
    _weights_alone(place / "int8", place / "weights alone")
    return lambda form: place / form


def _weights_alone(int8: Path, dest: Path) -> None:
    """int8 weights, and every activation in float: the file is small, and computes as before."""
    model = model_format.load(int8)
    constants = {tensor.name for tensor in model.graph.initializer}
    fed = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "QuantizeLinear"}
    through = {
        node.output[0]: fed[node.input[0]]
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] not in constants
    }
    kept = [node for node in model.graph.node if not {*node.output} & ({*fed} | {*through})]
    for node in kept:
        for at, name in enumerate(node.input):
            while name in through:
                name = through[name]
            node.input[at] = name
    del model.graph.node[:]
    model.graph.node.extend(kept)
    model_format.checker.check_model(model)
    model_format.save(model, dest)


@pytest.mark.parametrize("inside", PRECISIONS)
@pytest.mark.parametrize("said", PRECISIONS)
def test_an_onnx_file_is_what_it_says_or_is_named(brought: Made, inside: str, said: str) -> None:
    problems = onnx.audit(brought(inside)).problems(said)
    assert bool(problems) == (inside != said), problems
    if inside != said:
        assert any(f"{said} file holds {inside} weights" in problem for problem in problems)


def test_an_int8_onnx_file_with_float_weights_is_rejected_in_those_words(brought: Made) -> None:
    (problem,) = onnx.audit(brought("mixed")).problems("int8")
    size = 4 * (16 * 4 * 9 + 16 * 4)
    assert problem == f"an int8 file holds float32 weights: conv_2_node, gemm_13_node ({size:,} bytes)"


def test_layers_that_may_be_float_are_those_named_and_no_other(brought: Made) -> None:
    found = onnx.audit(brought("mixed"))
    assert found.problems("int8", ("conv_2_node", "gemm_13_node")) == []
    assert found.problems("int8", ("conv_2_node",))[0].startswith("an int8 file holds float32 weights: gemm_13_node (")


def test_weights_that_change_their_type_on_the_way_are_what_is_stored(brought: Made) -> None:
    """float16 is cast to float32 when the file is opened; what counts is what a consumer downloads."""
    found = onnx.audit(brought("float16"))
    assert {kind for layer in found.layers for kind in layer.weights} == {"float16"}


def test_int8_weights_alone_do_not_make_an_int8_onnx_file(brought: Made) -> None:
    found = onnx.audit(brought("weights alone"))
    assert {kind for layer in found.layers for kind in layer.weights} == {"int8"}
    assert found.problems("int8") == [
        "an int8 file computes in float: conv_2_node, conv_5_node, conv_8_node, gemm_13_node"
    ]


def test_a_dynamic_file_is_an_int8_file(brought: Made) -> None:
    found = onnx.audit(brought("dynamic"))
    assert found.problems("int8") == []
    assert {"ConvInteger", "MatMulInteger"} <= set(found.operators)
    assert all(layer.integer for layer in found.layers)


def test_a_float_constant_inside_a_node_counts(tmp_path: Path) -> None:
    """An initializer made a Constant node is a weight still."""
    model = model_format.load(onnx_networks.picture(tmp_path / "plain.onnx"))
    before = onnx.audit(tmp_path / "plain.onnx")
    for tensor in model.graph.initializer:
        node = model_format.helper.make_node("Constant", [], [tensor.name], value=tensor)
        model.graph.node.insert(0, node)
    del model.graph.initializer[:]
    model_format.save(model, tmp_path / "constants.onnx")
    after = onnx.audit(tmp_path / "constants.onnx")
    assert after.weights == before.weights
    assert after.layers == before.layers


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    model = model_format.load(onnx_networks.picture(tmp_path / "plain.onnx"))
    model_format.save(model, tmp_path / "apart.onnx", save_as_external_data=True, location="weights", size_threshold=64)
    with pytest.raises(ValueError, match="weights are in other files; allowed: one file that holds all"):
        onnx.audit(tmp_path / "apart.onnx")


@pytest.fixture
def plain(tmp_path: Path) -> Callable[[str], Path]:
    """`plain("float16")` is a network of plain arrays of that type; "mixed" has a bias in float32."""

    def write(inside: str) -> Path:
        rng = np.random.default_rng(0)
        kind = "float16" if inside == "mixed" else inside
        held = {
            "w": rng.normal(size=(12, 4)).astype(kind),
            "b": rng.normal(size=4).astype("f4" if inside == "mixed" else kind),
        }
        steps = [{"op": "input", "shape": [3, 4]}, {"op": "flatten"},
                 {"op": "dense", "arrays": {"weight": "w", "bias": "b"}}, {"op": "softmax"}]  # fmt: skip
        write_arrays(tmp_path / f"{inside}.npz", steps, held)
        return tmp_path / f"{inside}.npz"

    return write


@pytest.mark.parametrize("inside", ["float32", "float16"])
@pytest.mark.parametrize("said", ["float32", "float16"])
def test_arrays_are_what_they_say_or_are_named(plain: Made, inside: str, said: str) -> None:
    found = arrays.audit(plain(inside))
    assert found.operators == {"flatten": 1, "dense": 1, "softmax": 1}
    assert found.weights == {inside: 52 * np.dtype(inside).itemsize}
    assert bool(found.problems(said)) == (inside != said)


def test_an_array_of_another_type_is_named(plain: Made) -> None:
    assert arrays.audit(plain("mixed")).problems("float16") == ["a float16 file holds float32 weights (16 bytes)"]


def test_arrays_are_never_int8_nor_for_a_microcontroller(plain: Made) -> None:
    found = arrays.audit(plain("float32"))
    assert found.problems("int8") == ["numpy files are float32 or float16, not int8"]
    assert found.problems("float32", micro=True) == ["a micro platform takes TFLite files, not arrays"]


def test_every_backend_has_an_audit() -> None:
    from pianissimo.backends import BACKENDS

    assert set(AUDITS) == set(BACKENDS)


@pytest.mark.parametrize("backend", sorted(AUDITS))
@pytest.mark.parametrize("damage", ["empty", "text", "another format", "first half", "identifier alone"])
def test_a_file_that_is_no_model_is_refused(made: Made, plain: Made, tmp_path: Path, backend: str, damage: str) -> None:
    whole = {"onnx": made("cloud", 0), "tflite": made("cloud", 1), "numpy": plain("float32")}
    own = whole[backend].read_bytes()
    content = {
        "empty": b"",
        "text": b"not a model at all\n" * 40,
        "another format": next(file for name, file in whole.items() if name != backend).read_bytes(),
        "first half": own[: len(own) // 2],
        "identifier alone": own[:8],
    }[damage]
    file = tmp_path / f"damaged.{backend}"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=f"damaged.{backend}: not a"):
        AUDITS[backend](file)
