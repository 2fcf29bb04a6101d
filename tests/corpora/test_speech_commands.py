"""Speech Commands: a tiny folder of the same layout, the official lists and hash, unknown and silence."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from corpora import Corpus, CorpusError, read_audio, speech_commands, split
from corpora.speech_commands import make, which_set

Write = Callable[..., Path]
WORDS = ("yes", "no", "bed", "cat", "tree")
CHOSEN = ("yes", "no")
SPEAKERS = [f"{number:08x}" for number in range(1, 41)]


@pytest.fixture
def layout(write_sound: Write, tmp_path: Path) -> Path:
    """Five words by forty speakers, two background recordings, and the official lists, which follow the hash."""
    for number, word in enumerate(WORDS):
        for speaker in SPEAKERS:
            samples = np.random.default_rng([number, int(speaker, 16)]).uniform(-0.5, 0.5, 400)
            write_sound(f"source/{word}/{speaker}_nohash_0.wav", samples)
    for name in ("hum", "rain"):
        write_sound(f"source/_background_noise_/{name}.wav", np.random.default_rng(0).uniform(-0.1, 0.1, 40 * 16_000))
    source = tmp_path / "source"
    names = [f"{word}/{speaker}_nohash_0.wav" for word in WORDS for speaker in SPEAKERS]
    for part, file in speech_commands.LISTS.items():
        listed = [name for name in names if which_set(name.split("/")[1]) == part]
        (source / file).write_text("\n".join(listed) + "\n")
    return source


def _counts(corpus: Corpus, part: str) -> Counter[str]:
    return Counter(clip.label for clip in corpus.clips if clip.split == part)


def test_the_official_hash() -> None:
    # From the set's own validation_list.txt and testing_list.txt.
    for speaker in ("8b775397", "2643992f", "060cd039", "f5e5e8b0", "dbb40d24", "a69b9b3e"):
        assert which_set(f"{speaker}_nohash_0.wav") == "validation"
    for speaker in ("210f3aa9", "8a325749", "9b3ea809", "b49caed3", "d91a159e", "9a7c1f83"):
        assert which_set(f"{speaker}_nohash_3.wav") == "test"
    shares = Counter(which_set(f"{number:08x}_nohash_0.wav") for number in range(20_000))
    assert shares["train"] / 20_000 == pytest.approx(0.8, abs=0.01)


def test_labels_parts_and_groups(layout: Path, tmp_path: Path) -> None:
    corpus = make(tmp_path / "built", layout, CHOSEN)
    assert set(corpus.labels) == {"yes", "no", "unknown", "silence"}
    for part in ("train", "validation", "test"):
        counts = _counts(corpus, part)
        assert counts["yes"] == counts["no"] == counts["unknown"] == counts["silence"] > 0
    speakers = {clip.group for clip in corpus.clips if clip.label != "silence"}
    assert speakers <= set(SPEAKERS)
    split(corpus, {"train": 0.8, "validation": 0.1, "test": 0.1}, seed=0)


def test_unknown_is_drawn_evenly_from_the_other_words(layout: Path, tmp_path: Path) -> None:
    corpus = make(tmp_path / "built", layout, CHOSEN)
    words = Counter(
        Path(clip.path).parent.name for clip in corpus.clips if clip.label == "unknown" and clip.split == "train"
    )
    assert set(words) == {"bed", "cat", "tree"}
    assert max(words.values()) - min(words.values()) <= 1


def test_the_hash_serves_without_the_lists(layout: Path, tmp_path: Path) -> None:
    listed = make(tmp_path / "listed", layout, CHOSEN)
    for file in speech_commands.LISTS.values():
        (layout / file).unlink()
    assert make(tmp_path / "hashed", layout, CHOSEN).digest() == listed.digest()


def test_the_lists_win_over_the_hash(layout: Path, tmp_path: Path) -> None:
    moved = next(name for name in SPEAKERS if which_set(f"{name}_nohash_0.wav") == "train")
    with (layout / "testing_list.txt").open("a") as stream:
        stream.write(f"yes/{moved}_nohash_0.wav\n")
    corpus = make(tmp_path / "built", layout, CHOSEN)
    assert {clip.split for clip in corpus.clips if clip.path == f"audio/yes/{moved}_nohash_0.wav"} == {"test"}


def test_one_list_alone_is_a_mistake(layout: Path, tmp_path: Path) -> None:
    (layout / "testing_list.txt").unlink()
    with pytest.raises(CorpusError, match=r"validation_list\.txt alone"):
        make(tmp_path / "built", layout, CHOSEN)


def test_cuts_of_silence_share_no_second_across_parts(layout: Path, tmp_path: Path) -> None:
    corpus = make(tmp_path / "built", layout, CHOSEN)
    spans: dict[tuple[str, str], list[int]] = {}
    for clip in corpus.clips:
        if clip.label == "silence":
            assert read_audio(corpus.file(clip))[0].shape == (16_000,)
            spans.setdefault((clip.group, clip.split or ""), []).append(int(Path(clip.path).stem.split("_")[1]))
    for group in ("noise-hum", "noise-rain"):
        parts = [spans.get((group, part), []) for part in ("train", "validation", "test")]
        for earlier, later in pairwise(parts):
            assert not (earlier and later) or max(earlier) + 16_000 <= min(later)


def test_unusable_and_repeated_files_are_left_out_and_told(layout: Path, tmp_path: Path) -> None:
    first, second, third = (layout / f"yes/{speaker}_nohash_0.wav" for speaker in SPEAKERS[:3])
    shutil.copyfile(first, second)
    third.write_bytes(b"no sound")
    corpus = make(tmp_path / "built", layout, CHOSEN)
    paths = {clip.path for clip in corpus.clips}
    assert f"audio/yes/{first.name}" in paths
    assert not {f"audio/yes/{second.name}", f"audio/yes/{third.name}"} & paths
    note = json.loads((corpus.root / "corpus.json").read_text())["note"]
    assert second.name in note
    assert "same as" in note
    assert third.name in note


@pytest.mark.parametrize("words", [("yes", "moon"), ("yes",), ("yes", "yes"), WORDS])
def test_impossible_words(layout: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(CorpusError, match="allowed: two or more of bed, cat, no, tree, yes"):
        make(tmp_path / "built", layout, words)


def test_no_such_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert speech_commands.main([str(tmp_path / "built"), "--from", str(tmp_path / "absent")]) == 1
    assert "not here" in capsys.readouterr().err


def test_the_same_seed_chooses_the_same(layout: Path, tmp_path: Path) -> None:
    first = make(tmp_path / "1", layout, CHOSEN, seed=1)
    assert make(tmp_path / "2", layout, CHOSEN, seed=1).digest() == first.digest()
    assert make(tmp_path / "3", layout, CHOSEN, seed=2).digest() != first.digest()
