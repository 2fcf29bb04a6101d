"""ESC-50: the repository's own layout, its folds as parts, the ten of ESC-10, and tables that are not as they should be."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from corpora import CorpusError, esc50, split

Write = Callable[..., Path]
HEADER = "filename,fold,target,category,esc10,src_file,take"
CATEGORIES = {"dog": "True", "rain": "True", "siren": "False"}


@pytest.fixture
def layout(write_sound: Write, tmp_path: Path) -> Path:
    """Three sounds, in each fold two clips of one recording."""
    rows = [HEADER]
    for target, (category, ten) in enumerate(CATEGORIES.items()):
        for fold in range(1, 6):
            for take in "AB":
                recording = 1_000 * fold + target
                name = f"{fold}-{recording}-{take}-{target}.wav"
                samples = np.random.default_rng([recording, ord(take)]).uniform(-0.5, 0.5, 600)
                write_sound(f"source/audio/{name}", samples, 44_100)
                rows.append(f"{name},{fold},{target},{category},{ten},{recording},{take}")
    (tmp_path / "source/meta").mkdir()
    (tmp_path / "source/meta/esc50.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "source"


def _change(layout: Path, old: str, new: str) -> None:
    table = layout / "meta/esc50.csv"
    assert old in table.read_text()
    table.write_text(table.read_text().replace(old, new))


def test_folds_are_parts_and_recordings_groups(layout: Path, tmp_path: Path) -> None:
    corpus = esc50.make(tmp_path / "esc50", layout)
    assert corpus.labels == ("dog", "rain", "siren")
    assert corpus.name == "ESC-50"
    assert len(corpus.clips) == 30
    expected = {"1": "train", "2": "train", "3": "train", "4": "validation", "5": "test"}
    for clip in corpus.clips:
        fold, recording, *_ = Path(clip.path).name.split("-")
        assert (clip.split, clip.group) == (expected[fold], f"freesound-{recording}")
    parts = split(corpus, {"train": 0.6, "validation": 0.2, "test": 0.2}, seed=0)
    assert {name: len(part) for name, part in parts.items()} == {"train": 18, "validation": 6, "test": 6}
    groups = [{clip.group for clip in part} for part in parts.values()]
    assert sum(map(len, groups)) == len(set().union(*groups)) == 15


def test_ten(layout: Path, tmp_path: Path) -> None:
    corpus = esc50.make(tmp_path / "esc10", layout, ten=True)
    assert (corpus.labels, corpus.name) == (("dog", "rain"), "ESC-10")
    assert corpus.licence.startswith("CC BY 3.0")
    assert esc50.make(tmp_path / "esc50", layout).licence.startswith("CC BY-NC 3.0")


def test_again_is_the_same(layout: Path, tmp_path: Path) -> None:
    first = esc50.make(tmp_path / "1", layout)
    assert esc50.make(tmp_path / "2", layout).digest() == first.digest()


def test_unusable_files_are_left_out_and_named(layout: Path, tmp_path: Path) -> None:
    (layout / "audio/1-1000-A-0.wav").write_bytes(b"")
    corpus = esc50.make(tmp_path / "esc50", layout)
    assert len(corpus.clips) == 29
    assert "1-1000-A-0.wav (empty file)" in json.loads((corpus.root / "corpus.json").read_text())["note"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("src_file", "source", "lacks the column src_file; allowed: filename, fold, category"),
        ("1-1000-A-0.wav,1,", "1-1000-A-0.wav,6,", r"line 2: fold '6'; allowed: 1, 2, 3, 4, 5"),
        ("1-1000-A-0.wav,1,", "1-1000-A-0.wav,4,", r"recordings in several parts: freesound-1000"),
        ("dog,True,1000,A", "dog,yes,1000,A", "line 2: esc10 'yes'; allowed: True, False"),
        ("dog,True,1000,A", ",True,1000,A", "line 2: row"),
        ("1-1000-A-0.wav", "../../1-1000-A-0.wav", "line 2: row"),
        ("1-1000-A-0.wav", "1-9999-A-0.wav", r"names files that are not there: 1-9999-A-0\.wav"),
    ],
)
def test_tables_that_are_wrong(layout: Path, tmp_path: Path, old: str, new: str, problem: str) -> None:
    _change(layout, old, new)
    with pytest.raises(CorpusError, match=problem):
        esc50.make(tmp_path / "esc50", layout)
    assert not (tmp_path / "esc50").exists()


def test_no_clips_of_the_ten_and_no_table(layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _change(layout, ",True,", ",False,")
    with pytest.raises(CorpusError, match="no clips of ESC-10"):
        esc50.make(tmp_path / "esc10", layout, ten=True)
    assert esc50.main([str(tmp_path / "esc50"), "--from", str(tmp_path)]) == 1
    assert "has no meta/esc50.csv" in capsys.readouterr().err


def test_the_pinned_commit_is_fetched(layout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        _git(layout, *arguments)
    monkeypatch.setattr(esc50, "REPOSITORY", layout.as_uri())
    monkeypatch.setattr(esc50, "COMMIT", _git(layout, "rev-parse", "HEAD"))
    corpus = esc50.make(tmp_path / "made/esc50")
    assert corpus.digest() == esc50.make(tmp_path / "copied", layout).digest()
    assert json.loads((corpus.root / "corpus.json").read_text())["verified"] == "every file, by the commit's id"
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["esc50"]


def _git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_command(layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert esc50.main([str(tmp_path / "esc10"), "--from", str(layout), "--ten"]) == 0
    assert "20 clips, 2 labels" in capsys.readouterr().out
