"""The command line all stages share, and the records they leave: whole or not at all, refused in a sentence."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import models
from frameworks import params
from frameworks.recipe import STAGES
from tasks import command, records
from tasks.command import Job
from tasks.records import Record, RecordError


@pytest.fixture
def job(prepared: Any, tmp_path: Path) -> Job:
    return Job("train", models.load("keywords"), params.read(prepared.params, "keywords"), tmp_path / "place/train")


def writing(*names: str) -> Any:
    def run(job: Job) -> Record:
        for name in names:
            (job.dest / name).parent.mkdir(parents=True, exist_ok=True)
            (job.dest / name).write_text(name)
        return job.record(score=1.0)

    return run


def test_every_stage_has_a_command(project: Path) -> None:
    for stage in STAGES:
        module = importlib.import_module(f"tasks.{stage}")
        assert next(iter(inspect.signature(module.run).parameters)) == "job"
        assert inspect.getdoc(module.run)


def test_what_a_stage_made_appears_in_its_place(job: Job) -> None:
    record = command.execute(job, writing("network/weights", "curve.csv"), [], command.hand_on)
    assert {path.name for path in job.dest.iterdir()} == {"network", "curve.csv", "record.json"}
    assert records.read(job.dest) == dataclasses.replace(record, seconds=records.read(job.dest).seconds)
    assert record.seconds > 0
    assert [path.name for path in job.dest.parent.iterdir()] == ["train"]


def test_a_run_that_fails_leaves_the_one_before(job: Job) -> None:
    command.execute(job, writing("network/weights"), [], command.hand_on)

    def broken(job: Job) -> Record:
        (job.dest / "network").mkdir()
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        command.execute(job, broken, [], command.hand_on)
    assert (job.dest / "network/weights").read_text() == "network/weights"
    assert records.read(job.dest).score == 1.0


def test_what_a_killed_run_left_is_not_mistaken_for_a_result(job: Job) -> None:
    leftover = job.dest.with_name(".train.partial") / "network/old"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("half")
    command.execute(job, writing("network/weights"), [], command.hand_on)
    assert [path.name for path in (job.dest / "network").iterdir()] == ["weights"]
    assert not leftover.parent.parent.exists()


def test_a_result_takes_the_place_of_the_one_before(job: Job) -> None:
    command.execute(job, writing("network/old", "plan"), [], command.hand_on)
    command.execute(job, writing("network/new", "plan"), [], command.hand_on)
    assert [path.name for path in (job.dest / "network").iterdir()] == ["new"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["keyword", "{data}", "{dest}", "--params", "{params}"], "no model 'keyword' in models/; there is: genre, keywords"),
        (
            ["keywords", "{data}", "{dest}", "--params", "{dest}/none.yaml"],
            "no such file; run from the project's root or give --params",
        ),
        (["keywords", "{dest}/nowhere", "{dest}", "--params", "{params}"], "is not there; run"),
    ],
)
def test_what_a_user_can_mend_ends_in_a_sentence(
    prepared: Any, keras: Any, tmp_path: Path, arguments: list[str], words: str
) -> None:
    from tasks import train

    filled = [part.format(data=prepared.data, dest=tmp_path / "dest", params=prepared.params) for part in arguments]
    with pytest.raises(SystemExit) as caught:
        command.main("train", train.run, filled)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"train {filled[0]}: ")
    assert not (tmp_path / "dest/network").exists()


def test_a_stage_before_its_sources_says_what_to_run(prepared: Any, keras: Any, tmp_path: Path) -> None:
    from tasks import distill

    arguments = [
        "keywords",
        str(prepared.data),
        str(tmp_path / "train"),
        str(tmp_path / "distill"),
        "--params",
        str(prepared.params),
    ]
    with pytest.raises(SystemExit, match="is not there; run the stage that writes it"):
        command.main("distill", distill.run, arguments)


def test_an_unknown_key_of_a_network_is_named_with_the_known(
    prepared: Any, keras: Any, tmp_path: Path, edited: Any
) -> None:
    """`network` belongs to the model's file; a misspelt key there is the user's to mend like any other."""
    from tasks import train

    arguments = [
        "keywords",
        str(prepared.data),
        str(tmp_path / "train"),
        "--params",
        str(edited({"train.network": {"widht": 8}})),
    ]
    with pytest.raises(SystemExit) as caught:
        command.main("train", train.run, arguments)
    assert "widht" in str(caught.value)
    assert "strides, width" in str(caught.value) or "width, strides" in str(caught.value)


def test_a_fault_of_ours_shows_its_traceback(prepared: Any, tmp_path: Path) -> None:
    def run(job: Job, data: Path) -> Record:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command.main("train", run, ["keywords", str(prepared.data), str(tmp_path), "--params", str(prepared.params)])


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    record = Record("train", "keywords", parameters=12, score=97.25, facts={"why": "ü", "list": [1, 2.5]})
    records.write(tmp_path, record)
    assert records.read(tmp_path) == record
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_a_record_never_holds_what_json_cannot(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        records.write(tmp_path, Record("train", "keywords", score=float("nan")))
    assert not (tmp_path / "record.json").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "is not there; run the stage that writes it"),
        ('{"stage": "train", ', "is not JSON"),
        ("[1]", "holds a list, expected an object"),
        ('{"stage": "train", "model": "keywords", "colour": 1}', "colour"),
        ('{"stage": "train"}', "model"),
    ],
    ids=["absent", "half", "a list", "unknown key", "missing key"],
)
def test_what_is_no_record_is_refused(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "record.json").write_text(text)
    with pytest.raises(RecordError, match=words):
        records.read(tmp_path)


def test_floats_keep_seven_digits(tmp_path: Path) -> None:
    records.write_json(tmp_path / "figures.json", {"share": 1 / 3, "count": 10**12, "deep": [{"ms": 0.000123456789}]})
    assert json.loads((tmp_path / "figures.json").read_text()) == {
        "share": 0.3333333,
        "count": 10**12,
        "deep": [{"ms": 0.0001234568}],
    }
