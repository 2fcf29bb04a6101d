"""Phonemes for a service: one model a process, warm before the first question, with a way out and figures about itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from pianissimo import loader, phonemes

import registry
from tests.runtime.conftest import publish_folder
from tests.runtime.test_streams import RATE, phrases, sound, transcriber  # noqa: F401

Make = Callable[..., Path]


@pytest.fixture
def root(assemble: Make, tmp_path: Path) -> Path:
    """A registry with a transcriber called phoneme, on one platform."""
    build = transcriber(assemble, model="phoneme")
    publish_folder(registry.open_store(str(tmp_path / "registry")), build)
    return tmp_path / "registry"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the models that were opened."""
    names: list[str] = []

    def counted(name: str, *rest: Any) -> pp.Model:
        names.append(name)
        return loader.load(name, *rest)

    monkeypatch.setattr(phonemes, "load", counted)
    return names


def test_extracting(root: Path) -> None:
    with pp.load("phoneme", registry=root) as model:
        expected = model.predict(sound(2), RATE)
    found = pp.Phonemes(registry=root).extract(sound(2), RATE)
    assert found.phonemes == tuple(symbol.label for symbol in expected.symbols)
    assert (found.symbols, found.confidence, found.backend) == (expected.symbols, expected.score, "numpy")
    assert (found.seconds, found.milliseconds > 0) == (2.0, True)


def test_one_model_a_process(root: Path, opened: list[str]) -> None:
    """Also when thirty-two ask at once, before it is there."""
    faces = [pp.Phonemes(registry=root if at % 2 else str(root)) for at in range(8)]
    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(lambda at: faces[at % 8].extract(sound(1), RATE).phonemes, range(32)))
    assert (len(found), opened) == (1, ["phoneme"])
    pp.Phonemes(registry=root, threads=2).warm_up()
    assert len(opened) == 2


def test_nothing_is_opened_before_it_is_needed(root: Path, opened: list[str]) -> None:
    face = pp.Phonemes(registry=root)
    assert (face.performance_info["loaded"], opened) == (False, [])
    face.warm_up()
    info = face.performance_info
    assert (info["loaded"], info["extractions"], info["latency"], opened) == (True, 0, None, ["phoneme"])
    assert info["load_ms"] > 0
    assert info["warm_up_ms"] > 0


def test_without_a_warm_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pp.Phonemes(registry=root, warm_up=False).warm_up().performance_info["warm_up_ms"] < 1
    monkeypatch.setenv("PIANISSIMO_WARM_UP", "perhaps")
    with pytest.raises(pp.SwitchError, match="PIANISSIMO_WARM_UP: found perhaps; allowed: 1, true"):
        pp.Phonemes(registry=root)


def test_how_it_goes(root: Path) -> None:
    face = pp.Phonemes(registry=root)
    for seconds in (1, 2, 3):
        face.extract(sound(seconds), RATE)
    info = json.loads(json.dumps(face.performance_info))
    assert (info["extractions"], info["failures"], info["fallbacks"], info["seconds"]) == (3, 0, 0, 6.0)
    assert (info["model"], info["version"], info["platform"], info["backend"]) == ("phoneme", 1, "edge", "numpy")
    assert 0 < info["latency"]["p50_ms"] <= info["latency"]["p99_ms"]
    assert info["real_time_factor"] == pytest.approx(info["latency"]["mean_ms"] * 3 / 6e3)
    assert info["passed_over"] == []
    with pytest.raises(pp.AudioError):
        face.extract(np.zeros(3, np.float32), RATE)
    assert face.performance_info["extractions"] == 3


def test_the_fallback_answers_when_the_model_cannot(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    asked: list[tuple[int, int]] = []

    def other(audio: Any, rate: int) -> list[str]:
        asked.append((len(audio), rate))
        return ["a", "b"]

    face = pp.Phonemes(registry=tmp_path / "nowhere", fallback=other)
    for _ in range(3):
        found = face.extract(sound(1), RATE)
        assert (found.phonemes, found.backend, found.confidence, found.symbols) == (("a", "b"), "fallback", 0.0, ())
    info = face.performance_info
    assert (info["fallbacks"], info["failures"], info["extractions"]) == (3, 1, 0)  # it is not tried at every request
    assert asked == [(RATE, RATE)] * 3
    assert "there is no such folder" in caplog.text
    with pytest.raises(pp.RegistryError):
        pp.Phonemes(registry=tmp_path / "nowhere").extract(sound(1), RATE)


def test_a_failing_network_is_told_or_fallen_back_from(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = pp.load("phoneme", registry=root)
    face, safe = pp.Phonemes(model), pp.Phonemes(model, fallback=lambda audio, rate: ["c"])
    assert face.extract(sound(1), RATE).backend == safe.extract(sound(1), RATE).backend == "numpy"
    with monkeypatch.context() as broken:
        broken.setattr("pianissimo.backends.arrays.ArraysSession.run", lambda self, features: 1 / 0)
        with pytest.raises(pp.BackendFailedError, match="ZeroDivisionError"):
            face.extract(sound(1), RATE)
        assert safe.extract(sound(1), RATE).phonemes == ("c",)
    assert safe.extract(sound(1), RATE).backend == "numpy"  # one that is open is tried again at once
    assert face.performance_info["failures"] == safe.performance_info["failures"] == 1


def test_models_that_transcribe_nothing(published: Make) -> None:
    face = pp.Phonemes("tones", registry=published(edge=["onnx"]), fallback=lambda audio, rate: [])
    with pytest.raises(pp.TaskError, match="tones is a model of the task classify and cannot extract phonemes"):
        face.extract(sound(1), RATE)


def test_the_environment_says_what_is_left_out(root: Path) -> None:
    code = "import pianissimo as pp; print(pp.Phonemes().warm_up().performance_info)"
    environment = os.environ | {
        "PIANISSIMO_REGISTRY": str(root),
        "PIANISSIMO_CHANNEL": "candidate",
        "PIANISSIMO_WARM_UP": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"PIANISSIMO_PLATFORM": "edge", "PIANISSIMO_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "'loaded': True" in done.stdout
    for name, value, words in [
        ("PIANISSIMO_PLATFORM", "server", "no platform server; known: edge"),
        ("PIANISSIMO_CHANNEL", "beta", "no channel beta"),
        ("PIANISSIMO_THREADS", "two", "PIANISSIMO_THREADS: found two"),
        ("PIANISSIMO_THREADS", "0", "threads=0; allowed: 1 or more"),
    ]:
        failed = subprocess.run(
            [sys.executable, "-c", code], env=environment | {name: value}, capture_output=True, text=True, check=False
        )
        assert (failed.returncode, words in failed.stderr) == (1, True), failed.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forked_workers(root: Path) -> None:
    code = (
        "import os, sys, numpy as np, pianissimo as pp\n"
        f"face = pp.Phonemes(registry={str(root)!r}).warm_up()\n"
        "clip = np.random.default_rng(0).normal(0, 0.1, 16000)\n"
        "expected = face.extract(clip, 16000).phonemes\n"
        "child = os.fork()\n"
        "if child == 0: os._exit(0 if face.extract(clip, 16000).phonemes == expected else 3)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
