"""What is on stable, scored on the data of today: the same data give the same score, worse data are told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks import clips, records
from tasks.records import RecordError


@pytest.fixture
def today(pipeline: Any, tmp_path: Path) -> Any:
    """`today(change)` is what prepare left, with the test split's audio so changed."""

    def made(change: Any, labels: tuple[str, ...] | None = None) -> Path:
        prepared = clips.read_prepared(pipeline.data)
        test = clips.read(pipeline.data, "test")
        test.audio[:] = [change(clip) for clip in test.audio]
        known = clips.Prepared(labels or prepared.labels, prepared.frontend, prepared.corpus)
        clips.write(tmp_path / "data/clips", {"test": test}, known)
        return tmp_path / "data"

    return made


def revalidated(pipeline: Any, data: Path, dest: Path) -> records.Record:
    import models
    from frameworks import params
    from tasks import command, revalidate

    job = command.Job("revalidate", models.load("keywords"), params.read(pipeline.params, "keywords"), dest)
    return command.execute(job, revalidate.run, [data], command.hand_on)


def test_the_same_data_give_the_published_score(pipeline: Any, today: Any, tmp_path: Path) -> None:
    record = revalidated(pipeline, today(lambda clip: clip), tmp_path / "dest")
    assert record.facts["drifted"] == []
    assert set(record.facts["platforms"]) == {"mcu", "edge", "mobile", "cloud"}
    for one in record.facts["platforms"].values():
        assert one["score"] == pytest.approx(one["published"], abs=0.01)
        assert one["version"] == 1


def test_noise_over_everything_is_told_with_its_figures(pipeline: Any, today: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    record = revalidated(
        pipeline, today(lambda clip: rng.normal(0, 0.3, len(clip)).astype(np.float32)), tmp_path / "dest"
    )
    assert len(record.facts["drifted"]) == 4
    told = next(words for words in record.facts["drifted"] if words.startswith("edge: tflite-int8: version 1 scored "))
    assert "points worse" in told
    assert records.read(tmp_path / "dest").reason == record.reason


def test_other_labels_are_another_task(pipeline: Any, today: Any, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"not those of version 1: low, siren; train a new version"):
        revalidated(pipeline, today(lambda clip: clip, ("high", "siren", "noise", "sweep")), tmp_path / "dest")


def test_its_command(pipeline: Any, today: Any, tmp_path: Path, shell: Any) -> None:
    data = today(lambda clip: clip)
    done = shell(
        sys.executable,
        "-m",
        "tasks.revalidate",
        "keywords",
        str(data),
        str(tmp_path / "dest"),
        "--params",
        str(pipeline.params),
    )
    assert done.returncode == 0, done.stderr
    assert records.read(tmp_path / "dest").stage == "revalidate"
