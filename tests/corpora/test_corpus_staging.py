"""A corpus folder is there whole or not at all, whatever happens on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from corpora import CorpusError
from corpora.staging import staged


def _fill(folder: Path, word: str) -> None:
    for name in ("labels.csv", "corpus.json"):
        (folder / name).write_text(word)


def test_the_folder_gets_its_name_at_the_end(tmp_path: Path) -> None:
    dest = tmp_path / "deep/corpus"
    with staged(dest) as folder:
        _fill(folder, "one")
        assert not dest.exists()
        assert folder.parent == dest.parent  # on the same disk, so that a rename is enough
    assert (dest / "labels.csv").read_text() == "one"
    with staged(dest) as folder:
        _fill(folder, "two")
    assert (dest / "labels.csv").read_text() == "two"
    assert [path.name for path in dest.parent.iterdir()] == ["corpus"]


def _fail_halfway(dest: Path) -> None:
    with staged(dest) as folder:
        _fill(folder, "two")
        raise ZeroDivisionError


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    dest = tmp_path / "corpus"
    with staged(dest) as folder:
        _fill(folder, "one")
    with pytest.raises(ZeroDivisionError):
        _fail_halfway(dest)
    assert (dest / "labels.csv").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_a_readme_may_be_in_the_way_and_other_things_may_not(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/README.md").write_text("what will be here")
    with staged(tmp_path / "made") as folder:
        _fill(folder, "one")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/labels.csv").write_text("a person's own corpus has no corpus.json")
    with pytest.raises(CorpusError, match="no corpus of ours"), staged(tmp_path / "other"):
        pytest.fail("it went on")
    (tmp_path / "file").write_text("")
    with pytest.raises(CorpusError, match="is a file"), staged(tmp_path / "file"):
        pytest.fail("it went on")


HANG = """
import sys, time
from pathlib import Path
from corpora.staging import staged
with staged(Path(sys.argv[1])) as folder:
    (folder / "labels.csv").write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_run_leaves_goes_with_the_next(tmp_path: Path) -> None:
    dest = tmp_path / "corpus"
    with subprocess.Popen([sys.executable, "-c", HANG, str(dest)], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        with staged(dest) as folder:  # a run beside a running one leaves its folder alone
            _fill(folder, "one")
        assert len(list(tmp_path.glob(".corpus.partial-*"))) == 1
        os.kill(running.pid, signal.SIGKILL)
    assert (dest / "labels.csv").read_text() == "one"
    with staged(dest) as folder:
        _fill(folder, "two")
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]
