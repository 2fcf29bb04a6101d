"""GTZAN: folders of genres, files alone, the known archives, and what is wrong with copies of the set."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from corpora import CorpusError, gtzan, split
from corpora.corpus import content_hash

Write = Callable[..., Path]
GENRES = ("blues", "jazz", "rock")
NUMBERS = (*range(4), 54)


@pytest.fixture
def layout(write_sound: Write, tmp_path: Path) -> Path:
    """Three genres by five tracks as the set has them, jazz.00054 broken off, and a companion macOS left behind."""
    for genre in GENRES:
        for number in NUMBERS:
            samples = np.random.default_rng([len(genre), number, ord(genre[0])]).uniform(-0.5, 0.5, 500)
            write_sound(f"source/genres/{genre}/{genre}.{number:05d}.wav", samples, 22_050)
    damaged = tmp_path / "source/genres/jazz/jazz.00054.wav"
    damaged.write_bytes(damaged.read_bytes()[:-300])
    (tmp_path / "source/genres/jazz/._jazz.00001.wav").write_bytes(b"companion")
    return tmp_path / "source"


def test_labels_and_groups(layout: Path, tmp_path: Path) -> None:
    corpus = gtzan.make(tmp_path / "gtzan", layout)
    assert corpus.labels == GENRES
    assert len(corpus.clips) == 14
    assert all(clip.group == Path(clip.path).stem and clip.group.startswith(clip.label) for clip in corpus.clips)
    assert len({clip.group for clip in corpus.clips}) == 14
    assert {clip.split for clip in corpus.clips} == {None}
    split(corpus, {"train": 0.5, "validation": 0.25, "test": 0.25}, seed=0)


def test_the_famous_damaged_file_is_left_out_and_named(layout: Path, tmp_path: Path) -> None:
    corpus = gtzan.make(tmp_path / "gtzan", layout)
    assert not [clip for clip in corpus.clips if "jazz.00054" in clip.path]
    assert [clip for clip in corpus.clips if "rock.00054" in clip.path]
    facts = json.loads((corpus.root / "corpus.json").read_text())
    assert "left out: genres/jazz/jazz.00054.wav (damaged in most copies)" in facts["note"]
    assert facts["verified"].startswith("nothing")
    whole = layout / "genres/jazz/jazz.00054.wav"
    shutil.copyfile(layout / "genres/jazz/jazz.00000.wav", whole)  # a copy somebody mended
    assert gtzan.make(tmp_path / "again", layout).digest() == corpus.digest()


def test_other_damage_and_repetition_are_left_out_and_named(layout: Path, tmp_path: Path) -> None:
    (layout / "genres/rock/rock.00001.wav").write_bytes(b"no sound")
    shutil.copyfile(layout / "genres/blues/blues.00000.wav", layout / "genres/blues/blues.00002.wav")
    corpus = gtzan.make(tmp_path / "gtzan", layout)
    assert len(corpus.clips) == 12
    note = json.loads((corpus.root / "corpus.json").read_text())["note"]
    assert "rock.00001.wav (8 bytes, too few for a header)" in note
    assert "blues.00002.wav (same as genres/blues/blues.00000.wav)" in note


def test_files_alone_and_folders_alone_will_do(layout: Path, tmp_path: Path) -> None:
    flat, named = tmp_path / "flat", tmp_path / "named"
    for path in sorted(layout.rglob("*.wav")):
        if not path.name.startswith("."):
            for target in (flat / path.name, named / path.parent.name / f"{path.parent.name} {path.stem[-5:]}.wav"):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    assert gtzan.make(tmp_path / "1", flat).labels == GENRES
    corpus = gtzan.make(tmp_path / "2", named)
    assert corpus.labels == GENRES
    (flat / "song.wav").write_bytes(b"")
    with pytest.raises(CorpusError, match=r"song\.wav: neither a genre in its name nor a folder of one"):
        gtzan.make(tmp_path / "3", flat)


def test_the_archive_by_its_checksum(layout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "genres.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(layout / "genres", "genres")
    with pytest.raises(CorpusError, match="so no archive known; allowed: 24347e02"):
        gtzan.make(tmp_path / "gtzan", archive)
    monkeypatch.setitem(gtzan.ARCHIVES, content_hash(archive), "the archive of this test")
    corpus = gtzan.make(tmp_path / "gtzan", archive)
    assert corpus.digest() == gtzan.make(tmp_path / "folder", layout).digest()
    facts = json.loads((corpus.root / "corpus.json").read_text())
    assert facts["verified"] == "every file, by the sha256 of the archive of this test"


def test_without_a_copy_it_says_where_to_get_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gtzan.main([str(tmp_path / "gtzan")]) == 1
    said = capsys.readouterr().err
    assert "no download" in said
    assert "marsyas.info" in said
    assert not (tmp_path / "gtzan").exists()
    assert gtzan.main([str(tmp_path / "gtzan"), "--from", str(tmp_path / "absent")]) == 1
    assert "absent: not here" in capsys.readouterr().err


def test_a_file_astray_and_two_of_one_name(layout: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="no tracks"):
        gtzan.make(tmp_path / "gtzan", tmp_path / "empty")
    shutil.move(layout / "genres/rock/rock.00001.wav", layout / "genres/blues/rock.00001.wav")
    with pytest.raises(CorpusError, match=r"in the folder of another genre: genres/blues/rock\.00001\.wav"):
        gtzan.make(tmp_path / "gtzan", layout)
    shutil.move(layout / "genres/blues/rock.00001.wav", layout / "rock.00000.wav")
    with pytest.raises(CorpusError, match=r"one name more than once: genres/rock/rock\.00000\.wav, rock\.00000\.wav"):
        gtzan.make(tmp_path / "gtzan", layout)
    assert not (tmp_path / "gtzan").exists()


def test_the_command(layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gtzan.main([str(tmp_path / "gtzan"), "--from", str(layout)]) == 0
    assert "14 tracks, 3 genres" in capsys.readouterr().out
