"""The web service under `examples/`, asked as its callers ask it."""

from __future__ import annotations

import importlib.util
import io
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from prometheus_client.parser import text_string_to_metric_families

EXAMPLE = Path(__file__).parents[2] / "examples" / "service.py"
RNG = np.random.default_rng(4)
CLIPS = [(RNG.normal(0, 0.1, 16000) * 2**15).astype(np.int16) for _ in range(8)]


def recorded(clip: np.ndarray) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as stream:
        stream.setparams((1, 2, 16000, 0, "NONE", ""))
        stream.writeframes(clip.astype("<i2").tobytes())
    return file.getvalue()


@pytest.fixture
def root(stocked: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = stocked("one", "two")
    monkeypatch.setenv("PIANISSIMO_REGISTRY", str(folder))
    return folder


@pytest.fixture
def service(root: Path) -> Iterator[Any]:
    testclient = pytest.importorskip("fastapi.testclient")
    spec = importlib.util.spec_from_file_location("service", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with testclient.TestClient(module.app) as client:
        yield client


def test_a_recording_is_answered(service: Any, root: Path) -> None:
    said = service.post("/predict/one?platform=edge", content=recorded(CLIPS[0]))
    assert said.status_code == 200
    with pp.load("one", registry=root) as model:
        expected = model.predict(CLIPS[0], 16000)
    assert (said.json()["label"], said.json()["scores"]) == (expected.label, expected.scores)


def test_a_hundred_callers_at_once(service: Any, root: Path) -> None:
    with pp.load("one", registry=root) as one, pp.load("two", registry=root) as two:
        right = {
            (name, at): model.predict(clip, 16000).label
            for name, model in {"one": one, "two": two}.items()
            for at, clip in enumerate(CLIPS)
        }
    jobs = [(("one", "two")[number % 2], number % len(CLIPS)) for number in range(100)]

    def ask(job: tuple[str, int]) -> str:
        return str(service.post(f"/predict/{job[0]}", content=recorded(CLIPS[job[1]])).json()["label"])

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(ask, jobs)) == [right[job] for job in jobs]


def test_metrics_and_report(service: Any) -> None:
    service.post("/predict/one", content=recorded(CLIPS[0]))
    said = service.get("/metrics")
    assert said.headers["content-type"].startswith("text/plain")
    samples = [sample for family in text_string_to_metric_families(said.text) for sample in family.samples]
    assert [sample for sample in samples if sample.name == "ml_inference_total" and sample.labels["model"] == "one"]
    assert service.get("/health").json() == {"degraded": False}
    assert service.get("/report").json()["models"][0]["model"] == "one"


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/predict/three", recorded(CLIPS[0]), 404, "known: one, two"),
        ("/predict/one?platform=moon", recorded(CLIPS[0]), 404, "known: edge"),
        ("/predict/ONE", recorded(CLIPS[0]), 422, "a-z"),
        ("/predict/one", b"", 422, "the recording"),
        ("/predict/one", b"RIFF and so on", 422, "the recording"),
        ("/predict/one", recorded(CLIPS[0][:4]), 422, "at least 16 samples"),
        ("/predict/one", bytes(21 * 2**20), 413, "shorter"),
    ],
)
def test_what_is_wrong_is_said(service: Any, path: str, body: bytes, status: int, words: str) -> None:
    said = service.post(path, content=body)
    assert said.status_code == status
    assert words in said.text


def test_a_fault_of_the_service_is_not_the_callers(service: Any, root: Path) -> None:
    for blob in (root / "blobs").rglob("*"):
        if blob.is_file():
            blob.write_bytes(b"spoilt")
    said = service.post("/predict/one", content=recorded(CLIPS[0]))
    assert (said.status_code, said.json()["error"]) == (503, "IntegrityError")
