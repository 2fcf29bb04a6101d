"""Settings of one model tried beside the project: the best are found on validation, and nothing of the project changes."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from frameworks.recipe import STAGES

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]


@pytest.fixture
def tried(done: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Any, list[Any]]]:
    """`tried({"prune.channels": [0.2]})` sweeps keywords; answers the flow's state and what became of each trial."""
    from flows import process
    from flows.trials import FOLDER, sweep
    from tasks import front

    monkeypatch.setenv("TINY", str(done.folder))
    run = process.run

    async def timed(command: list[str], seconds: float) -> tuple[int, list[str]]:
        """Tiny's files cannot be loaded, so that their race is run for them; the first is the slowest."""
        if "tasks.race" not in command:
            return await run(command, seconds)
        folders = sorted(one for one in Path(command[3]).iterdir() if one.is_dir())
        taken = {one.name: {"edge int8": 1.0 / (1 + int(one.name))} for one in folders}
        (Path(command[3]) / "race.json").write_text(json.dumps(taken))
        return 0, []

    monkeypatch.setattr(process, "run", timed)

    def ended(*arguments: Any) -> tuple[Any, list[Any]]:
        state = asyncio.run(sweep("keywords", *arguments, return_state=True))
        folder = FOLDER / "keywords"
        return state, front.read(folder) if (folder / front.FACTS).is_file() else []

    return ended


def contents(folder: Path) -> dict[str, bytes]:
    """What a sweep must leave alone: all of the project but its own folders, DVC's and git's."""
    own = ("build", ".git", ".dvc", "artifacts/sweep", "runs.txt")
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {
        place: file.read_bytes() for file in files if not (place := file.relative_to(folder).as_posix()).startswith(own)
    }


@pytest.mark.usefixtures("harness", "both_known")
def test_a_sweep_ends_with_the_front_and_changes_nothing(done: Any, tried: Any) -> None:
    done.fault("prune@keywords.0.7", "the third layer is not there")
    done.change("keywords.gate.platforms.edge.floor", 87.0)
    before = contents(done.folder)
    state, trials = tried(
        {"train.epochs": [3, 4], "prune.channels": [0.2]}, [{"prune.channels": 0.7}, {"prune.channels": 0.9}]
    )
    assert state.is_completed(), state.message
    assert "3 of 5 trials passed" in state.message
    assert [one.state for one in trials] == ["passed", "passed", "passed", "failed", "rejected"]
    assert "the third layer is not there" in trials[3].why
    assert trials[4].why == "edge: int8: 86.40 %, wanted 87 %"
    assert [(form.score, form.bytes, form.ms) for form in trials[2].forms] == [(89.2, 8, pytest.approx(1 / 3))]
    page = (done.folder / "artifacts/sweep/keywords/index.html").read_text()
    assert "dvc exp run -S models.keywords.train.epochs=4 -S models.keywords.prune.channels=0.2 gate@keywords" in page
    assert contents(done.folder) == before

    # What trials have in common was made once (two were measured alike, so that one gate did for both), what the project had
    # made not at all, and nothing was published.
    runs = [run for run in done.runs() if run.endswith("@keywords")]
    counts = {stage: runs.count(f"{stage}@keywords") for stage in STAGES}
    assert counts == {
        "prepare": 0, "train": 2, "distill": 2, "prune": 4, "quantize": 3, "convert": 3, "validate": 4, "gate": 3, "publish": 0,
    }  # fmt: skip
    # They were scored on validation, and the project was on test.
    places = [done.folder, *(done.folder / "build/sweep").glob("[0-9]")]
    heard = [
        json.loads((one / "artifacts/keywords/validate/record.json").read_text())["facts"]["heard"] for one in places
    ]
    assert heard == ["test", *["validation"] * (len(places) - 1)]
    assert len(places) > 1
    # Taken over, only what looks at test is left to do.
    done.change("keywords.train", {"epochs": 4})
    done.change("keywords.prune", {"channels": 0.2})
    done.dvc("repro", "gate@keywords")
    assert done.runs()[len(done.runs()) - 2 :] == ["validate@keywords", "gate@keywords"]
    assert len([run for run in done.runs() if run.endswith("@keywords")]) == len(runs) + 2


@pytest.mark.usefixtures("harness", "both_known")
def test_a_sweep_of_which_nothing_passes_fails(done: Any, tried: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import trials
    from tasks import front

    async def rejected(*_: Any) -> list[Any]:
        return [front.Trial(0, {}, "rejected", "too large"), front.Trial(1, {"seed": 2}, "failed", "no disk")]

    monkeypatch.setattr(trials, "_tried", rejected)
    state, found = tried({"seed": [2]})
    assert state.is_failed()
    assert "0 of 2 trials passed" in state.message
    assert [one.why for one in found] == ["too large", "no disk"]


def test_a_sweep_that_was_killed_goes_on(
    done: Any, pulse: Callable[..., Any], python: Callable[..., subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINY", str(done.folder))
    words = ("-m", "flows.sweep", "keywords", "-S", "prune.channels=0.2", "--at-once", "1")
    quantizing = pulse(done, "quantize@keywords")
    process = python(*words)
    assert quantizing.begun(120)
    process.kill()
    assert quantizing.ended()
    quantizing.release()
    runs = done.runs()
    process = python(*words)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    again = [run for run in done.runs()[len(runs) :] if run.endswith("@keywords")]
    assert again == [f"{stage}@keywords" for stage in ("quantize", "convert", "validate", "gate")]
    assert "take 1 over: dvc exp run -S models.keywords.prune.channels=0.2 gate@keywords" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-S", "prune.chanels=0.2"], "models.keywords.prune.chanels: unknown key; allowed here: attempts, augment"),
        (["-S", "prune.channels=0.2,7"], "models.keywords.prune.channels: 7: Input should be less than 0.95"),
        (["-S", "distill.network.depht=3"], "the student has no setting depht; it takes: "),
        (["-S", "gate.platforms.edge.floor=1"], "a sweep changes what is made; allowed: seed, prepare, train"),
        (["-S", "seed.first=1"], "models.keywords.seed.first: seed holds no settings"),
        (["-S", "prune.channels"], "prune.channels: no values to try"),
        (["-S", "prune.channels=[0.1"], "is not KEY=VALUE,VALUE,… with values as in YAML"),
        (["-T", "prune.channels=0.1,0.2"], "one value in a combination"),
        (["-S", "seed=" + ",".join(map(str, range(300)))], "300 trials; at most 200 in one sweep"),
        ([], "nothing to try"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(
    fresh: Any, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows import sweep

    assert sweep.main(["keywords", *words]) == 2
    assert said in capsys.readouterr().err
    assert fresh.runs() == []
    assert not Path("build").exists()


def test_settings_are_typed_and_each_is_tried_once(fresh: Any) -> None:
    from flows import settings

    grid = settings.grid(["models.keywords.prune.channels=0.2,0.0", "train.balance=true"])
    assert settings.trials(
        "keywords", grid, [{"prune.channels": 0.2, "train.balance": True}, {"prune.channels": 0.0}]
    ) == [
        {},
        {"prune.channels": 0.2, "train.balance": True},
        {"prune.channels": 0.0, "train.balance": True},
    ]


def test_only_validate_is_shown_validation_for_test(project: Path, tmp_path: Path) -> None:
    """In the real dvc.yaml."""
    from ruamel.yaml import YAML

    from flows import trial

    file = tmp_path / "dvc.yaml"
    file.write_text((project / "dvc.yaml").read_text())
    trial._hold_test_back(file)
    yaml = YAML(typ="safe")
    before, after = (yaml.load((place / "dvc.yaml").read_text())["stages"] for place in (project, tmp_path))
    assert {name for name in after if after[name] != before.get(name)} == {"validate", "held"}
    own = after["validate"]["do"]
    assert "${item.prepare.corpus} held/${key} artifacts/${key}/train" in own["cmd"]
    assert "held/${key}/clips" in own["deps"]
    assert "data/${key}" not in str(own)
