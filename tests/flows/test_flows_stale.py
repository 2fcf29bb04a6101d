"""What there is to do is asked of DVC and of the registry, and what is missing is told before anything starts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from corpora import CorpusError
from flows import stale
from frameworks.params import RecipeError
from frameworks.recipe import STAGES
from models import ModelError

KEYWORDS = [f"{stage}@keywords" for stage in STAGES]
SIRENS = [f"{stage}@sirens" for stage in STAGES]


def test_everything_is_stale_at_first(fresh: Any) -> None:
    assert stale.stale() == {"corpus@tones", "runtime", *KEYWORDS, *SIRENS}


def test_nothing_is_stale_after_a_run(done: Any) -> None:
    assert stale.stale() == set()
    assert done.runs() == []


def test_a_changed_number_is_its_stage_and_model_alone(done: Any) -> None:
    done.change("sirens.gate.platforms.edge.floor", 70.0)
    assert stale.stale() == {"gate@sirens"}


def test_a_deleted_result_is_stale(done: Any) -> None:
    (done.folder / "artifacts/keywords/train/record.json").unlink()
    assert "train@keywords" in stale.stale()
    assert not stale.stale() & set(SIRENS)


def test_a_changed_corpus_makes_its_models_busy(done: Any) -> None:
    """DVC itself finds a model stale only once its corpus was made anew: the run that does so must go on to the model."""
    file = done.folder / "params.yaml"
    tree = json.loads(file.read_text())
    tree["corpora"]["tones"]["seed"] = 12345
    file.write_text(json.dumps(tree))
    names = ["keywords"]
    assert stale.busy(names, stale.needed(names)) == (names, ["corpus@tones"])


@pytest.fixture
def begun(done: Any, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The project with dvc.yaml's own `brought`; sirens begins with the network in `begun.start`, which lies outside."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(project), str(project / "runtime/src")]))
    done.start = tmp_path / "elsewhere"
    done.start.mkdir()
    (done.start / "weights.safetensors").write_text("before")
    stages = json.loads((done.folder / "dvc.yaml").read_text())
    real = YAML(typ="safe").load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    stages["stages"]["brought"] = real["brought"]
    for stage in ("train", "distill"):
        own = [dep for dep in real[stage]["do"]["deps"] if "brought" in dep]
        assert len(own) == 1
        stages["stages"][stage]["do"]["deps"] += own
    (done.folder / "dvc.yaml").write_text(json.dumps(stages))
    done.change("sirens.train.start", str(done.start))
    done.dvc("repro", "--quiet")
    (done.folder / "runs.txt").unlink()
    return done


def test_a_network_from_elsewhere_is_its_stage_alone_once_it_changed(begun: Any) -> None:
    assert stale.stale() == set()
    (begun.start / "weights.safetensors").write_text("after")
    begun.dvc("repro", "--quiet", "train@sirens", "train@keywords")  # by DVC alone
    assert begun.runs() == ["train@sirens"]
    shutil.rmtree(begun.start)
    assert stale.stale() == {"train@sirens"}, "that it is gone is for the stage to tell"


def test_what_dvc_cannot_read_is_told_in_its_words(fresh: Any) -> None:
    (fresh.folder / "dvc.yaml").write_text("stages: [")
    with pytest.raises(stale.StatusError, match=r"dvc status ended with status \d+:\n.*dvc\.yaml"):
        stale.stale()


def test_a_run_beside_another_is_told_so(done: Any, pulse: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stale.time, "sleep", lambda _seconds: None)
    done.change("keywords.train", {"epochs": 3})
    training = pulse(done, "train@keywords")
    command = [sys.executable, "-m", "dvc", "repro", "--quiet", "--single-item", "train@keywords"]
    with subprocess.Popen(command):
        try:
            assert training.begun()
            told = r"(?s)blocked by.*train@keywords.*another run is at work in this folder"
            with pytest.raises(stale.StatusError, match=told):
                stale.stale()
        finally:
            training.release()


def test_targets_are_the_stages_in_order() -> None:
    assert stale.targets("keywords") == KEYWORDS


def test_a_generated_corpus_is_made_before_the_models_that_share_it(fresh: Any, both_known: None) -> None:
    assert stale.needed(["keywords", "sirens"]) == ["runtime", "corpus@tones"]


def test_a_corpus_that_has_to_be_brought_names_the_command(fresh: Any, both_known: None) -> None:
    (fresh.folder / "corpora").mkdir()
    (fresh.folder / "corpora/voices.py").touch()
    fresh.change("sirens.prepare.corpus", "data/corpora/voices")
    with pytest.raises(CorpusError, match=r"sirens wants a corpus.*python -m corpora\.voices --from FOLDER") as caught:
        stale.needed(["keywords", "sirens"])
    assert caught.value.place == "data/corpora/voices"


def test_a_corpus_that_was_brought_is_used(fresh: Any) -> None:
    fresh.change("keywords.prepare.corpus", "data/corpora/voices")
    (fresh.folder / "data/corpora/voices").mkdir(parents=True)
    (fresh.folder / "data/corpora/voices/labels.csv").touch()
    assert stale.needed(["keywords"]) == ["runtime"]


def test_a_folder_of_ones_own_is_used_or_described(fresh: Any, tmp_path: Path) -> None:
    fresh.change("keywords.prepare.corpus", str(tmp_path / "mine"))
    with pytest.raises(CorpusError, match=r"mine: keywords wants.*allowed: a folder with labels\.csv"):
        stale.needed(["keywords"])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/labels.csv").touch()
    assert stale.needed(["keywords"]) == ["runtime"]


def test_params_without_generated_corpora(fresh: Any, tmp_path: Path) -> None:
    file = fresh.folder / "params.yaml"
    tree = json.loads(file.read_text())
    del tree["corpora"]
    file.write_text(json.dumps(tree))
    with pytest.raises(CorpusError, match=r"data/corpora/tones: .*a folder with labels\.csv"):
        stale.needed(["keywords"])


def test_names_and_recipes_are_checked_before_anything_starts(fresh: Any) -> None:
    with pytest.raises(ModelError, match="no model 'nothing'"):
        stale.needed(["nothing"])
    fresh.change("keywords.gate.platforms.edge.floor", 101.0)
    with pytest.raises(RecipeError, match=r"models\.keywords\.gate\.platforms\.edge\.floor"):
        stale.needed(["keywords"])


def test_published_means_that_the_registry_has_it(done: Any) -> None:
    assert stale.is_published("keywords")
    shutil.rmtree(done.folder / "artifacts/registry")
    assert not stale.is_published("keywords")


def test_never_published_is_not_published(fresh: Any) -> None:
    assert not stale.is_published("keywords")


@pytest.mark.parametrize(
    "facts",
    [{}, {"version": 3, "registry": "s3://bucket/models"}],
    ids=["nothing passed", "a bucket is not asked"],
)
def test_nothing_is_missing(tmp_path: Path, facts: dict[str, Any]) -> None:
    record = tmp_path / "artifacts/keywords/publish/record.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"facts": facts}))
    assert stale.is_published("keywords", tmp_path)
