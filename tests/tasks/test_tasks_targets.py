"""What a clip is to be answered with, by task, and how that changes the splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pianissimo.manifest import TASKS

from corpora import Clip, Corpus, split
from tasks.targets import TARGETS

FRACTIONS = {"train": 0.5, "validation": 0.25, "test": 0.25}


def corpus(*clips: Clip) -> Corpus:
    return Corpus(Path("none"), clips, tuple(sorted({clip.label for clip in clips})), "made up", "none")


SAID = corpus(
    *(
        Clip(f"{voice}{take}.wav", label, f"voice{voice}")
        for voice in range(8)
        for take, label in enumerate(("B AA", "K"))
    )
)


def test_every_task_of_the_runtime_has_its_targets() -> None:
    assert set(TARGETS) == set(TASKS)


def test_a_transcript_is_a_row_of_symbols_padded_with_minus_one() -> None:
    target = TARGETS["transcribe"]
    labels = target.labels(SAID)
    assert labels == ("AA", "B", "K")
    assert target.encode(SAID.clips[:2], labels).tolist() == [[1, 0], [2, -1]]


def test_sentences_need_not_be_in_every_split() -> None:
    """Each sentence is a label of its own: nothing to stratify by, and no reason to refuse."""
    parts = split(TARGETS["transcribe"].for_splitting(SAID), FRACTIONS, seed=1, compare_files=False)
    groups = {name: {clip.group for clip in part} for name, part in parts.items()}
    assert all(groups.values())
    assert len(set().union(*groups.values())) == sum(map(len, groups.values()))


def test_verify_asks_who_speaks() -> None:
    target = TARGETS["verify"]
    assert target.labels(SAID) == ()
    assert target.encode(SAID.clips[:4], ()).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(("task", "kept"), [("classify", True), ("transcribe", True), ("verify", False)])
def test_only_verify_sets_a_split_aside_that_lets_speakers_cross(task: str, kept: bool) -> None:
    """FSDD's official split has every speaker in all parts: fine for words, no test of a voice never heard."""
    crossing = corpus(
        *(Clip(f"{n}.wav", "ab"[n % 2], f"voice{n % 4}", ("train", "test")[n % 2 ^ n // 4 % 2]) for n in range(16))
    )
    official = [clip.split is not None for clip in TARGETS[task].for_splitting(crossing).clips]
    assert all(official) is kept
    assert any(official) is kept


def test_verify_keeps_a_split_in_which_no_speaker_crosses() -> None:
    clean = corpus(
        *(Clip(f"{n}.wav", "a" if n % 2 else "b", f"voice{n % 4}", ("train", "test")[n % 4 // 2]) for n in range(16))
    )
    assert all(clip.split for clip in TARGETS["verify"].for_splitting(clean).clips)


def test_labels_that_are_not_in_the_list_are_no_answer() -> None:
    with pytest.raises(KeyError):
        TARGETS["classify"].encode([Clip("a.wav", "siren", "g")], ("horn",))
    assert TARGETS["classify"].encode([Clip("a.wav", "horn", "g")], ("horn",)).dtype == np.int64
