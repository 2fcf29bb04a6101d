"""Stages that train: they never open the test split, leave a curve and a record, and may say that they do not apply."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from frameworks import params
from frameworks.params import RecipeError
from tasks import records

SKIP = "the network before it will do"


def without_test(prepared: Any, folder: Path) -> Path:
    shutil.copytree(prepared.data, folder)
    (folder / "clips/test.npz").unlink()
    return folder


def test_training_never_opens_the_test_split(prepared: Any, keras: Any, tmp_path: Path, edited: Any) -> None:
    data = without_test(prepared, tmp_path / "data")
    record = prepared.run("train", tmp_path / "train", data=data, params=edited({"train.epochs": 1}))
    assert record.score is not None


def test_nor_does_conversion(trained: Any, tmp_path: Path, edited: Any) -> None:
    data = without_test(trained, tmp_path / "data")
    edge = {"edge": {"variants": [{"backend": "tflite", "precision": "int8"}]}}
    one = edited({"convert.platforms": edge, "gate.platforms": {}})
    trained.run("convert", tmp_path / "convert", data=data, params=one)
    made = tmp_path / "convert/files/edge/keywords-int8.tflite"
    assert made.read_bytes() == (trained.convert / "files/edge/keywords-int8.tflite").read_bytes()


@pytest.mark.parametrize("stage", ["train", "distill", "prune", "quantize"])
def test_a_record_tells_size_and_score(trained: Any, stage: str) -> None:
    record = records.read(trained.folder / stage)
    assert (record.stage, record.model, record.applied) == (stage, "keywords", True)
    assert record.parameters
    assert record.macs
    assert record.bytes == 4 * record.parameters
    assert 0 < (record.compressed_bytes or 0) <= 1.2 * record.bytes
    assert 0 <= (record.score or -1) <= 100


def test_each_stage_leaves_a_smaller_network(trained: Any) -> None:
    sizes = [records.read(trained.folder / stage).parameters or 0 for stage in ("train", "distill", "prune")]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3


@pytest.mark.parametrize(("stage", "phases"), [("train", {"train"}), ("distill", {"distill alone", "distill taught"})])
def test_the_curve_has_a_row_an_epoch(trained: Any, stage: str, phases: set[str]) -> None:
    with open(trained.folder / stage / "curve.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = getattr(params.read(trained.params, "keywords"), stage).epochs
    assert len(rows) == epochs * len(phases)
    assert {row["phase"] for row in rows} == phases
    assert all(float(row["validation_score"]) >= 0 for row in rows)


@pytest.mark.parametrize(("stage", "handed"), [("distill", "train"), ("prune", "distill")])
def test_a_stage_that_does_not_apply_hands_the_network_on(
    trained: Any, tmp_path: Path, edited: Any, tree: Any, stage: str, handed: str
) -> None:
    record = trained.run(stage, tmp_path / stage, params=edited({f"{stage}.skip": SKIP}))
    assert (record.applied, record.reason) == (False, SKIP)
    assert records.read(tmp_path / stage).applied is False
    assert tree(tmp_path / stage / "network") == tree(trained.folder / handed / "network")
    assert (tmp_path / stage / "curve.csv").read_text().startswith("phase,epoch")


def test_without_quantization_float_files_are_made(trained: Any, tmp_path: Path, edited: Any, keras: Any) -> None:
    cloud = {
        "cloud": {
            "variants": [{"backend": "onnx", "precision": "float32"}, {"backend": "tflite", "precision": "float16"}]
        }
    }
    recipe = edited({"quantize.skip": SKIP, "convert.platforms": cloud, "gate.platforms": {}})
    record = trained.run("quantize", tmp_path / "quantize", params=recipe)
    assert (record.applied, record.reason) == (False, SKIP)
    assert json.loads((tmp_path / "quantize/scheme/plan.json").read_text()) == {}
    trained.run("convert", tmp_path / "convert", params=recipe, quantize=tmp_path / "quantize")
    assert {path.name for path in (tmp_path / "convert/files/cloud").iterdir()} == {
        "keywords-float32.onnx",
        "keywords-float16.tflite",
    }


def test_int8_without_quantization_is_refused(edited: Any) -> None:
    """Found at the door, not by a KeyError after the training."""
    with pytest.raises(RecipeError, match=r"quantize.*int8"):
        params.read(edited({"quantize.skip": SKIP}), "keywords")


def test_convert_drafts_a_manifest_the_runtime_reads(trained: Any) -> None:
    import pianissimo as pp

    manifest = pp.manifest.read(trained.convert / "files/manifest.json")
    assert manifest.labels == ("high", "low", "noise", "sweep")
    assert set(manifest.platforms) == {"mcu", "edge", "mobile", "cloud"}
    assert manifest.version is None
    assert {file.role for variant in manifest.platforms["mcu"].variants for file in variant.files} == {
        "model",
        "source",
        "header",
    }
    for platform in manifest.platforms:
        with pp.open_folder(trained.convert / "files", platform=platform) as model:
            assert model.scores(np.zeros((1, 49, 40), np.float32)).shape == (1, 4)


def test_references_are_made_for_every_backend(trained: Any) -> None:
    names = {path.name for path in (trained.convert / "files/reference").iterdir()}
    assert names == {"teacher.tflite", "float.tflite", "teacher.onnx", "float.onnx"}
