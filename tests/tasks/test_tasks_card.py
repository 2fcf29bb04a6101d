"""The model card of a version lies beside its manifest, and a hub's own reader finds in it what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tasks import card


@pytest.fixture
def version(pipeline: Any) -> Path:
    return Path(pipeline.registry / "models/keywords/versions/1")


def test_a_hub_reads_the_measured_figures_from_it(version: Path) -> None:
    from huggingface_hub import ModelCard

    read = ModelCard((version / "README.md").read_text(encoding="utf-8"))
    manifest = json.loads((version / "manifest.json").read_text())
    assert read.data.library_name == "pianissimo"
    assert read.data.pipeline_tag == "audio-classification"
    measured = {
        f"{platform} {form}": figures["score"]
        for platform, known in manifest["platforms"].items()
        for form, figures in known["figures"].items()
    }
    assert {one.metric_name: one.metric_value for one in read.data.eval_results} == measured
    assert {one.metric_type for one in read.data.eval_results} == {"accuracy"}
    assert {one.dataset_name for one in read.data.eval_results} == {"tones"}


def test_a_person_reads_how_to_use_it_and_what_it_was_made_of(version: Path) -> None:
    text = (version / "README.md").read_text(encoding="utf-8")
    assert 'pp.load("keywords", platform="mcu", version=1)' in text
    assert "- corpus licence: CC0-1.0" in text
    assert "high, low, noise, sweep" in text


def test_what_the_gate_rejected_is_told(version: Path) -> None:
    manifest = json.loads((version / "manifest.json").read_text())
    manifest["rejected"] = {"mobile": ["tflite-int8: 60,000 bytes, allowed 1,000"]}
    assert "Not published for `mobile`: tflite-int8: 60,000 bytes, allowed 1,000." in card.text(manifest, "accuracy")


def test_what_a_threshold_decides_is_told(version: Path) -> None:
    manifest = json.loads((version / "manifest.json").read_text())
    assert "threshold" not in card.text(manifest, "accuracy")
    manifest["platforms"]["mcu"]["figures"]["tflite-int8"].update(false_accepts=10.28, false_rejects=9.37)
    words = "`mcu` tflite-int8 at its own threshold lets in 10.3 % of strangers and keeps out 9.4 % of rightful attempts"
    assert words in card.text(manifest, "eer")


@pytest.mark.parametrize(("task", "words"), [("transcribe", "phoneme-recognition"), ("verify", "speaker-verification")])
def test_every_task_has_its_words(version: Path, task: str, words: str) -> None:
    manifest = json.loads((version / "manifest.json").read_text())
    text = card.text(manifest | {"task": task}, "eer")
    assert words in text


def test_a_version_that_lost_its_card_gets_it_again(pipeline: Any, tmp_path: Path, edited: Any) -> None:
    """As after a kill between the manifest and the card."""
    first = pipeline.run("publish", tmp_path / "publish", params=edited({}))
    file = tmp_path / "registry/models/keywords/versions/1/README.md"
    text = file.read_text()
    file.unlink()
    again = pipeline.run("publish", tmp_path / "publish", params=edited({}))
    assert (first.facts["new"], again.facts["new"]) == (True, False)
    assert file.read_text() == text
