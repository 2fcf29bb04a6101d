"""A machine that would make something else than the others says so instead."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flows import standing


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", *words],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for name in ("code.py", "dvc.lock"):
        (folder / name).write_text("1\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    return folder


@pytest.fixture
def clone(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A worker's clone, in which the test stands; its origin is a commit ahead."""
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    (origin / "code.py").write_text("2\n")
    git(origin, "commit", "--quiet", "-am", "two")
    monkeypatch.chdir(tmp_path / "clone")
    return tmp_path / "clone"


def test_it_moves_to_the_commit_that_is_asked_for(clone: Path, origin: Path) -> None:
    wanted = git(origin, "rev-parse", "HEAD")
    (clone / "dvc.lock").write_text("made here\n")
    with pytest.raises(standing.StandingError, match=r"the models are asked for at [0-9a-f]{12}, which its origin does not"):
        standing.check(wanted)
    standing.move(wanted)
    standing.check(wanted)
    assert (clone / "code.py").read_text() == "2\n"
    assert standing.commit() == wanted


def test_what_was_changed_there_is_not_lost_but_refused(clone: Path, origin: Path) -> None:
    (clone / "code.py").write_text("mine\n")
    wanted = git(origin, "rev-parse", "HEAD")
    standing.move(wanted)
    assert (clone / "code.py").read_text() == "mine\n"
    with pytest.raises(standing.StandingError, match=r"differs from its commit in code\.py; workers get what is committed"):
        standing.check(wanted)


def test_a_commit_that_was_not_pushed_is_named(clone: Path) -> None:
    wanted = "0123456789abcdef0123456789abcdef01234567"
    standing.move(wanted)
    with pytest.raises(standing.StandingError, match="asked for at 0123456789ab, which its origin does not have: git push it"):
        standing.check(wanted)


def test_other_packages_are_refused(clone: Path) -> None:
    (clone / "requirements.lock").write_text("prefect==0.0.1\n")
    said = r"not those of requirements\.lock: prefect .* \(wanted 0\.0\.1\); make setup"
    with pytest.raises(standing.StandingError, match=said):
        standing.check(standing.commit())


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("artifacts/registry", r"lies within each clone; many machines want s3://BUCKET/PREFIX, or the absolute path"),
        ("/nowhere/at/all", r"/nowhere/at/all, the registry of keywords, is no folder on this machine"),
    ],
)
def test_a_registry_that_others_do_not_see_is_refused(fresh: Any, place: str, said: str) -> None:
    fresh.change("keywords.publish", {"registry": place})
    with pytest.raises(standing.StandingError, match=said):
        standing.registries(["keywords"])


def test_a_registry_that_all_see_is_taken(fresh: Any, tmp_path: Path) -> None:
    for place in ("s3://bucket/registry", str(tmp_path)):
        fresh.change("keywords.publish", {"registry": place})
        standing.registries(["keywords"])
    assert json.loads(Path("params.yaml").read_text())["models"]["keywords"]["publish"]["registry"] == str(tmp_path)
