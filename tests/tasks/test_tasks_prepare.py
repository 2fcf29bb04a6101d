"""What prepare writes: splits that share nothing, a calibration list, and features with mean 0 and deviation 1."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest

from corpora import CorpusError
from frameworks.params import RecipeError
from tasks import clips, records

Tree = Callable[[Path], dict[str, bytes]]


@pytest.fixture(scope="module")
def splits(prepared: Any) -> dict[str, clips.Clips]:
    return {name: clips.read(prepared.data, name) for name in clips.SPLITS}


def test_every_clip_is_in_one_split(splits: dict[str, clips.Clips]) -> None:
    paths = [path for name in ("train", "validation", "test") for path in splits[name].paths]
    assert len(paths) == len(set(paths)) == 160


def test_no_group_crosses_splits(splits: dict[str, clips.Clips]) -> None:
    groups = {name: set(splits[name].groups) for name in ("train", "validation", "test")}
    assert all(groups.values())
    assert len(set().union(*groups.values())) == sum(map(len, groups.values()))


def test_no_content_crosses_splits(splits: dict[str, clips.Clips]) -> None:
    hashes = {
        name: {hashlib.sha256(clip.tobytes()).hexdigest() for clip in splits[name].audio}
        for name in ("train", "validation", "test")
    }
    assert len(set().union(*hashes.values())) == sum(map(len, hashes.values())) == 160


def test_every_label_is_in_every_split(splits: dict[str, clips.Clips]) -> None:
    assert all(set(part.labels) == {0, 1, 2, 3} for part in splits.values())


def test_calibration_is_a_recorded_part_of_train(splits: dict[str, clips.Clips], prepared: Any) -> None:
    chosen = splits["calibration"]
    assert set(chosen.paths) <= set(splits["train"].paths)
    assert list(chosen.paths) == records.read(prepared.data).facts["calibration"]
    assert len(chosen) == 40
    assert set(Counter(chosen.labels).values()) == {10}, "as even over labels as train allows"
    by_path = dict(zip(splits["train"].paths, splits["train"].audio, strict=True))
    assert all(np.array_equal(by_path[path], clip) for path, clip in zip(chosen.paths, chosen.audio, strict=True))


def test_train_features_have_mean_0_and_deviation_1(splits: dict[str, clips.Clips], prepared: Any) -> None:
    front = pp.frontend.build(clips.read_prepared(prepared.data).frontend)
    features = splits["train"].features(front)
    assert features.dtype == np.float32
    assert features.shape == (80, *front.shape)
    assert abs(float(features.mean())) < 1e-3
    assert float(features.std()) == pytest.approx(1, abs=1e-3)


def test_the_record_says_what_there_was(prepared: Any) -> None:
    facts = records.read(prepared.data).facts
    assert (facts["name"], facts["licence"], facts["left_out"]) == ("tones", "CC0-1.0", [])
    assert facts["groups"] == {"train": 4, "validation": 2, "test": 2, "calibration": 4}
    assert facts["clips"]["train"] == {"high": 20, "low": 20, "noise": 20, "sweep": 20}
    assert len(facts["digest"]) == 64


def test_the_same_seed_writes_the_same_bytes(prepared: Any, tmp_path: Path, tree: Tree) -> None:
    prepared.run("prepare", tmp_path / "again")
    assert tree(tmp_path / "again/clips") == tree(prepared.data / "clips")


def test_another_seed_splits_another_way(prepared: Any, tmp_path: Path, edited: Any) -> None:
    prepared.run("prepare", tmp_path / "other", params=edited({"seed": 4}))
    assert set(clips.read(tmp_path / "other", "test").paths) != set(clips.read(prepared.data, "test").paths)


def test_an_official_split_is_kept(prepared: Any, tmp_path: Path, write_tones: Any) -> None:
    corpus = write_tones(tmp_path / "corpus", takes=1, groups=6, labels=("high", "low"))
    parts = {0: "train", 1: "train", 2: "train", 3: "train", 4: "validation", 5: "test"}
    head, *rows = (corpus / "labels.csv").read_text().splitlines()
    (corpus / "labels.csv").write_text("\n".join([f"{head},split", *(f"{row},{parts[int(row[-1])]}" for row in rows)]))
    prepared.run("prepare", tmp_path / "data", corpus=corpus)
    assert {name: sorted(set(clips.read(tmp_path / "data", name).groups)) for name in ("validation", "test")} == {
        "validation": ["group4"],
        "test": ["group5"],
    }


def relabelled(corpus: Path, change: Callable[[str], str | None]) -> Path:
    head, *rows = (corpus / "labels.csv").read_text().splitlines()
    (corpus / "labels.csv").write_text("\n".join([head, *(new for new in map(change, rows) if new)]))
    return corpus


CORPORA: dict[str, tuple[Callable[[str], str | None], str]] = {
    "one class": (lambda row: row.replace(",low,", ",high,"), "only one label, 'high'"),
    "a class missing from a split": (
        lambda row: row if ",high," in row or "group0" in row else None,
        "no clip of 'low' ",
    ),
    "absent files": (lambda row: row.replace("wav/low_1.wav", "wav/gone.wav"), "wav/gone.wav"),
    "no rows": (lambda row: None, "names no clips"),
}


@pytest.mark.parametrize("kind", CORPORA)
def test_a_corpus_that_cannot_be_split_is_refused(
    prepared: Any, tmp_path: Path, write_tones: Any, tree: Tree, kind: str
) -> None:
    change, words = CORPORA[kind]
    corpus = relabelled(write_tones(tmp_path / "corpus", takes=1, groups=4, labels=("high", "low")), change)
    before = tree(corpus)
    with pytest.raises(CorpusError, match=words) as caught:
        prepared.run("prepare", tmp_path / "data", corpus=corpus)
    assert caught.value.allowed
    assert tree(corpus) == before
    assert not (tmp_path / "data").exists()


def test_too_few_groups_are_refused(prepared: Any, tmp_path: Path, write_tones: Any) -> None:
    corpus = write_tones(tmp_path / "corpus", takes=3, groups=2, labels=("high", "low"))
    with pytest.raises(CorpusError, match="2 groups for 3 parts"):
        prepared.run("prepare", tmp_path / "data", corpus=corpus)


def test_an_absent_corpus_is_refused(prepared: Any, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such folder"):
        prepared.run("prepare", tmp_path / "data", corpus=tmp_path / "nowhere")


def test_an_impossible_front_end_names_the_possible(prepared: Any, tmp_path: Path, edited: Any) -> None:
    place = r"line \d+: models\.keywords\.prepare\.frontend: "
    with pytest.raises(RecipeError, match=place + r".*fmax: found 9000.*half the sample rate"):
        prepared.run("prepare", tmp_path / "data", params=edited({"prepare.frontend.fmax": 9000.0}))
    with pytest.raises(RecipeError, match=place + r".*keys: found bands; allowed: .*mels"):
        prepared.run("prepare", tmp_path / "data", params=edited({"prepare.frontend.bands": 40}))


def test_data_without_prepare_says_what_to_run(prepared: Any, tmp_path: Path) -> None:
    with pytest.raises(records.RecordError, match=r"train\.npz is not there; run prepare"):
        clips.read(tmp_path, "train")
    shutil.copytree(prepared.data, tmp_path / "data")
    (tmp_path / "data/clips/prepared.json").unlink()
    with pytest.raises(records.RecordError, match=r"prepared\.json is not there; run the stage"):
        clips.read_prepared(tmp_path / "data")
