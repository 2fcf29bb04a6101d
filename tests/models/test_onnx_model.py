"""A model that comes as an ONNX file builds no network, so its file need not say how; any other must."""

from __future__ import annotations

from pathlib import Path

import pytest

import models
from models import ModelError

BARE = 'FRAMEWORK = "{}"\nTASK = "classify"\nMETRIC = "accuracy"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One more folder of models, as far as Python can tell."""
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path)])
    return tmp_path


def test_three_words_make_a_model_that_is_brought(folder: Path) -> None:
    (folder / "brought_whole.py").write_text(BARE.format("onnx"), encoding="utf-8")
    model = models.load("brought_whole")
    assert (model.framework, model.task, model.metric) == ("onnx", "classify", "accuracy")


def test_it_still_says_what_it_is(folder: Path) -> None:
    (folder / "brought_half.py").write_text('FRAMEWORK = "onnx"\nTASK = "classify"\n', encoding="utf-8")
    with pytest.raises(ModelError, match=r"lacks METRIC; a model file declares FRAMEWORK, TASK, METRIC$"):
        models.load("brought_half")


@pytest.mark.parametrize("framework", ["keras", "torch", "sklearn"])
def test_one_that_is_trained_builds_its_networks(folder: Path, framework: str) -> None:
    name = f"trained_{framework}"
    (folder / f"{name}.py").write_text(BARE.format(framework), encoding="utf-8")
    with pytest.raises(ModelError, match=r"lacks teacher, student; a model file declares .*teacher, student$"):
        models.load(name)
