"""A tiny corpus of tones and the whole pipeline over it, made once: every stage's tests look at the same run."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo
import pytest
import soundfile

RATE = 16_000
TONES = ("high", "low", "noise", "sweep")
GROUPS = 8
TAKES = 5  # of each label, a group: 160 clips
HERE = Path(__file__).parent
# `python` in a command that DVC runs is the one that runs the tests, however they were started.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
# Stage -> the folders it reads, in the order of its command line.
ORDER = {
    "prepare": ("corpus",),
    "train": ("data",),
    "distill": ("data", "train"),
    "prune": ("data", "distill"),
    "quantize": ("data", "prune"),
    "convert": ("data", "train", "distill", "quantize"),
    "validate": ("corpus", "data", "train", "distill", "quantize", "convert"),
    "gate": ("validate",),
    "publish": ("data", "convert", "validate", "gate", "runtime"),
}


@dataclass(frozen=True)
class Pipeline:
    """A run of every stage: `folder` holds `params.yaml`, `corpus`, `data`, `runtime`, `registry` and a folder a stage."""

    folder: Path
    model: str = "keywords"

    @property
    def params(self) -> Path:
        return self.folder / "params.yaml"

    @property
    def registry(self) -> Path:
        return self.folder / "registry"

    def __getattr__(self, name: str) -> Path:
        """`pipeline.train` is what the stage `train` left; `data` is what `prepare` did."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self.folder / name

    def sources(self, stage: str, **other: Path) -> list[Path]:
        """What a stage reads, with some of it replaced: `sources("publish", gate=folder)`."""
        return [other.get(name, self.folder / name) for name in ORDER[stage]]

    def run(self, stage: str, dest: Path, *, params: Path | None = None, **other: Path) -> Any:
        """Runs a stage in this process and gives its record; sources other than this run's are given by name."""
        import models
        from frameworks import params as recipes
        from tasks import command

        module = importlib.import_module(f"tasks.{stage}")
        recipe = recipes.read(params or self.params, self.model)
        job = command.Job(stage, models.load(self.model), recipe, dest)
        skipped = getattr(module, "skipped", command.hand_on)
        return command.execute(job, module.run, self.sources(stage, **other), skipped)

    def command(self, stage: str, dest: Path, *, params: Path | None = None, **other: Path) -> list[str]:
        """The command line of a stage, as `dvc.yaml` has it."""
        sources = [str(path) for path in self.sources(stage, **other)]
        return [
            sys.executable,
            "-m",
            f"tasks.{stage}",
            self.model,
            *sources,
            str(dest),
            "--params",
            str(params or self.params),
        ]


@pytest.fixture(scope="session")
def tone() -> Callable[..., np.ndarray]:
    """`tone("low", seed)`: one second of that label, in noise, float32 (16000,)."""
    return _tone


def _tone(label: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng([TONES.index(label), seed])
    time = np.arange(RATE) / RATE
    pitch = rng.uniform(0.9, 1.1)
    sounds = {
        "high": np.sin(2 * np.pi * 2200 * pitch * time),
        "low": np.sin(2 * np.pi * 300 * pitch * time),
        "noise": rng.normal(0, 0.7, RATE),
        "sweep": np.sin(2 * np.pi * (300 * time + 1500 * pitch * time**2)),
    }
    loudness = rng.uniform(0.1, 0.5)
    return (loudness * (sounds[label] + rng.normal(0, 0.05, RATE))).astype(np.float32).clip(-1, 1)


@pytest.fixture(scope="session")
def write_tones() -> Callable[..., Path]:
    """`write_tones(folder, takes=2, groups=3, labels=("low", "high"))` makes a corpus folder of one-second WAVs."""

    def write(folder: Path, takes: int = TAKES, groups: int = GROUPS, labels: tuple[str, ...] = TONES) -> Path:
        (folder / "wav").mkdir(parents=True)
        rows = ["path,label,group"]
        for label in labels:
            for number in range(takes * groups):
                name = f"wav/{label}_{number}.wav"
                soundfile.write(folder / name, _tone(label, number), RATE, subtype="PCM_16")
                rows.append(f"{name},{label},group{number % groups}")
        (folder / "labels.csv").write_text("\n".join(rows) + "\n")
        (folder / "corpus.json").write_text('{"name": "tones", "licence": "CC0-1.0"}\n')
        return folder

    return write


@pytest.fixture(scope="session")
def keras() -> Any:
    """`frameworks.keras`, imported once; what TensorFlow's own import warns of is not ours to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        framework = importlib.import_module("frameworks.keras")  # first: it chooses which Keras TensorFlow gives
        importlib.import_module("tensorflow_model_optimization")
        return framework


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's root; stages are run from there as `dvc` does."""
    return HERE.parent


@pytest.fixture(scope="session")
def new_pipeline() -> Callable[..., Pipeline]:
    """`new_pipeline(folder, "genre")`: a pipeline of which nothing has run, with a stand-in for the runtime's wheel."""

    def made(folder: Path, model: str = "keywords") -> Pipeline:
        run = Pipeline(folder, model)
        run.runtime.mkdir()
        with zipfile.ZipFile(run.runtime / f"pianissimo-{pianissimo.__version__}-py3-none-any.whl", "w") as wheel:
            wheel.writestr("pianissimo/__init__.py", "")  # the real one is built and installed in tests/runtime
        return run

    return made


@pytest.fixture(scope="session")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, write_tones: Callable[..., Path], new_pipeline: Callable[..., Pipeline]
) -> Pipeline:
    """A pipeline of which only `prepare` has run: no TensorFlow yet."""
    made = new_pipeline(tmp_path_factory.mktemp("pipeline"))
    text = (HERE / "smoke.yaml").read_text(encoding="utf-8")
    made.params.write_text(text.replace("artifacts/registry", str(made.registry)), encoding="utf-8")
    write_tones(made.corpus)
    made.run("prepare", made.data)
    return made


@pytest.fixture(scope="session")
def trained(prepared: Pipeline, keras: Any) -> Pipeline:
    """The stages that train, in this process: TensorFlow is imported once."""
    for stage in ("train", "distill", "prune", "quantize", "convert"):
        prepared.run(stage, prepared.folder / stage)
    return prepared


@pytest.fixture(scope="session")
def pipeline(trained: Pipeline, project: Path) -> Pipeline:
    """Every stage, prepare to publish. `validate` is its own process: it sets TensorFlow's threads before anything else."""
    done = subprocess.run(
        trained.command("validate", trained.validate),
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for stage in ("gate", "publish"):
        trained.run(stage, trained.folder / stage)
    return trained


def environment() -> dict[str, str]:
    """The environment of a stage: the project importable, nothing of the tests' own strictness."""
    return {**os.environ, "PYTHONPATH": str(HERE.parent)}


@pytest.fixture(scope="session")
def shell(project: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command line from the project's root and gives what it said; a traceback is for the test to find."""

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=project, env=environment(), capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def examples(prepared: Pipeline) -> Any:
    """Features and labels of the tones, as training stages see them."""
    import models
    from tasks import clips

    return clips.examples(prepared.data, models.load("keywords"))


@pytest.fixture(scope="session")
def fsdd() -> Path:
    """The real digits; a test that asks for them carries the marker `real` and is skipped where there are none."""
    root = Path(os.environ.get("PIANISSIMO_DATA") or HERE.parents[1] / "shared/data")
    if not (root / "fsdd/labels.csv").is_file():
        pytest.skip(f"no FSDD in {root}; PIANISSIMO_DATA names another folder")
    return root / "fsdd"
