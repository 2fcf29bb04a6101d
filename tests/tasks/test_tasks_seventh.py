"""Adding a model is one file and one section: a seventh one runs through every stage and nothing else is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pianissimo as pp
from ruamel.yaml import YAML

MODEL = '''"""Chirps: a small dense network over a log-mel picture."""

FRAMEWORK = "keras"
TASK = "classify"
METRIC = "accuracy"


def teacher(shape, classes, *, units=32):
    """Two dense layers."""
    return _dense(shape, classes, units)


def student(shape, classes, *, units=4):
    """The same, narrower."""
    return _dense(shape, classes, units)


def _dense(shape, classes, units):
    from tensorflow.keras import Input, Model, layers

    inputs = Input(shape)
    x = layers.Dense(units, activation="relu")(layers.Flatten()(inputs))
    return Model(inputs, layers.Dense(classes)(x))
'''
SECTION = {
    "framework": "keras",
    "seed": 5,
    "prepare": {
        "corpus": "data/corpora/chirps",
        "frontend": {
            "kind": "log_mel", "sample_rate": 16000, "seconds": 1.0, "frame": 512, "hop": 512, "fft": 512, "mels": 20,
            "fmin": 50.0, "fmax": 7000.0,
        },
        "split": {"train": 0.5, "validation": 0.25, "test": 0.25},
        "calibration": 16,
    },
    "train": {"epochs": 12, "learning_rate": 0.01},
    "distill": {"epochs": 12, "learning_rate": 0.01},
    "prune": {"skip": "dense layers have no normalisation to rank channels by"},
    "quantize": {"max_drop": 5.0},
    "convert": {"platforms": {"edge": {"variants": [{"backend": "tflite", "precision": "int8"}]}}},
    "validate": {"rounds": 30, "bootstrap": 100, "golden": 3},
    "gate": {"platforms": {"edge": {"floor": 60.0, "max_drop": 20.0, "smaller": 50}}},
    "publish": {"registry": "artifacts/registry"},
}  # fmt: skip


def test_a_seventh_model_goes_all_the_way(project: Path, tmp_path: Path, write_tones: Callable[..., Path]) -> None:
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "--quiet", str(project), str(copy)], check=True)
    for file in subprocess.run(
        ["git", "ls-files", "--modified", "--others", "--exclude-standard"],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n"):  # what is not committed yet counts, too
        source, place = project / file, copy / file
        if file and source.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(source.read_bytes())
    before = status(copy)
    (copy / "models/chirps.py").write_text(MODEL)
    yaml = YAML()
    params = yaml.load(copy / "params.yaml")
    params["models"]["chirps"] = SECTION
    yaml.dump(params, copy / "params.yaml")
    write_tones(copy / "data/corpora/chirps")
    ran(copy, "dvc", "repro", "publish@chirps")
    assert status(copy) - before == {" M params.yaml", "?? models/chirps.py", " M dvc.lock"} - before
    with pp.load("chirps", registry=copy / "artifacts/registry") as model:
        assert model.verify().clips == 3
        assert model.info.platform == "edge"


def ran(copy: Path, *words: str) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(copy)}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def status(copy: Path) -> set[str]:
    done = subprocess.run(["git", "status", "--porcelain"], cwd=copy, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())
