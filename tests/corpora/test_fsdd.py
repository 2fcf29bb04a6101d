"""FSDD: both layouts, the split by number, what is verified, and the real folder."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from corpora import Corpus, CorpusError, fsdd, read_folder, split
from corpora.checkout import checkout

Write = Callable[..., Path]


@pytest.fixture
def layout(write_sound: Write, tmp_path: Path) -> Callable[[range], Path]:
    """The repository's own layout with two digits, two speakers and the given recording numbers."""

    def make(numbers: range) -> Path:
        for digit in range(2):
            for speaker in ("ann", "bob"):
                for number in numbers:
                    seed = [digit, ord(speaker[0]), number]
                    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, 200)
                    write_sound(f"source/recordings/{digit}_{speaker}_{number}.wav", samples, 8_000)
        return tmp_path / "source"

    return make


def _numbers(corpus: Corpus, part: str) -> set[int]:
    return {int(Path(clip.path).stem.split("_")[2]) for clip in corpus.clips if clip.split == part}


def test_the_official_test_part_is_the_test_part(layout: Callable[[range], Path], tmp_path: Path) -> None:
    corpus = fsdd.make(tmp_path / "fsdd", layout(range(20)))
    assert _numbers(corpus, "test") == set(range(5))
    assert _numbers(corpus, "validation") == set(range(5, 10))
    assert _numbers(corpus, "train") == set(range(10, 20))
    assert corpus.labels == ("0", "1")
    assert {clip.group for clip in corpus.clips} == {"ann", "bob"}


def test_without_the_official_part_the_lowest_are_held_out(layout: Callable[[range], Path], tmp_path: Path) -> None:
    corpus = fsdd.make(tmp_path / "fsdd", layout(range(5, 25)))
    assert _numbers(corpus, "test") == set(range(5, 15))
    assert _numbers(corpus, "validation") == set(range(15, 20))
    facts = json.loads((corpus.root / "corpus.json").read_text())
    assert "official test part (recordings 0-4) is not here" in facts["note"]
    assert facts["verified"].startswith("nothing: 80 of the 2700 recordings")


def test_again_is_the_same(layout: Callable[[range], Path], tmp_path: Path) -> None:
    source = layout(range(20))
    first = fsdd.make(tmp_path / "fsdd", source)
    digest, entries = first.digest(), sorted(first.root.rglob("*"))
    second = fsdd.make(tmp_path / "fsdd", source)
    assert (second.digest(), sorted(second.root.rglob("*"))) == (digest, entries)
    assert fsdd.make(tmp_path / "again", second.root).digest() == digest


def test_too_few_recordings(layout: Callable[[range], Path], tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="10 recordings of a digit and speaker; allowed: 16 or more"):
        fsdd.make(tmp_path / "fsdd", layout(range(5, 15)))
    assert not (tmp_path / "fsdd").exists()


def test_a_truncated_recording_stops_it(layout: Callable[[range], Path], tmp_path: Path) -> None:
    source = layout(range(20))
    broken = source / "recordings/1_bob_7.wav"
    broken.write_bytes(broken.read_bytes()[:-100])
    with pytest.raises(CorpusError, match=r"1_bob_7\.wav: truncated"):
        fsdd.make(tmp_path / "fsdd", source)
    assert not (tmp_path / "fsdd").exists()


def test_strange_names_and_no_recordings(layout: Callable[[range], Path], tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    with pytest.raises(CorpusError, match=r"no recordings; allowed: recordings/DIGIT_SPEAKER_NUMBER\.wav"):
        fsdd.make(tmp_path / "fsdd", tmp_path / "bare")
    source = layout(range(20))
    (source / "recordings/noise.wav").write_bytes(b"")
    with pytest.raises(CorpusError, match=r"strange names: noise.wav"):
        fsdd.make(tmp_path / "fsdd", source)


def test_other_recordings_than_those_pinned(
    layout: Callable[[range], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fsdd, "TRAINING_FILES", 60)  # so that these count as the whole training part
    with pytest.raises(CorpusError, match=f"have digest [0-9a-f]{{64}}; allowed: {fsdd.TRAINING_DIGEST}"):
        fsdd.make(tmp_path / "fsdd", layout(range(20)))


def _git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *who, "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_pinned_commit_is_fetched_and_no_other(
    layout: Callable[[range], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = layout(range(20))
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        _git(source, *arguments)
    commit = _git(source, "rev-parse", "HEAD")
    _git(source, "config", "uploadpack.allowAnySHA1InWant", "true")
    (source / "recordings/0_ann_0.wav").write_bytes(b"changed later")
    _git(source, "commit", "-qam", "two")
    monkeypatch.setattr(fsdd, "REPOSITORY", source.as_uri())
    monkeypatch.setattr(fsdd, "COMMIT", commit)
    corpus = fsdd.make(tmp_path / "fsdd")
    assert len(corpus.clips) == 80
    assert json.loads((corpus.root / "corpus.json").read_text())["verified"] == "every file, by the commit's id"
    with pytest.raises(CorpusError, match=r"git fetch failed: .*allowed: .*--from FOLDER"):
        checkout(source.as_uri(), "0" * 40, tmp_path / "other")


def test_a_changed_object_is_noticed(layout: Callable[[range], Path], tmp_path: Path) -> None:
    source = layout(range(2))
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        _git(source, *arguments)
    commit = _git(source, "rev-parse", "HEAD")
    blob = _git(source, "rev-parse", "HEAD:recordings/0_ann_0.wav")
    other = _git(source, "rev-parse", "HEAD:recordings/0_ann_1.wav")
    stored, replacement = (source / ".git/objects" / name[:2] / name[2:] for name in (blob, other))
    stored.chmod(0o644)
    stored.write_bytes(replacement.read_bytes())
    with pytest.raises(CorpusError, match="git fetch failed"):
        checkout(source.as_uri(), commit, tmp_path / "copy")


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fsdd.main([str(tmp_path / "fsdd")]) == 1
    assert "git is not installed" in capsys.readouterr().err


@pytest.mark.real
def test_the_real_folder(real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fsdd.main([str(tmp_path / "fsdd"), "--from", str(real_data / "fsdd")]) == 0
    assert "2700 clips, 10 digits, 6 speakers" in capsys.readouterr().out
    corpus = read_folder(tmp_path / "fsdd")
    parts = split(corpus, {"train": 0.7, "validation": 0.1, "test": 0.2}, seed=0)
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 1_800,
        "validation": 300,
        "test": 600,
    }
    assert set(Counter(clip.label for clip in parts["test"]).values()) == {60}
    facts = json.loads((corpus.root / "corpus.json").read_text())
    assert facts["verified"].startswith("recordings 5-49, by the pinned digest")
