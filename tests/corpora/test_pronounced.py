"""Words as phones: labels change, all else stays; what is not known is named; the real digits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from corpora import CorpusError, pronounced, read_folder
from corpora.corpus import content_hash
from corpora.generated_phrases.phones import PHONES

Make = Callable[..., Path]
ROWS = [("a/0.wav", "0", "ann"), ("a/7.wav", "7", "bob"), ("b/seven.wav", "seven", "ann"), ("b/Nine.wav", "Nine", "cy")]


def test_only_the_labels_change(make_corpus: Make, tmp_path: Path) -> None:
    source = read_folder(
        make_corpus([(*row, part) for row, part in zip(ROWS, ("train", "test", "train", "validation"), strict=True)],
                    header="path,label,group,split")
    )  # fmt: skip
    corpus = pronounced.make(tmp_path / "built", source.root)
    phones = {clip.path: clip.label for clip in corpus.clips}
    assert phones == {
        "a/0.wav": "Z IH R OW",
        "a/7.wav": "S EH V AH N",
        "b/seven.wav": "S EH V AH N",
        "b/Nine.wav": "N AY N",
    }
    kept = {clip.path: (clip.group, clip.split) for clip in source.clips}
    assert {clip.path: (clip.group, clip.split) for clip in corpus.clips} == kept
    for clip in corpus.clips:
        assert content_hash(corpus.file(clip)) == content_hash(source.root / clip.path)


def test_facts_are_handed_on(make_corpus: Make, tmp_path: Path) -> None:
    root = make_corpus(ROWS)
    (root / "corpus.json").write_text('{"name": "digits", "licence": "CC0-1.0"}')
    corpus = pronounced.make(tmp_path / "built", root)
    assert (corpus.name, corpus.licence) == ("digits, pronounced", "CC0-1.0")
    facts = json.loads((corpus.root / "corpus.json").read_text())
    assert facts["words"]["7"] == "S EH V AH N"
    assert facts["source"] == "digits"


def test_what_is_built_in_is_the_digits_in_arpabet() -> None:
    assert set(pronounced.BUILT_IN) == {*pronounced.DIGITS, *"0123456789"}
    assert {phone for phones in pronounced.BUILT_IN.values() for phone in phones.split(" ")} <= set(PHONES)
    assert pronounced.BUILT_IN["4"] == pronounced.BUILT_IN["four"] == "F AO R"


def test_other_words_come_from_a_file(make_corpus: Make, tmp_path: Path) -> None:
    root = make_corpus([("a.wav", "yes", "ann"), ("b.wav", "Zero", "bob")])
    words = tmp_path / "words.txt"
    words.write_text("yes\tY EH S\n\nZERO\tZ IY R OW\nno\tN OW\n")
    corpus = pronounced.make(tmp_path / "built", root, words)
    assert [clip.label for clip in corpus.clips] == ["Y EH S", "Z IY R OW"]


def test_words_not_known_are_listed(make_corpus: Make, tmp_path: Path) -> None:
    root = make_corpus([("a.wav", "yes", "ann"), ("b.wav", "silence", "bob"), ("c.wav", "1", "bob")])
    with pytest.raises(CorpusError, match=r"no pronunciation of silence, yes; allowed: 0, 1, .*--words FILE") as caught:
        pronounced.make(tmp_path / "built", root)
    assert "WORD, a tab, PHONES" in str(caught.value)
    assert not (tmp_path / "built").exists()


@pytest.mark.parametrize("line", ["yes", "yes Y EH S", "yes\t", "\tY EH S", "yes\tY EH1 S", "yes\ty eh s", "no\tN OW"])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    words = tmp_path / "words.txt"
    words.write_text(f"no\tN OW\n{line}\n")
    with pytest.raises(CorpusError, match=r"words\.txt line 2: .*allowed: WORD, a tab, PHONES: .* of AA AE AH"):
        pronounced.read_words(words)


def test_files_that_are_not_there(make_corpus: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_corpus(ROWS)
    command = [str(tmp_path / "built"), "--from"]
    assert pronounced.main([*command, str(root), "--words", str(tmp_path / "absent.txt")]) == 1
    assert "absent.txt: not readable" in capsys.readouterr().err
    assert pronounced.main([*command, str(tmp_path / "absent")]) == 1
    assert "no such folder" in capsys.readouterr().err


def test_a_broken_recording_stops_it(make_corpus: Make, tmp_path: Path) -> None:
    root = make_corpus(ROWS)
    (root / "a/7.wav").write_bytes((root / "a/7.wav").read_bytes()[:-10])
    with pytest.raises(CorpusError, match=r"a/7\.wav: truncated"):
        pronounced.make(tmp_path / "built", root)


def test_a_corpus_does_not_replace_itself(make_corpus: Make) -> None:
    root = make_corpus(ROWS)
    with pytest.raises(CorpusError, match="is the corpus it is made from; allowed: another folder"):
        pronounced.make(root / "../corpus", root)
    assert {clip.label for clip in read_folder(root).clips} == {"0", "7", "seven", "Nine"}


def test_again_is_the_same(make_corpus: Make, tmp_path: Path) -> None:
    root = make_corpus(ROWS)
    first, second = (pronounced.make(tmp_path / name, root) for name in ("1", "2"))
    assert first.digest() == second.digest()


@pytest.mark.real
def test_the_real_digits(fsdd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pronounced.main([str(tmp_path / "built"), "--from", str(fsdd)]) == 0
    assert "2700 clips, 10 pronunciations" in capsys.readouterr().out
    corpus = read_folder(tmp_path / "built")
    assert set(corpus.labels) == set(pronounced.DIGITS.values())
    assert set(Counter(clip.label for clip in corpus.clips).values()) == {270}
    assert len({clip.group for clip in corpus.clips}) == 6
