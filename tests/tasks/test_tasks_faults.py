"""A worse model is rejected for the right reason: one fault planted at a time, all else as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks import clips, records
from tasks.clips import Clips


@pytest.fixture
def copied(pipeline: Any, tmp_path: Path) -> Any:
    """The smoke run once more, for one test to spoil."""
    for stage in ("data", "train", "distill", "prune", "quantize", "convert"):
        shutil.copytree(pipeline.folder / stage, tmp_path / stage)
    for name in ("corpus", "params.yaml"):
        (tmp_path / name).symlink_to(pipeline.folder / name)
    return type(pipeline)(tmp_path)


def judged(run: Any, project: Path, *stages: str) -> str:
    """Runs `stages`, then validate and gate; the reasons of all platforms."""
    for stage in stages:
        run.run(stage, run.folder / stage)
    command = run.command("validate", run.validate)
    environment = {"PYTHONPATH": str(project)}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    run.run("gate", run.gate)
    verdict = records.read_json(run.gate / "verdict.json")
    assert not verdict["passed"]
    return "\n".join(reason for platform in verdict["platforms"].values() for reason in platform["reasons"])


def spoil(run: Any, name: str, change: Any) -> None:
    """Writes a split again with `change(clips)` in its place."""
    parts = {split: clips.read(run.data, split) for split in clips.SPLITS}
    clips.write(run.data / "clips", {**parts, name: change(parts[name])}, clips.read_prepared(run.data))


def test_shuffled_labels_end_below_the_floor(copied: Any, project: Path) -> None:
    def shuffled(part: Clips) -> Clips:
        return Clips(
            part.audio, np.random.default_rng(0).permutation(part.labels), part.groups, part.paths, part.starts
        )

    spoil(copied, "train", shuffled)
    spoil(copied, "validation", shuffled)
    reasons = judged(copied, project, "train", "distill", "prune", "quantize", "convert")
    assert "wanted 80 %" in reasons


def test_a_front_end_changed_after_training_is_named(copied: Any, project: Path) -> None:
    for file in (copied.data / "clips/prepared.json", copied.convert / "files/manifest.json"):
        content = json.loads(file.read_text())
        content["frontend"]["fmax"] = 7000.0
        file.write_text(json.dumps(content))
    reasons = judged(copied, project)
    assert "the front end was changed after training: fmax was 4000.0 and is 7000.0" in reasons


def test_calibration_on_noise_is_named(copied: Any, project: Path) -> None:
    def noise(part: Clips) -> Clips:
        rng = np.random.default_rng(1)
        heard = [rng.normal(0, 3.0, len(clip)).astype(np.float32) for clip in part.audio]
        return Clips(heard, part.labels, part.groups, part.paths, part.starts)

    spoil(copied, "calibration", noise)
    reasons = judged(copied, project, "quantize", "convert")
    assert "calibration holds 40 clips that are not in train" in reasons


def test_the_command_itself_says_no_with_status_0(copied: Any, project: Path) -> None:
    """A rejection is a result: the gate's own exit status is 0, and publish refuses."""
    content = json.loads((copied.data / "clips/prepared.json").read_text())
    content["frontend"]["fmax"] = 7000.0
    (copied.data / "clips/prepared.json").write_text(json.dumps(content))
    judged(copied, project, "convert")
    done = subprocess.run(
        [sys.executable, "-m", "tasks.gate", "keywords", str(copied.validate), str(copied.folder / "again"), "--params",
         str(copied.params)], cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
