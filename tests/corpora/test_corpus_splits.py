"""Splits: no group, file or content in two parts; every label in each; shares near those wanted; the seed decides."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import SPLITS, Clip, CorpusError, content_hash, read_folder, split
from corpora.assignment import assign

Make = Callable[..., Path]
FRACTIONS = {"train": 0.6, "validation": 0.2, "test": 0.2}


def _rows(groups: int, labels: int = 3, clips: int = 2) -> list[tuple[str, ...]]:
    return [
        (f"{label}/{group}_{clip}.wav", f"label{label}", f"group{group}")
        for group in range(groups)
        for label in range(labels)
        for clip in range(clips)
    ]


def _official(rows: list[tuple[str, ...]], part: Callable[[int], str]) -> list[tuple[str, ...]]:
    return [(*row, part(number)) for number, row in enumerate(rows)]


def _assert_apart(parts: dict[str, list[Clip]], key: Callable[[Clip], str]) -> None:
    seen = [{key(clip) for clip in parts[name]} for name in SPLITS]
    assert len(set().union(*seen)) == sum(map(len, seen))


def test_groups_files_and_contents_are_apart(make_corpus: Make) -> None:
    corpus = read_folder(make_corpus(_rows(10)))
    parts = split(corpus, FRACTIONS, seed=1)
    assert sorted(clip for part in parts.values() for clip in part) == sorted(corpus.clips)
    _assert_apart(parts, lambda clip: clip.group)
    _assert_apart(parts, lambda clip: content_hash(corpus.file(clip)))
    for part in parts.values():
        assert {clip.label for clip in part} == set(corpus.labels)
        assert part == sorted(part, key=lambda clip: clip.path)


def test_the_seed_decides(make_corpus: Make) -> None:
    corpus = read_folder(make_corpus(_rows(12)))
    assert split(corpus, FRACTIONS, 1) == split(corpus, FRACTIONS, 1)
    assert any(split(corpus, FRACTIONS, 1) != split(corpus, FRACTIONS, seed) for seed in range(2, 6))


@given(
    table=st.lists(st.lists(st.integers(1, 9), min_size=3, max_size=3), min_size=10, max_size=40),
    seed=st.integers(0, 99),
)
def test_shares_come_near_those_wanted(table: list[list[int]], seed: int) -> None:
    counts = {f"g{number}": dict(zip("abc", row, strict=True)) for number, row in enumerate(table)}
    places = assign(counts, FRACTIONS, seed)
    assert set(places) == set(counts)
    largest = max(map(max, table))
    for label in "abc":
        total = sum(row[label] for row in counts.values())
        held = Counter(dict.fromkeys(FRACTIONS, 0))
        for group, part in places.items():
            held[part] += counts[group][label]
        for part, share in FRACTIONS.items():
            # No split by whole groups can promise better than about one group.
            assert held[part] > 0
            assert abs(held[part] - share * total) <= 1.5 * largest


@given(groups=st.integers(3, 9), seed=st.integers(0, 9))
def test_few_equal_groups_still_serve_every_part(groups: int, seed: int) -> None:
    places = assign({f"g{number}": {"a": 5, "b": 5} for number in range(groups)}, FRACTIONS, seed)
    assert set(places.values()) == set(FRACTIONS)


def test_a_rare_label_reaches_every_part(make_corpus: Make) -> None:
    rare = [(f"rare/{group}.wav", "rare", f"group{group}") for group in range(3)]
    parts = split(read_folder(make_corpus(_rows(9) + rare)), FRACTIONS, seed=0)
    assert all(any(clip.label == "rare" for clip in part) for part in parts.values())


def test_a_label_of_two_groups_cannot_serve_three_parts(make_corpus: Make) -> None:
    rare = [(f"rare/{group}.wav", "rare", f"group{group}") for group in range(2)]
    with pytest.raises(CorpusError, match=r"no clip of 'rare' \(2 groups in the corpus\) in (test|validation)"):
        split(read_folder(make_corpus(_rows(6) + rare)), FRACTIONS, seed=0)


def test_too_few_groups(make_corpus: Make) -> None:
    with pytest.raises(CorpusError, match="2 groups for 3 parts"):
        split(read_folder(make_corpus(_rows(2))), FRACTIONS, seed=0)


def test_an_official_split_wins_even_where_groups_cross(make_corpus: Make) -> None:
    rows = _official(_rows(4, clips=3), lambda number: SPLITS[number % 3])
    corpus = read_folder(make_corpus(rows, "path,label,group,split"))
    parts = split(corpus, FRACTIONS, seed=0)
    assert all(clip.split == name for name, part in parts.items() for clip in part)


def test_a_missing_validation_comes_from_train_by_group(make_corpus: Make) -> None:
    rows = _official(_rows(10), lambda number: "test" if number < 12 else "train")
    corpus = read_folder(make_corpus(rows, "path,label,group,split"))
    parts = split(corpus, FRACTIONS, seed=0)
    assert {clip.path for clip in parts["test"]} == {clip.path for clip in corpus.clips if clip.split == "test"}
    assert {len(parts["train"]), len(parts["validation"])} == {36, 12}
    _assert_apart(parts, lambda clip: clip.group)


def test_a_missing_validation_comes_by_clip_where_groups_cross(make_corpus: Make) -> None:
    rows = _official(_rows(4, clips=10), lambda number: "test" if number % 10 < 2 else "train")
    corpus = read_folder(make_corpus(rows, "path,label,group,split"))
    parts = split(corpus, FRACTIONS, seed=0)
    assert {name: len(part) for name, part in parts.items()} == {"train": 72, "validation": 24, "test": 24}
    assert parts == split(corpus, FRACTIONS, seed=0)
    assert set(Counter(clip.label for clip in parts["validation"]).values()) == {8}


def test_a_label_missing_from_an_official_part(make_corpus: Make) -> None:
    rows = [(*row, "test" if row[1] == "label0" else "train") for row in _rows(6)]
    with pytest.raises(CorpusError, match="no clip of 'label0'"):
        split(read_folder(make_corpus(rows, "path,label,group,split")), FRACTIONS, seed=0)


def test_an_official_split_without_train(make_corpus: Make) -> None:
    rows = [(*row, "test") for row in _rows(3)]
    with pytest.raises(CorpusError, match="no train part"):
        split(read_folder(make_corpus(rows, "path,label,group,split")), FRACTIONS, seed=0)


def test_the_same_content_in_two_parts_names_both(make_corpus: Make) -> None:
    root = make_corpus(_official(_rows(3), lambda number: SPLITS[number // 6]), "path,label,group,split")
    shutil.copyfile(root / "0/0_0.wav", root / "1/2_1.wav")
    with pytest.raises(CorpusError, match=r"0/0_0.wav \(train\) and 1/2_1.wav \(test\) hold the same bytes"):
        split(read_folder(root), FRACTIONS, seed=0)


@pytest.mark.parametrize(
    "fractions",
    [
        {},
        {"train": 0.8, "test": 0.2},
        {"train": 0.8, "validation": 0.1, "test": 0.2},
        {"train": 1.0, "validation": 0.0, "test": 0.0},
        {"train": 1.2, "validation": -0.1, "test": -0.1},
        {"train": 0.6, "validation": 0.2, "test": float("nan")},
        {"train": 0.6, "validation": 0.2, "test": 0.1, "calibration": 0.1},
    ],
)
def test_impossible_fractions(make_corpus: Make, fractions: dict[str, float]) -> None:
    with pytest.raises(CorpusError, match=r"fractions.*allowed: train, validation, test, each above 0, together 1"):
        split(read_folder(make_corpus(_rows(3))), fractions, seed=0)
