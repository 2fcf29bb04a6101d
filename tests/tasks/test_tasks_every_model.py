"""Every other model goes all the way, small: its own corpus, its own networks, every stage, then loaded as a consumer would."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from ruamel.yaml import YAML

import models
from frameworks.recipe import STAGES
from tasks import clips, records

HERE = Path(__file__).parents[1]
SMALL = YAML(typ="safe").load((HERE / "small.yaml").read_text(encoding="utf-8"))
NAMES = [name for name in models.names() if name != "keywords"]  # which goes all the way over tones: the fixture `pipeline`
# Several stages in one process, which imports a training library once; a framework never meets another in it.
ALL = """
import importlib, json, sys
from tasks import command
for stage, arguments in json.loads(sys.argv[1]):
    module = importlib.import_module(f"tasks.{stage}")
    command.main(stage, module.run, arguments, skipped=getattr(module, "skipped", None))
"""


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`corpora("generated_lungs")` is that corpus, made small, once."""
    root = tmp_path_factory.mktemp("corpora")

    def made(name: str) -> Path:
        if not (root / name).is_dir():
            module = importlib.import_module(f"corpora.{name}")
            module.make(root / name, module.Settings.of(SMALL["corpora"][name]))
        return root / name

    return made


@pytest.fixture(scope="module", params=NAMES)
def made(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    corpora: Any,
    keras: Any,
    new_pipeline: Any,
    shell: Any,
) -> Any:
    """A pipeline of each model over its small corpus, prepare to publish."""
    name = request.param
    run = new_pipeline(tmp_path_factory.mktemp(name), name)
    section = SMALL["models"][name]
    run.corpus.symlink_to(corpora(Path(section["prepare"]["corpus"]).name))
    section["publish"] = {"registry": str(run.registry)}
    with run.params.open("w") as file:
        YAML().dump({"models": {name: section}}, file)
    for stages in (
        STAGES[: STAGES.index("validate")],
        STAGES[STAGES.index("validate") :],
    ):  # one thread for what is measured
        commands = [
            (stage, run.command(stage, run.data if stage == "prepare" else run.folder / stage)[3:]) for stage in stages
        ]
        done = shell(sys.executable, "-c", ALL, json.dumps(commands))
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return run


def test_it_passes_its_gate_and_is_published(made: Any) -> None:
    verdict = records.read_json(made.gate / "verdict.json")
    assert verdict["passed"], verdict["platforms"]
    record = records.read(made.publish)
    assert record.applied
    assert record.facts["moved"] == ["candidate", "stable"]


def test_every_platform_gives_its_golden_answers(made: Any) -> None:
    for platform in SMALL["models"][made.model]["convert"]["platforms"]:
        with pp.load(made.model, platform=platform, registry=made.registry) as model:
            assert model.verify().clips >= 1
            assert model.info.fallbacks == ()


def test_it_answers_a_recording_as_its_task_asks(made: Any) -> None:
    """The same clip by every platform: float forms agree with one another, and the answer is one that can be."""
    test = clips.read(made.data, "test")
    prepared = clips.read_prepared(made.data)
    rate = prepared.frontend["sample_rate"]
    for platform in SMALL["models"][made.model]["convert"]["platforms"]:
        with pp.load(made.model, platform=platform, registry=made.registry) as model:
            if model.info.task == "verify":
                vector = model.embed(test.audio[0], rate)
                assert vector.ndim == 1
                assert np.isfinite(vector).all()
                with pytest.raises(pp.EnrolmentError):
                    model.predict(test.audio[0], rate)
            else:
                answer = model.predict(test.audio[0], rate)
                assert set(answer.label.split() if model.info.task == "transcribe" else [answer.label]) <= set(
                    prepared.labels
                )
                assert answer.milliseconds > 0


def test_every_stage_says_what_it_did(made: Any) -> None:
    for stage in ("train", "distill", "prune"):
        record = records.read(made.folder / stage)
        assert record.applied or record.reason, stage
        if record.applied:
            assert record.parameters
            assert record.macs
            assert record.bytes
            assert record.score is not None
