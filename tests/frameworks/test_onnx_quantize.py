"""ONNX files made smaller: what computes in whole numbers really does, bytes repeat, and answers stay near."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from frameworks import answers, metrics
from frameworks.examples import Examples
from frameworks.formats import onnx as file_format
from frameworks.formats import onnx_files, onnx_quantize, onnx_ranges, onnx_search
from frameworks.recipe import Quantize
from tests.frameworks import onnx_networks

METHODS = sorted(onnx_ranges.METHODS)
# No file loses less than this, so the search goes through every way; the recipe itself would refuse the number.
UNREACHABLE = Quantize.model_construct(skip=None, max_drop=-1e9, aware=None, float_layers=2)
FORMS = {
    "float32": lambda source, calibration, dest: onnx_quantize.float32(source, dest),
    "float16": lambda source, calibration, dest: onnx_quantize.float16(source, dest),
    "dynamic": lambda source, calibration, dest: onnx_quantize.dynamic(source, dest),
    **{
        method: lambda source, calibration, dest, method=method: onnx_quantize.static(
            source, calibration, dest, method=method
        )
        for method in METHODS
    },
}
# Mean |difference| of probabilities; entropy cuts more of noise than of sounds.
APART = {"float32": 1e-6, "float16": 1e-3, "dynamic": 0.01, "minmax": 0.01, "percentile": 0.01, "entropy": 0.03}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("onnx")


@pytest.fixture(scope="module")
def picture(place: Path) -> Path:
    return onnx_networks.picture(place / "picture.onnx")


@pytest.fixture(scope="module")
def pictures(picture: Path) -> Examples:
    return onnx_networks.pictures(picture)


@pytest.fixture(scope="module")
def sequence(place: Path) -> Path:
    return onnx_networks.sequence(place / "sequence.onnx")


@pytest.fixture(scope="module")
def sequences(sequence: Path) -> Examples:
    return onnx_networks.sequences(sequence)


@pytest.fixture(scope="module")
def forced(picture: Path, pictures: Examples) -> onnx_search.Found:
    """A search that nothing satisfies."""
    return onnx_search.search(picture, pictures, metrics.choose("accuracy", pictures.labels), UNREACHABLE)


def really_runs(file: Path) -> Counter[str]:
    """The kinds of kernels ONNX Runtime runs for a file, after all it does to the graph."""
    optimized = file.with_suffix(".optimized")
    onnx_files.session(file, None, optimized)
    return Counter(node.op_type for node in onnx.load(optimized).graph.node)


def weighted_kinds(file: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(file).graph.node if node.op_type in onnx_files.WEIGHTED)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_form_answers_like_its_float(picture: Path, pictures: Examples, tmp_path: Path, form: str) -> None:
    FORMS[form](picture, pictures.calibration.features, tmp_path / "made.onnx")
    features = pictures.validation.features
    before, after = (onnx_quantize.scores(file, features) for file in (picture, tmp_path / "made.onnx"))
    assert answers.distance(before, after)[1] <= APART[form]
    assert after.sum(axis=-1) == pytest.approx(1, abs=1e-3), "what ships answers probabilities"


@pytest.mark.parametrize("form", sorted(FORMS))
def test_clips_of_any_length_go_through(sequence: Path, sequences: Examples, tmp_path: Path, form: str) -> None:
    FORMS[form](sequence, sequences.calibration.features, tmp_path / "made.onnx")
    before, after = (
        onnx_quantize.scores(file, sequences.validation.features) for file in (sequence, tmp_path / "made.onnx")
    )
    assert [answer.shape for answer in after] == [(-(-len(clip) // 2), 5) for clip in sequences.validation.features]
    assert answers.distance(before, after)[1] <= APART[form]


@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_form_is_a_valid_file_and_never_the_larger(
    picture: Path, pictures: Examples, tmp_path: Path, form: str
) -> None:
    made = tmp_path / "made.onnx"
    FORMS[form](picture, pictures.calibration.features, made)
    onnx.checker.check_model(onnx.load(made), full_check=True)
    assert made.stat().st_size < picture.stat().st_size
    assert {port.name for port in onnx.load(made).graph.input} == {"features"}


def test_static_int8_computes_in_whole_numbers(picture: Path, pictures: Examples, tmp_path: Path) -> None:
    """Convolutions, pooling and the dense layer: what ONNX Runtime runs after fusing is integer kernels and no float one."""
    made = tmp_path / "int8.onnx"
    onnx_quantize.static(picture, pictures.calibration.features, made)
    runs = really_runs(made)
    assert runs["QLinearConv"] == 3
    assert runs["QGemm"] == runs["QLinearGlobalAveragePool"] == 1
    assert not set(runs) & {"Conv", "FusedConv", "Gemm", "FusedGemm", "GlobalAveragePool", "BatchNormalization"}


def test_static_int8_of_a_sequence_computes_in_whole_numbers(
    sequence: Path, sequences: Examples, tmp_path: Path
) -> None:
    made = tmp_path / "int8.onnx"
    onnx_quantize.static(sequence, sequences.calibration.features, made)
    runs = really_runs(made)
    assert runs["QLinearConv"] == runs["QLinearMatMul"] == 1
    assert not set(runs) & {"Conv", "FusedConv", "MatMul", "Gemm"}


def test_probabilities_stay_float(picture: Path, pictures: Examples, tmp_path: Path) -> None:
    """Steps of 1/256 would be all that is left of them."""
    onnx_quantize.static(picture, pictures.calibration.features, tmp_path / "int8.onnx")
    last = onnx.load(tmp_path / "int8.onnx").graph.node[-1]
    assert last.op_type == "Softmax"


def test_named_nodes_stay_float_and_no_other(picture: Path, pictures: Examples, tmp_path: Path) -> None:
    kept = onnx_quantize.weighted(picture)[:2]
    onnx_quantize.static(picture, pictures.calibration.features, tmp_path / "mixed.onnx", float_nodes=kept)
    found = file_format.audit(tmp_path / "mixed.onnx")
    assert [layer.name for layer in found.layers if not layer.integer] == kept
    assert really_runs(tmp_path / "mixed.onnx")["QLinearConv"] == 1


def test_weighted_names_every_node_with_weights(picture: Path, sequence: Path) -> None:
    assert onnx_quantize.weighted(picture) == ["conv_2_node", "conv_5_node", "conv_8_node", "gemm_13_node"]
    assert len(onnx_quantize.weighted(sequence)) == 2


@pytest.mark.parametrize(
    ("method", "nodes", "said"),
    [
        ("median", (), "there is: minmax, entropy, percentile"),
        ("minmax", ("conv_99",), "no node conv_99 holds weights; there is: conv_2_node"),
    ],
)
def test_what_is_not_there_is_refused(
    picture: Path, pictures: Examples, tmp_path: Path, method: str, nodes: tuple[str, ...], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        onnx_quantize.static(
            picture, pictures.calibration.features, tmp_path / "no.onnx", float_nodes=nodes, method=method
        )
    assert not (tmp_path / "no.onnx").exists()


def test_a_weight_beyond_half_precision_is_refused(tmp_path: Path) -> None:
    graph = onnx_networks.Graph().node("MatMul")
    graph.nodes[-1].input.append(graph.constant(np.full((16, 4), 70_000, np.float32)))
    source = graph.write(tmp_path / "large.onnx", ["n", 16], ["n", 4])
    with pytest.raises(ValueError, match="holds 70000; float16 ends at 65504"):
        onnx_quantize.float16(source, tmp_path / "half.onnx")


def test_an_epsilon_is_no_weight(tmp_path: Path) -> None:
    """In half precision it would be zero, and 0 / 0 no number."""
    graph = onnx_networks.Graph()
    graph.node("MatMul", graph.weight(8, 4)).node("Mul", graph.constant(np.float32([0] * 4)))
    graph.node("Abs").node("Add", graph.constant(np.float32(1e-9))).node("Log")
    source = graph.write(tmp_path / "log.onnx", ["n", 8], ["n", 4])
    onnx_quantize.float16(source, tmp_path / "half.onnx")
    assert np.isfinite(onnx_quantize.scores(tmp_path / "half.onnx", np.ones((1, 8), np.float32))).all()


def test_a_silent_first_clip_does_not_spoil_the_ranges(picture: Path, pictures: Examples, tmp_path: Path) -> None:
    calibration = np.concatenate([np.zeros((1, *onnx_networks.SHAPE), np.float32), pictures.calibration.features])
    features = pictures.validation.features
    before = onnx_quantize.scores(picture, features)
    for method in METHODS:
        onnx_quantize.static(picture, calibration, tmp_path / "made.onnx", method=method)
        assert answers.distance(before, onnx_quantize.scores(tmp_path / "made.onnx", features))[1] <= APART[method]


def test_nothing_is_said(picture: Path, pictures: Examples, tmp_path: Path, capfd: Any, caplog: Any) -> None:
    for make in FORMS.values():
        make(picture, pictures.calibration.features, tmp_path / "made.onnx")
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert sorted(file.name for file in tmp_path.iterdir()) == ["made.onnx"]


def test_two_processes_write_the_same_bytes(picture: Path, pictures: Examples, tmp_path: Path, project: Path) -> None:
    """Also where Python hashes names otherwise: ONNX Runtime's tools go through sets."""
    np.save(tmp_path / "calibration.npy", pictures.calibration.features)
    code = (
        "import sys, hashlib, numpy as np\nfrom pathlib import Path\nfrom frameworks.formats import onnx_quantize as q\n"
        "source, data, made = map(Path, sys.argv[1:])\n"
        "for method in ('minmax', 'entropy', 'percentile'):\n"
        "    q.static(source, np.load(data), made, method=method); print(hashlib.sha256(made.read_bytes()).hexdigest())\n"
        "for make in (q.dynamic, q.float16, q.float32):\n"
        "    make(source, made); print(hashlib.sha256(made.read_bytes()).hexdigest())\n"
    )
    said = []
    for number in ("1", "2"):
        command = [sys.executable, "-c", code, str(picture), str(tmp_path / "calibration.npy"), str(tmp_path / number)]
        environment = {**os.environ, "PYTHONPATH": str(project), "PYTHONHASHSEED": number}
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=True)
        said.append(done.stdout.split())
    assert said[0] == said[1]
    assert len(set(said[0])) == 6


def test_names_and_histories_are_left_out(place: Path, picture: Path, pictures: Examples, tmp_path: Path) -> None:
    told = onnx.load(picture)
    told.doc_string = told.graph.doc_string = "made at home"
    told.graph.node[2].doc_string = "by hand"
    told.metadata_props.add(key="when", value="today")
    onnx.save(told, tmp_path / "told.onnx")
    for source, dest in ((picture, "plain"), (tmp_path / "told.onnx", "from_told")):
        onnx_quantize.static(source, pictures.calibration.features, tmp_path / dest)
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "from_told").read_bytes()
    assert b"a_rather_long_name" not in (tmp_path / "plain").read_bytes()


def test_within_the_limit_the_nearest_way_to_calibrate_is_taken(picture: Path, pictures: Examples) -> None:
    metric = metrics.choose("accuracy", pictures.labels)
    found = onnx_search.search(picture, pictures, metric, Quantize(max_drop=10.0))
    assert [attempt.method for attempt in found.attempts] == ["minmax", "entropy", "percentile"]
    assert found.chosen == min(found.attempts, key=lambda attempt: attempt.distance)
    assert "within max_drop 10" in found.why


def test_over_the_limit_the_costliest_nodes_stay_float(forced: onnx_search.Found, picture: Path) -> None:
    ranked = [row["layer"] for row in forced.layers]
    assert sorted(ranked) == sorted(onnx_quantize.weighted(picture))
    assert [row["distance_without"] for row in forced.layers] == sorted(
        row["distance_without"] for row in forced.layers
    )
    assert [attempt.float_layers for attempt in forced.attempts[3:]] == [tuple(ranked[:1]), tuple(ranked[:2])]
    assert forced.chosen == min(forced.attempts, key=lambda attempt: (attempt.drop, attempt.distance))
    assert "the best of all attempts; none was within max_drop" in forced.why


def test_one_node_is_always_left_to_int8(sequence: Path, sequences: Examples) -> None:
    metric = metrics.choose("phoneme_error_rate", sequences.labels)
    found = onnx_search.search(sequence, sequences, metric, UNREACHABLE)
    assert max(len(attempt.float_layers) for attempt in found.attempts) == 1


def test_an_attempt_is_made_again_as_it_was_judged(
    forced: onnx_search.Found, picture: Path, pictures: Examples, tmp_path: Path
) -> None:
    made = tmp_path / "again.onnx"
    onnx_search.make(picture, forced.chosen, pictures.calibration.features, made)
    assert made.stat().st_size == forced.chosen.bytes
    held = pictures.validation
    scores = onnx_quantize.scores(made, held.features)
    assert metrics.choose("accuracy").measure(held.labels, scores) == forced.chosen.score
    assert file_format.audit(made).problems("int8", forced.chosen.float_layers) == []
    assert forced.chosen.milliseconds > 0
