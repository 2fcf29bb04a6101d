"""Two workers in clones of their own, one of them lost half-way: one dvc.lock, as of one machine, and nothing made twice."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows import locks
from frameworks.recipe import STAGES
from tests.flows import far

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
MODELS = ("keywords", "genre")
EVERY = ["corpus@tones", "runtime@wheel", *(f"{stage}@{model}" for model in MODELS for stage in STAGES)]


@pytest.fixture
def coordinator(fresh: Any, project: Path, storage: str, tmp_path: Path) -> Any:
    """The project as committed, with a remote and a registry that all see, and the test in its folder."""
    far.publish_to(fresh, MODELS, tmp_path / "registry")
    far.commit(fresh, project, storage)
    return fresh


@pytest.fixture
def registered(harness: str, project: Path) -> None:
    """What `make schedule` does."""
    env = {**os.environ, "PREFECT_API_URL": harness}
    subprocess.run([sys.executable, "-m", "flows.schedule"], cwd=project, env=env, check=True, capture_output=True)


def alone(tiny: Any, folder: Path) -> dict[str, Any]:
    """The dvc.lock of one machine, which makes everything itself."""
    far.git(tiny.folder, "clone", "--quiet", str(tiny.folder), str(folder))
    type(tiny)(folder).dvc("repro", "--quiet")
    return locks.read(folder / "dvc.lock")


def ended(*arguments: Any) -> Any:
    from flows.far import many_machines

    return asyncio.run(many_machines(*arguments, return_state=True))


def test_one_lock_and_nothing_twice_though_a_worker_is_lost(
    coordinator: Any,
    registered: None,
    harness: str,
    project: Path,
    tmp_path: Path,
    pulse: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIANISSIMO_BEAT", "2")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(project), str(project / "runtime/src")]))
    for name in ("doomed", "other"):
        far.git(coordinator.folder, "clone", "--quiet", str(coordinator.folder), str(tmp_path / name))
    # Whichever model the one worker takes, it gets as far as pruning.
    training = {model: pulse(type(coordinator)(tmp_path / "doomed"), f"prune@{model}") for model in MODELS}
    with far.machines(tmp_path, ("doomed", "other"), project, harness) as (doomed, other):
        taken = list[str]()

        def lose() -> None:
            deadline = time.monotonic() + far.PATIENCE
            while not taken and time.monotonic() < deadline:
                taken.extend(model for model in training if training[model].begun(0.2))
            doomed.lose()

        losing = threading.Thread(target=lose)
        losing.start()
        state = ended(list(MODELS))
        losing.join()
        assert state.message == "2 of 2 models passed, 2 of them had something to do"
        (lost,) = taken
        assert training[lost].ended(), "what a lost worker ran goes with it"
        runs = Counter(doomed.runs() + other.runs())
        assert runs == Counter(EVERY) + Counter([f"prune@{lost}"]), "only what was under way was begun again"
        assert doomed.runs()[-1] == f"prune@{lost}"
        assert coordinator.runs() == []
        assert locks.read() == alone(coordinator, tmp_path / "alone")
        assert (tmp_path / "registry/models" / lost / "versions/1/manifest.json").is_file()
        assert Path("artifacts/report/index.html").is_file()

        # Nothing changed, and the data lies elsewhere: there is nothing to give out.
        assert ended(list(MODELS)).message == "2 of 2 models passed, 0 of them had something to do"
        assert sum(map(len, (doomed.runs(), other.runs()))) == sum(runs.values())
