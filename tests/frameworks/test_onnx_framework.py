"""A model that comes as an ONNX file: refused with both sides named where it does not fit, else shipped in every form."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest

import frameworks
from frameworks import FrameworkError, NotApplicableError, answers
from frameworks.examples import Examples, Part
from frameworks.formats import onnx as file_format
from frameworks.formats import onnx_quantize
from frameworks.recipe import Aware, Distill, Prune, Quantize, Train, Variant
from models import Model
from tests.frameworks import onnx_networks

framework = frameworks.choose("onnx")
MODEL = Model("brought", SimpleNamespace(FRAMEWORK="onnx", TASK="classify", METRIC="accuracy"))  # type: ignore[arg-type]


def train(file: Path | str | None, examples: Examples) -> Any:
    recipe = Train.model_validate({} if file is None else {"import": str(file)})
    return framework.train(MODEL, examples, recipe)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("brought")


@pytest.fixture(scope="module")
def picture(place: Path) -> Path:
    return onnx_networks.picture(place / "picture.onnx")


@pytest.fixture(scope="module")
def pictures(picture: Path) -> Examples:
    return onnx_networks.pictures(picture)


@pytest.fixture(scope="module")
def network(picture: Path, pictures: Examples) -> Any:
    return train(picture, pictures).network


@pytest.fixture(scope="module")
def sequence(place: Path) -> Path:
    return onnx_networks.sequence(place / "sequence.onnx")


@pytest.fixture(scope="module")
def sequences(sequence: Path) -> Examples:
    return onnx_networks.sequences(sequence)


@pytest.mark.parametrize("ends_in", ["probabilities", "logits", "log-probabilities"])
def test_whatever_it_ends_in_probabilities_ship(
    picture: Path, pictures: Examples, tmp_path: Path, ends_in: str
) -> None:
    brought = train(onnx_networks.picture(tmp_path / "net.onnx", ends_in=ends_in), pictures)
    assert brought.facts["ends_in"] == ("probabilities" if ends_in == "probabilities" else "logits")
    features = pictures.validation.features
    scores = framework.predict(brought.network, features)
    assert np.abs(scores - onnx_quantize.scores(picture, features)).max() < 1e-6


def test_it_says_what_was_brought(picture: Path, pictures: Examples) -> None:
    found = train(picture, pictures)
    assert found.facts == {
        "imported": str(picture),
        "takes": [*onnx_networks.SHAPE],
        "ends_in": "probabilities",
        "labels": list(onnx_networks.LABELS),
    }
    assert found.curve == []


def test_normalisation_is_folded_and_no_answer_moves(picture: Path, pictures: Examples, network: Any) -> None:
    with network.as_file() as file:
        assert "BatchNormalization" not in file_format.audit(file).operators
    features = pictures.validation.features
    assert np.abs(framework.predict(network, features) - onnx_quantize.scores(picture, features)).max() < 1e-6


def test_clips_of_any_length(sequence: Path, sequences: Examples) -> None:
    found = train(sequence, sequences)
    given = framework.predict(found.network, sequences.validation.features)
    assert [row.shape for row in given] == [(-(-len(clip) // 2), 5) for clip in sequences.validation.features]
    assert found.network.shape == (47, 12), "the clip of median length"
    assert found.facts["takes"] == ["any", 12]


def test_weights_in_a_file_beside_it_are_taken_in(
    picture: Path, pictures: Examples, network: Any, tmp_path: Path
) -> None:
    apart = tmp_path / "apart.onnx"
    onnx.save(onnx.load(picture), apart, save_as_external_data=True, location="weights.bin", size_threshold=64)
    assert train(apart, pictures).network == network
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(FrameworkError, match=r"apart\.onnx: not a valid ONNX file"):
        train(apart, pictures)


def test_an_old_file_is_brought_up_to_date(pictures: Examples, tmp_path: Path) -> None:
    graph = onnx_networks.Graph()
    graph.node("Flatten").node("Gemm", graph.weight(24 * 16, 4), graph.weight(4)).node("Softmax", axis=1)
    old = onnx.load(graph.write(tmp_path / "old.onnx", ["n", 24, 16], ["n", 4], opset=11))
    for tensor in old.graph.initializer:  # as files were written when weights were inputs with a value
        old.graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    onnx.save(old, tmp_path / "old.onnx")
    made = train(tmp_path / "old.onnx", pictures).network
    features = pictures.validation.features
    before = onnx_quantize.scores(graph.write(tmp_path / "same.onnx", ["n", 24, 16], ["n", 4], opset=11), features)
    assert np.abs(framework.predict(made, features) - before).max() < 1e-6
    framework.convert(made, {"method": "minmax", "float_layers": []}, Variant(backend="onnx", precision="int8"), pictures,
                      tmp_path / "int8.onnx")  # fmt: skip
    assert file_format.audit(tmp_path / "int8.onnx").problems("int8") == []


def test_a_model_without_an_import_is_refused(pictures: Examples) -> None:
    with pytest.raises(
        FrameworkError, match=r"models/brought\.py says framework onnx, .* say train: \{import: FILE.onnx\}"
    ):
        train(None, pictures)


@pytest.mark.parametrize(("name", "said"), [("absent.onnx", "absent.onnx is not there; allowed: an ONNX file"),
                                            ("network.h5", r"network.h5 ends in \.h5; allowed: an ONNX file"),
                                            ("text.onnx", "text.onnx: not a"), ("half.onnx", "half.onnx: not a")])  # fmt: skip
def test_what_is_no_onnx_file_is_refused(
    picture: Path, pictures: Examples, tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "network.h5").write_bytes(b"no")
    (tmp_path / "text.onnx").write_bytes(b"not a model at all\n" * 40)
    (tmp_path / "half.onnx").write_bytes(picture.read_bytes()[: picture.stat().st_size // 2])
    with pytest.raises(FrameworkError, match=said):
        train(tmp_path / name, pictures)


def _two_outputs(model: Any) -> None:
    model.graph.output.append(onnx.helper.make_tensor_value_info("relu_4", onnx.TensorProto.FLOAT, ["n", 16, 12, 4]))


def _int_input(model: Any) -> None:
    model.graph.node.insert(0, onnx.helper.make_node("Cast", ["whole"], ["features"], to=onnx.TensorProto.FLOAT))
    del model.graph.input[:]
    model.graph.input.append(onnx.helper.make_tensor_value_info("whole", onnx.TensorProto.INT64, ["n", 24, 16]))


def _eight(model: Any) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 8


def _unknown(model: Any) -> None:
    model.graph.node[3].op_type, model.graph.node[3].domain = "Magic", "nowhere"
    model.opset_import.append(onnx.helper.make_opsetid("nowhere", 1))


def _nan(model: Any) -> None:
    bias = model.graph.initializer[-1]
    bias.CopyFrom(onnx.numpy_helper.from_array(np.full(4, np.nan, np.float32), bias.name))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_two_outputs, r"1 inputs \(features\) and 2 outputs \(softmax_14, relu_4\); one of each is allowed"),
        (_int_input, "whole is int64; allowed: float"),
        (_eight, "a batch of 8; allowed: 1, or a free one"),
        (_unknown, "ONNX Runtime does not open it"),
        (_nan, "answers NaN or infinity"),
    ],
)
def test_what_cannot_be_taken_is_said(
    picture: Path, pictures: Examples, tmp_path: Path, change: Callable[[Any], None], said: str
) -> None:
    model = onnx.load(picture)
    change(model)
    onnx.save(model, tmp_path / "changed.onnx")
    with pytest.raises(FrameworkError, match=said):
        train(tmp_path / "changed.onnx", pictures)


def test_features_that_do_not_fit_are_named_beside_what_is_taken(picture: Path, pictures: Examples) -> None:
    part = Part(pictures.train.features[:, :20], pictures.train.labels)
    with pytest.raises(FrameworkError, match=r"takes features of shape \(24, 16\); the front end gives \(20, 16\)"):
        train(picture, dataclasses.replace(pictures, calibration=part))


def test_lengths_that_differ_do_not_fit_a_fixed_input(picture: Path, sequences: Examples) -> None:
    with pytest.raises(FrameworkError, match=r"takes features of shape \(24, 16\); the front end gives \(40, 12\)"):
        train(picture, sequences)


def test_labels_that_do_not_fit_are_named_beside_the_answer(
    picture: Path, pictures: Examples, sequence: Path, sequences: Examples
) -> None:
    with pytest.raises(
        FrameworkError, match=r"answers \(4,\) a clip; .* the corpus has 5 labels: one, two, three, four, five"
    ):
        train(picture, dataclasses.replace(pictures, labels=(*pictures.labels, "five")))
    with pytest.raises(FrameworkError, match=r"answers \(20, 5\) a clip; transcribe wants \(frames, labels \+ 1\)"):
        train(sequence, dataclasses.replace(sequences, labels=sequences.labels[:-1]))
    with pytest.raises(FrameworkError, match=r"answers \(20, 5\) a clip; classify wants \(labels\)"):
        train(sequence, dataclasses.replace(sequences, task="classify"))


def test_a_quantized_file_is_no_float_teacher(picture: Path, pictures: Examples, tmp_path: Path) -> None:
    onnx_quantize.static(picture, pictures.calibration.features, tmp_path / "int8.onnx")
    with pytest.raises(FrameworkError, match=r"int8.onnx is no float network: a float32 file holds int8 weights"):
        train(tmp_path / "int8.onnx", pictures)


def test_a_file_with_halved_weights_is_a_float_teacher(picture: Path, pictures: Examples, tmp_path: Path) -> None:
    onnx_quantize.float16(picture, tmp_path / "half.onnx")
    scores = framework.predict(train(tmp_path / "half.onnx", pictures).network, pictures.validation.features)
    assert np.abs(scores - onnx_quantize.scores(picture, pictures.validation.features)).max() < 5e-3


def test_what_would_need_training_is_skipped_with_the_reason(network: Any, pictures: Examples) -> None:
    reason = "cannot be trained here; bring the Keras or PyTorch network"
    with pytest.raises(NotApplicableError, match=reason):
        framework.distill(MODEL, network, pictures, Distill())
    with pytest.raises(NotApplicableError, match=reason):
        framework.prune(network, pictures, Prune())


def test_quantize_decides_and_says_why(network: Any, pictures: Examples) -> None:
    scheme = framework.quantize(network, pictures, Quantize(max_drop=10.0, aware=Aware(epochs=1, learning_rate=0.1)))
    assert scheme.networks == {"network": network}
    assert set(scheme.plan) == {"int8"}
    assert scheme.plan["int8"]["method"] == scheme.facts["method"]
    assert {attempt["method"] for attempt in scheme.facts["attempts"]} == {"minmax", "entropy", "percentile"}
    assert "within max_drop 10" in scheme.facts["why"]
    assert "cannot be trained here" in scheme.facts["aware"]


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_every_form_is_what_it_says(network: Any, pictures: Examples, tmp_path: Path, precision: str) -> None:
    target = {"method": "percentile", "network": "network", "float_layers": []} if precision == "int8" else {}
    file = tmp_path / "deep" / f"{precision}.onnx"
    framework.convert(network, target, Variant(backend="onnx", precision=precision), pictures, file)
    assert file_format.audit(file).problems(precision) == []
    features = pictures.validation.features
    given = onnx_quantize.scores(file, features)
    assert answers.agreement("classify", framework.predict(network, features), given) >= 95


@pytest.mark.parametrize(("backend", "precision", "micro"), [("tflite", "int8", False), ("numpy", "float32", False),
                                                             ("onnx", "int8", True)])  # fmt: skip
def test_other_forms_are_refused_with_those_there_are(
    network: Any, pictures: Examples, tmp_path: Path, backend: str, precision: str, micro: bool
) -> None:
    with pytest.raises(FrameworkError, match="allowed: onnx float32, onnx float16, onnx int8"):
        framework.convert(
            network, {}, Variant(backend=backend, precision=precision), pictures, tmp_path / "no", micro=micro
        )


def test_a_network_is_the_same_after_it_was_saved(network: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        framework.save(network, tmp_path / name)
    assert framework.load(tmp_path / "one") == network
    files = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)
    shutil.rmtree(tmp_path / "one")
    with pytest.raises(FileNotFoundError, match=r"no network\.onnx here; run the stage before this one"):
        framework.load(tmp_path / "one")


def test_size_is_counted_by_hand(network: Any) -> None:
    """Stem 3 x 3 x 4 to 16 at 12 x 4 places, depthwise 3 x 3 and pointwise 16 to 16 at as many, 16 to 4 once."""
    found = framework.size(network)
    kernels = 16 * 4 * 9 + 16 * 9 + 16 * 16
    assert found.parameters == kernels + 3 * 16 + 16 * 4 + 4, "a folded normalisation leaves one bias a channel"
    assert found.macs == kernels * 12 * 4 + 16 * 4
    assert found.bytes == 4 * found.parameters > found.compressed_bytes


def test_size_of_a_sequence_is_of_a_typical_clip(sequence: Path, sequences: Examples) -> None:
    found = framework.size(train(sequence, sequences).network)
    assert found.parameters == 16 * 12 * 5 + 16 * 5 + 5
    assert found.macs == (16 * 12 * 5 + 16 * 5) * 24, "47 frames make 24"


def test_one_call_answers_like_many(network: Any, pictures: Examples) -> None:
    framework.one_thread()
    framework.seed(1)
    call = framework.caller(network)
    one = pictures.validation.features[:1]
    assert np.abs(call(one) - framework.predict(network, one)).max() < 1e-6
    assert framework.settings(network) == {}
