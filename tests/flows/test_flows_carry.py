"""What a stage needs comes from the DVC remote, what it made goes there, and what is wrong with the remote is said in words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import boto3
import pytest

from flows import carry, locks, passing
from frameworks.recipe import STAGES
from tests.flows import far
from tests.registry import s3_servers

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
KEYWORDS = ["corpus@tones", "runtime", *(f"{stage}@keywords" for stage in STAGES)]


@pytest.fixture
def at_remote(
    done: Any, project: Path, tmp_path: Path, storage: str, capsys: pytest.CaptureFixture[str]
) -> tuple[Any, dict[str, Any]]:
    """(a clone in which nothing was made and in which the test stands, the entries that its origin took to the remote)."""
    far.commit(done, project, storage)
    answer = tmp_path / "held.json"
    assert carry.main(["plan", *KEYWORDS, "--answer", str(answer)]) == 0, capsys.readouterr().err
    far.git(done.folder, "clone", "--quiet", str(done.folder), str(tmp_path / "clone"))
    return type(done)(tmp_path / "clone"), json.loads(answer.read_text())


def given(tmp_path: Path, entries: dict[str, Any]) -> list[str]:
    file = tmp_path / "given.json"
    file.write_text(json.dumps(entries))
    return [*KEYWORDS, "--given", str(file)]


def entries() -> dict[str, Any]:
    """What dvc.lock says of the model and of what it shares; another model's entries came with the commit."""
    return {name: entry for name, entry in locks.read().items() if name in KEYWORDS}


def test_what_stands_is_held_and_its_data_stay_away(
    at_remote: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone, held = at_remote
    assert list(held) == KEYWORDS
    monkeypatch.chdir(clone.folder)
    assert carry.main(["begin", *given(tmp_path, held)]) == 0
    assert entries() == held
    assert Path("artifacts/keywords/gate/verdict.json").is_file(), "flows read records"
    assert carry.main(["step", "prepare@keywords"]) == 0
    assert not Path("data/corpora/tones").exists(), "nothing reads the corpus"


def test_what_the_run_cache_knows_is_brought_and_not_run(
    at_remote: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone, held = at_remote
    monkeypatch.chdir(clone.folder)
    shared = {name: held[name] for name in ("corpus@tones", "runtime")}
    assert carry.main(["begin", *given(tmp_path, shared)]) == 0
    assert entries() == shared, "what is not given was not made"
    assert carry.main(["step", "prepare@keywords"]) == 0
    clone.dvc("repro", "--single-item", "--allow-missing", "prepare@keywords")
    assert locks.read()["prepare@keywords"] == held["prepare@keywords"]
    assert clone.runs() == []


def test_what_an_earlier_errand_left_does_not_pass_for_what_is_asked(
    at_remote: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone, held = at_remote
    monkeypatch.chdir(clone.folder)
    old = Path("data/corpora/tones/labels.csv")
    old.parent.mkdir(parents=True)
    old.write_text("of last week\n")
    shared = {name: held[name] for name in ("corpus@tones", "runtime")}
    assert carry.main(["begin", *given(tmp_path, shared)]) == 0
    assert carry.main(["step", "prepare@keywords"]) == 0
    assert old.read_text() == "path,label,group\n"


def test_without_a_remote_it_says_what_to_configure(done: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert carry.main(["plan", *KEYWORDS, "--answer", str(tmp_path / "held.json")]) == 1
    assert "dvc remote add -d storage s3://BUCKET/PREFIX" in capsys.readouterr().err


def test_wrong_credentials_are_told_and_not_tried_again(
    done: Any, project: Path, storage: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    far.commit(done, project, storage)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    assert carry.main(["plan", *KEYWORDS, "--answer", str(tmp_path / "held.json")]) == 1
    said = capfd.readouterr().err
    assert "SignatureDoesNotMatch" in said or "refuses these credentials" in said
    assert passing.found(said.splitlines()) is None


def test_a_server_that_is_away_is_tried_again(
    done: Any, project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    far.commit(done, project, "http://127.0.0.1:1")
    assert carry.main(["plan", *KEYWORDS, "--answer", str(tmp_path / "held.json")]) == 1
    assert passing.found(capfd.readouterr().err.splitlines()) == "Could not connect to the endpoint URL"


def test_data_that_are_nowhere_are_made_again(at_remote: Any, tmp_path: Path, storage: str) -> None:
    _, held = at_remote
    train = held["train@keywords"]["outs"][0]["md5"]
    shutil.rmtree(Path(".dvc/cache/files/md5"))
    client = boto3.session.Session(s3_servers.ID, s3_servers.SECRET, region_name="us-east-1").client("s3", endpoint_url=storage)
    client.delete_object(Bucket=s3_servers.BUCKET, Key=f"dvc/files/md5/{train[:2]}/{train[2:]}")
    answer = tmp_path / "again.json"
    assert carry.main(["plan", *KEYWORDS, "--answer", str(answer)]) == 0
    assert set(KEYWORDS) - set(json.loads(answer.read_text())) == {"train@keywords"}
