"""labels.csv is read strictly, and a folder that cannot be used says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from corpora import Clip, CorpusError, read_folder
from corpora.folder import main

Make = Callable[..., Path]
ROWS = [
    ("a/1.wav", "yes", "ann"),
    ("a/2.wav", "no", "ann"),
    ("b/1.wav", "yes", "bob"),
    ("b/2.wav", "no", "bob"),
]


def test_reads_clips_labels_and_facts(make_corpus: Make) -> None:
    root = make_corpus(ROWS)
    (root / "corpus.json").write_text(json.dumps({"name": "mine", "licence": "CC0", "verified": ["more", "keys"]}))
    corpus = read_folder(root)
    assert corpus.clips[0] == Clip("a/1.wav", "yes", "ann", None)
    assert (corpus.labels, corpus.name, corpus.licence) == (("no", "yes"), "mine", "CC0")
    assert corpus.file(corpus.clips[0]).is_file()


def test_name_and_licence_have_a_default(make_corpus: Make) -> None:
    corpus = read_folder(str(make_corpus(ROWS)))
    assert (corpus.name, corpus.licence) == ("corpus", "unknown")


def test_speaker_serves_as_group_and_other_columns_are_ignored(make_corpus: Make) -> None:
    root = make_corpus([(*row, "x") for row in ROWS], "path,label,speaker,mood")
    assert {clip.group for clip in read_folder(root).clips} == {"ann", "bob"}


@pytest.mark.parametrize(("word", "split"), [("val", "validation"), ("valid", "validation"), ("Test", "test")])
def test_split_names(make_corpus: Make, word: str, split: str) -> None:
    root = make_corpus([(*row, word) for row in ROWS], "path,label,group,split")
    assert {clip.split for clip in read_folder(root).clips} == {split}


BAD: dict[str, tuple[str, str]] = {
    "no-columns": ("", "lacks the columns path, label, group; found nothing"),
    "no-group": (
        "path,label\na/1.wav,yes",
        r"lacks the column group; found path, label; allowed: .*\(or speaker\)",
    ),
    "no-rows": ("path,label,group\n", "names no clips"),
    "absent": (
        "path,label,group\n" + "\n".join(f"gone/{n}.wav,yes,ann" for n in range(9)) + "\na/1.wav,no,ann",
        r"names 9 of 10 files that are not there: gone/0.wav, .*gone/4.wav … \(9 in all\)",
    ),
    "parent": ("path,label,group\n../a/1.wav,yes,ann", "leave the folder: ../a/1.wav"),
    "deep-parent": ("path,label,group\na/../../x.wav,yes,ann", "leave the folder"),
    "absolute": ("path,label,group\n/etc/a.wav,yes,ann", "leave the folder"),
    "drive": ("path,label,group\nC:/a.wav,yes,ann", "leave the folder"),
    "backslash": ("path,label,group\n..\\a.wav,yes,ann", "leave the folder"),
    "not-audio": ("path,label,group\na/1.mp3,yes,ann", "not audio by name: a/1.mp3; allowed: .wav and .flac"),
    "twice": ("path,label,group\na/1.wav,yes,ann\na/./1.wav,no,bob", "named more than once: a/1.wav"),
    "empty-label": ("path,label,group\na/1.wav,yes,ann\na/2.wav, ,ann", "line 3: empty label"),
    "short-row": ("path,label,group\na/1.wav", "line 2: empty label and group"),
    "one-class": ("path,label,group\na/1.wav,yes,ann\nb/1.wav,yes,bob", "only one label, 'yes'"),
    "split": (
        "path,label,group,split\na/1.wav,yes,ann,dev",
        "unknown split 'dev'; allowed: train, validation, test",
    ),
    "half-split": ("path,label,group,split\na/1.wav,yes,ann,train\na/2.wav,no,ann,", "no split for a/2.wav"),
}


@pytest.mark.parametrize("case", BAD)
def test_refuses_a_table(make_corpus: Make, case: str) -> None:
    root = make_corpus(ROWS)
    text, problem = BAD[case]
    (root / "labels.csv").write_text(text)
    with pytest.raises(CorpusError, match=problem) as caught:
        read_folder(root)
    assert caught.value.allowed


def test_refuses_a_table_in_another_encoding(make_corpus: Make) -> None:
    root = make_corpus(ROWS)
    (root / "labels.csv").write_bytes("path,label,group\na/1.wav,grün,ann".encode("latin-1"))
    with pytest.raises(CorpusError, match="allowed: CSV in UTF-8"):
        read_folder(root)


@pytest.mark.parametrize("facts", ["{", "[]", '{"name": 3}'])
def test_refuses_facts(make_corpus: Make, facts: str) -> None:
    root = make_corpus(ROWS)
    (root / "corpus.json").write_text(facts)
    with pytest.raises(CorpusError, match=r"corpus\.json"):
        read_folder(root)


def test_no_folder_and_no_table(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such folder"):
        read_folder(tmp_path / "absent")
    with pytest.raises(CorpusError, match=r"has no labels\.csv"):
        read_folder(tmp_path)


def test_the_digest_sees_everything_but_the_order(make_corpus: Make, tmp_path: Path) -> None:
    digests = {
        "same": read_folder(make_corpus(ROWS)).digest(),
        "label": read_folder(make_corpus([("a/1.wav", "no", "ann"), *ROWS[1:]], root=tmp_path / "2")).digest(),
        "group": read_folder(make_corpus([("a/1.wav", "yes", "eve"), *ROWS[1:]], root=tmp_path / "3")).digest(),
    }
    root = make_corpus(ROWS, root=tmp_path / "4")
    lines = (root / "labels.csv").read_text().splitlines()
    (root / "labels.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]))
    assert read_folder(root).digest() == digests["same"]
    (root / "a/1.wav").write_bytes((root / "a/1.wav").read_bytes()[:-2] + b"\1\2")
    assert len({read_folder(root).digest(), *digests.values()}) == 4


def test_the_command_shows_a_good_folder(make_corpus: Make, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(make_corpus(ROWS))]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("label", "yes", "8000"))


def test_the_command_names_what_is_wrong(make_corpus: Make, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_corpus(ROWS)
    (root / "a/1.wav").write_bytes(b"")
    (root / "b/2.wav").write_text("not a sound, however long it may be")
    assert main([str(root)]) == 1
    problems = capsys.readouterr().err
    assert "a/1.wav: empty file" in problems
    assert "b/2.wav: not readable as audio" in problems
    assert "2 of 4 clips cannot be used" in problems


def test_the_command_names_a_missing_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "absent")]) == 1
    assert "no such folder" in capsys.readouterr().err
