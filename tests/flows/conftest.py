"""A DVC project in miniature, two models of nine stages each, and Prefect's own server for tests."""

from __future__ import annotations

import gc
import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from frameworks.recipe import STAGES
from tests.registry import s3_servers

MODELS = ("keywords", "sirens")  # the first is the project's own, so that `python -m flows` knows it
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",  # a stage on its own, without a flow
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "PIANISSIMO_TRAININGS": "32",  # what trains beside the tests does not hold them up
}
FRONTEND = {
    "kind": "log_mel",
    "sample_rate": 16000,
    "seconds": 1.0,
    "frame": 480,
    "hop": 320,
    "fft": 512,
    "mels": 40,
    "fmin": 20.0,
    "fmax": 4000.0,
}
SECONDS = 120  # after which something that should have happened counts as not happening, on a machine that others share

# Stands in for every stage: writes what flows read of it. A file STAGE@MODEL.fault makes it fail with those words; a pipe
# STAGE@MODEL.pulse makes it say its process id there and go on until it is ended or the pipe is gone. TINY names the folder
# these lie in, for trials, which run elsewhere; STAGE@MODEL.0.7.fault is for the trial that prunes so many channels.
WORK = """
import json, os, sys, time
from ruamel.yaml import YAML
from pathlib import Path

MAKING = ("train", "distill", "prune", "quantize", "convert")
stage, name, *sources, dest = sys.argv[1:]
home, dest = Path(os.environ.get("TINY", ".")), Path(dest)
with open(home / "runs.txt", "a") as runs:
    runs.write(f"{stage}@{name}\\n")
print(f"this is {stage} of {name}", flush=True)
recipe = YAML(typ="safe").load(Path("params.yaml").read_text())["models"].get(name, {})  # a trial's is no JSON
channels = recipe.get("prune", {}).get("channels", 0)
faults = [home / f"{stage}@{name}.fault", home / f"{stage}@{name}.{channels}.fault"]
fault, pulse = next((one for one in faults if one.is_file()), faults[0]), home / f"{stage}@{name}.pulse"
if fault.is_file():
    sys.exit(fault.read_text())
if pulse.is_fifo():
    alive = open(pulse, "w")
    print(os.getpid(), file=alive, flush=True)
    while pulse.is_fifo():
        time.sleep(0.05)

dest.mkdir(parents=True, exist_ok=True)
facts = {}
for made, later in (("train", MAKING), ("prune", MAKING[2:])):  # what was set is seen in what is made of it
    if stage in later and recipe.get(made):
        facts[made] = recipe[made]
if stage == "prepare":
    (dest / "clips").mkdir(exist_ok=True)
    for split in ("validation", "test"):
        (dest / "clips" / f"{split}.npz").write_text(split)
if stage == "convert":
    (dest / "files").mkdir(exist_ok=True)
    (dest / "files" / "manifest.json").write_text("{}")
if stage == "validate":
    facts["heard"] = Path(sources[0], "clips/test.npz").read_text()
    (dest / "golden.npz").write_text("")
    own = dict(score=90.0 - 4 * channels, drop=0.5, drop_interval=[0.1, 0.9], bytes=10 - round(10 * channels))
    own.update(compressed_bytes=9, smaller=90.0, memory_mb=3.0)
    speed = dict(p50_ms=1.0, p95_ms=1.2, p99_ms=1.5, predict_p50_ms=2.0, predict_p99_ms=3.0, faster=2.0, faster_than_float=1.5)
    teacher = dict(teacher_score=90.5, teacher_bytes=100, teacher_p50_ms=2.0, framework_p50_ms=5.0, teacher_backend="tflite")
    rung = dict(name="teacher", score=90.5, drop=0.0, agreement=100.0, distance=0.0, broken="")
    facts["platforms"] = {"edge": {"int8": {**own, **speed, **teacher, "ladder": [rung], "broken": ""}}}
if stage == "gate":
    floor = recipe["gate"]["platforms"]["edge"]["floor"]
    score = 90.0 - 4 * channels
    reasons = [f"int8: {score:.2f} %, wanted {floor:g} %"] if floor > score else []
    judged = dict(limit="floor", allowed=floor, figure=score, reason="".join(reasons))
    edge = {"passed": not reasons, "reasons": reasons, "limits": {"int8": [judged]}}
    (dest / "verdict.json").write_text(json.dumps({"model": name, "passed": not reasons, "platforms": {"edge": edge}}))
if stage == "publish" and json.loads(Path("artifacts", name, "gate", "verdict.json").read_text())["passed"]:
    registry = recipe["publish"].get("registry", "artifacts/registry")
    facts.update(version=1, registry=registry)
    version = Path(registry, "models", name, "versions/1")
    version.mkdir(parents=True, exist_ok=True)
    manifest = dict(version=1, created="2026-01-01T00:00:00Z", platforms={}, lineage={})
    (version / "manifest.json").write_text(json.dumps(manifest))
    (version / "README.md").write_text(f"# {name}")
if stage == "corpus":
    (dest / "labels.csv").write_text("path,label,group\\n")
(dest / "record.json").write_text(json.dumps(dict(stage=stage, model=name, facts=facts)))
"""


class Tiny:
    """A project in `folder`; what is changed in it is changed for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def change(self, place: str, value: Any) -> None:
        """Sets `keywords.gate.platforms.edge.floor`, say, in params.yaml."""
        file = self.folder / "params.yaml"
        tree = json.loads(file.read_text())
        *parts, last = ("models", *place.split("."))
        node = tree
        for part in parts:
            node = node[part]
        node[last] = value
        file.write_text(json.dumps(tree, indent=1))

    def fault(self, target: str, words: str) -> None:
        """Makes a stage that is not up to date end with status 1 and these words."""
        (self.folder / f"{target}.fault").write_text(words)

    def runs(self) -> list[str]:
        """Every stage that ran since the project was there, in order."""
        file = self.folder / "runs.txt"
        return file.read_text().split() if file.is_file() else []

    def manifest(self, model: str) -> Path:
        """What the published version leaves in the registry."""
        return self.folder / "artifacts/registry/models" / model / "versions/1/manifest.json"

    def dvc(self, *words: str) -> None:
        """Runs a DVC command there."""
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *words], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


class Pulse:
    """A pipe that a stage holds open for as long as it lives, whoever has become its parent."""

    def __init__(self, file: Path) -> None:
        self._file = file
        os.mkfifo(file)
        self._end = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
        self._process: int | None = None

    def begun(self, seconds: float = SECONDS) -> bool:
        """Waits until the stage runs."""
        self._process = int(self._next(seconds) or 0) or None
        return self._process is not None

    def release(self) -> None:
        """Lets the stage go on."""
        self._file.unlink()

    def ended(self) -> bool:
        """Waits until the stage is gone."""
        if self._next() != b"":
            return False
        self._process = None
        return True

    def close(self) -> None:
        """Leaves nothing running, whatever the test found."""
        os.close(self._end)
        if self._process:
            with suppress(ProcessLookupError):
                os.kill(self._process, 9)

    def _next(self, seconds: float = SECONDS) -> bytes | None:
        ready, _, _ = select.select([self._end], [], [], seconds)
        return os.read(self._end, 100) if ready else None


def _recipe() -> dict[str, Any]:
    return {
        "framework": "keras",
        "seed": 1,
        "prepare": {"corpus": "data/corpora/tones", "frontend": FRONTEND},
        **{stage: {} for stage in ("train", "distill", "prune", "quantize", "validate", "publish")},
        "convert": {"platforms": {"edge": {"variants": [{"backend": "tflite", "precision": "int8"}]}}},
        "gate": {"platforms": {"edge": {"floor": 80.0}}},
    }


def _stages() -> dict[str, Any]:
    """dvc.yaml, in the form of the real one: a corpus, the runtime, and each stage depending on the one before it."""
    made: dict[str, Any] = {
        "corpus": {
            "foreach": "${corpora}",
            "do": {
                "cmd": "python work.py corpus ${key} data/corpora/${key}",
                "params": ["corpora.${key}"],
                "outs": ["data/corpora/${key}"],
            },
        },
        "runtime": {
            "cmd": "python work.py runtime wheel artifacts/runtime",
            "deps": ["work.py"],  # as the real one has its sources
            "outs": ["artifacts/runtime"],
        },
    }
    before = "${item.prepare.corpus}"
    for stage in STAGES:
        dest = "data/${key}" if stage == "prepare" else f"artifacts/${{key}}/{stage}"
        more = {"prepare": "clips", "convert": "files", "validate": "golden.npz", "gate": "verdict.json"}.get(stage)
        outs = [f"{dest}/record.json", *([f"{dest}/{more}"] if more else [])]
        read = ["data/${key}"] if stage == "validate" else []
        do = {
            "cmd": " ".join(["python work.py", stage, "${key}", *read, dest]),
            "deps": [before, *(f"{folder}/clips" for folder in read)],
            "params": [f"models.${{key}}.{stage}"],
            "outs": outs,
        }
        made[stage] = {"foreach": "${models}", "do": do}
        before = outs[-1] if stage == "gate" else outs[0]
    return made


@pytest.fixture(scope="session", autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is told to anyone, and what DVC and Prefect keep for themselves is kept in a folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in QUIET.items():
            patch.setenv(name, value)
        for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR", "PREFECT_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


@pytest.fixture(scope="session")
def harness(_alone: None) -> Iterator[str]:
    """The address of Prefect's server, with a database of its own, for these tests only."""
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=300):
        yield str(PREFECT_API_URL.value())


@pytest.fixture(autouse=True)
def _sockets_of_prefect() -> Iterator[None]:
    """Prefect leaves connections to the collector: they go within the test that made them, whose module allows it."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def never_run(tmp_path_factory: pytest.TempPathFactory, _alone: None) -> Path:
    """The project as it is checked out."""
    folder = tmp_path_factory.mktemp("never_run")
    (folder / "work.py").write_text(WORK)
    settings = {"corpora": {"tones": {"seed": 1}}, "models": {model: _recipe() for model in MODELS}}
    (folder / "params.yaml").write_text(json.dumps(settings, indent=1))
    stages = {"vars": ["params.yaml"], "stages": _stages()}
    (folder / "dvc.yaml").write_text(json.dumps(stages, indent=1))
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    Tiny(folder).dvc("init", "--quiet")
    Tiny(folder).dvc("config", "core.autostage", "false")
    return folder


@pytest.fixture(scope="session")
def once_run(never_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with every stage up to date, by DVC alone."""
    folder = tmp_path_factory.mktemp("once_run") / "project"
    shutil.copytree(never_run, folder)
    Tiny(folder).dvc("repro", "--quiet")
    (folder / "runs.txt").unlink()
    return folder


@pytest.fixture
def fresh(never_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    """A project of which nothing has run, and the test in its folder."""
    return _copy(never_run, tmp_path, monkeypatch)


@pytest.fixture
def done(once_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    """A project of which everything has run, and the test in its folder."""
    return _copy(once_run, tmp_path, monkeypatch)


def _copy(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    shutil.copytree(source, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return Tiny(tmp_path / "project")


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An S3 server with a bucket, and credentials for it, for tests that ask for it."""
    with pytest.MonkeyPatch.context() as patch, s3_servers.rclone(tmp_path_factory.mktemp("s3")) as endpoint:
        nothing = tmp_path_factory.mktemp("aws") / "config"
        nothing.touch()  # DVC wants a file that is one, unlike boto3
        files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), str(nothing))
        for name, value in {**s3_servers.SETTINGS, **s3_servers.NOWHERE, **files}.items():
            patch.setenv(name, value)
        s3_servers.make_bucket(endpoint)
        yield endpoint


@pytest.fixture
def both_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The project's list of models is this project's."""
    import flows.choices  # noqa: F401  # which keeps what the list is when it is first imported
    import models

    load = models.load
    monkeypatch.setattr(models, "names", lambda: list(MODELS))
    monkeypatch.setattr(models, "load", lambda name: load("keywords") if name in MODELS else load(name))


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[Callable[[Tiny, str], Pulse]]:
    """`pulse(tiny, "train@keywords")` makes that stage run until it is ended, and tells whether it lives."""
    made: list[Pulse] = []

    def make(tiny: Tiny, target: str) -> Pulse:
        made.append(Pulse(tiny.folder / f"{target}.pulse"))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def python(harness: str, project: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts this Python in the folder the test is in; Prefect in it asks the tests' server, or one of its own."""

    def start(*words: str, harness: bool = True) -> subprocess.Popen[str]:
        env = {**os.environ, "PYTHONPATH": str(project), **({"PREFECT_API_URL": url} if harness else {})}
        process = subprocess.Popen(
            [sys.executable, *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    url, started = harness, list[subprocess.Popen[str]]()
    yield start
    for process in started:
        process.kill()
        process.communicate()
