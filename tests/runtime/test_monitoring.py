"""What is counted, how it is told to Prometheus, what it was, and who is called when it goes wrong."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from pianissimo import memory, prometheus
from pianissimo.alerts import Alert, Alerts
from pianissimo.history import History
from pianissimo.metrics import FAMILIES, Metrics, combined
from prometheus_client.parser import text_string_to_metric_families

CLIP = np.random.default_rng(3).normal(0, 0.1, 16000).astype(np.float32)


def test_what_a_model_counts(stocked: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    root, counted = stocked("one"), Metrics()
    monkeypatch.setattr(pp.metrics, "PROCESS", counted)
    with pp.load("one", registry=root) as model:
        model.predict(CLIP, 16000)
        model.predict_batch([CLIP] * 5, 16000)
        with pytest.raises(pp.AudioError):
            model.predict(CLIP[:3], 16000)
    with pytest.raises(pp.BackendFailedError):
        model.predict(CLIP, 16000)
    values = counted.values()
    asked = {labels[2]: value for (name, labels), value in values.items() if name == "ml_inference_total"}
    assert asked == {"ok": 6, "refused": 1, "failed": 1}
    assert values["ml_backend_selected", ("numpy", "preferred")] == 1
    durations = counted.durations()["numpy", "one"]
    assert sum(durations.counts) == len(durations.recent) == 6
    figures = durations.figures()
    assert 0 < figures["p50_ms"] <= figures["p95_ms"] <= figures["p99_ms"]
    assert figures["mean_ms"] == pytest.approx(durations.total / 6 * 1e3)


def test_percentiles() -> None:
    counted = Metrics()
    for milliseconds in range(1, 101):
        counted.answered("onnx", "m", milliseconds / 1e3)
    figures = counted.durations()["onnx", "m"].figures()
    assert (figures["p50_ms"], figures["p95_ms"], figures["p99_ms"]) == pytest.approx((51, 96, 100))


def test_prometheus_reads_it_under_the_documented_names(stocked: Callable[..., Path]) -> None:
    with pp.Library(stocked("one"), keep=False) as library:
        for _ in range(3):
            library.predict("one", CLIP, 16000)
        text = prometheus.exposition().decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {name.removesuffix("_total") for name in FAMILIES} <= {name.removesuffix("_total") for name in families}
    assert 'ml_inference_total{backend="numpy",model="one",status="ok"}' in text
    assert 'ml_backend_selected{backend="numpy",reason="preferred"}' in text
    assert 'ml_inference_duration_seconds_bucket{backend="numpy",le="+Inf",model="one"}' in text
    samples = [
        sample for sample in families["ml_inference_duration_seconds"].samples if sample.labels["model"] == "one"
    ]
    buckets = [sample.value for sample in samples if sample.name.endswith("_bucket")]
    count = next(sample.value for sample in samples if sample.name.endswith("_count"))
    assert buckets == sorted(buckets)
    assert buckets[-1] == count >= 1
    (process,) = [each for each in families["ml_memory_bytes"].samples if each.labels["kind"] == "process"]
    assert process.value == pytest.approx(memory.resident(), rel=0.2)


def test_without_prometheus_client_everything_else_works(stocked: Callable[..., Path]) -> None:
    program = """
import sys
sys.modules["prometheus_client"] = None
import numpy as np
import pianissimo as pp
with pp.Library(sys.argv[1], keep=False) as library:
    library.predict("one", np.zeros(16000, np.float32), 16000)
    assert library.report()["metrics"]["ml_inference_total"][0]["value"] == 1
try:
    import pianissimo.prometheus
except pp.BackendMissingError as fault:
    print(fault)
"""
    done = subprocess.run([sys.executable, "-c", program, str(stocked("one"))], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "pip install 'pianissimo[metrics]'" in done.stdout


def test_the_memory_of_the_process_is_the_systems() -> None:
    psutil = pytest.importorskip("psutil")
    block = np.ones(50 * 2**20, np.uint8)
    assert memory.resident() == pytest.approx(psutil.Process().memory_info().rss, abs=2**21)
    before = memory.resident()
    del block
    memory.give_back()
    assert before - memory.resident() > 45 * 2**20


def test_history_over_minutes() -> None:
    clock = [0.0]
    history = History(10, lambda: clock[0])
    for minute in range(21):
        clock[0] = minute * 60.0
        values = {("ml_inference_total", ("onnx", "a", "ok")): 6.0 * minute}
        values["ml_inference_total", ("onnx", "b", "ok")] = float(minute)
        if minute < 5:
            values["ml_models_loaded", ()] = 1.0
        history.sample(values)
    points = history.of("ml_inference_total", model="a")
    assert points == [(minute * 60.0, 6.0 * minute) for minute in range(10, 21)]
    assert history.of("ml_inference_total", minutes=1) == [(1140.0, 133.0), (1200.0, 140.0)]
    assert history.rate("ml_inference_total", 5) == pytest.approx(7 / 60)
    assert history.rate("ml_inference_total", 5, model="b") == pytest.approx(1 / 60)
    assert history.of("ml_models_loaded") == []  # nothing of it is left
    assert history.rate("ml_models_loaded", 10) is None


def test_percentiles_are_not_added_up() -> None:
    values = {("p95_ms", ("onnx", "a")): 4.0, ("p95_ms", ("tflite", "b")): 9.0, ("ml_models_loaded", ()): 2.0}
    assert combined(values, "p95_ms", {}) == 9.0
    assert combined(values, "p95_ms", {"model": "a"}) == 4.0
    assert combined(values, "p95_ms", {"model": "c"}) is None


def test_an_alert_begins_and_ends_once(caplog: pytest.LogCaptureFixture) -> None:
    """Over the limit for a minute without a break; over again only when it is back at where it clears."""
    clock, told = [0.0], []
    alerts = Alerts(lambda: clock[0])
    alerts.add("slow", "p95_ms", told.append, above=50, clears_at=30, for_seconds=60, labels={"model": "a"})
    moves = [(0, 60), (30, 40), (40, 70), (90, 70), (100, 70), (130, 80), (140, 45), (150, 31), (160, 30), (170, 20)]
    for when, value in moves:
        clock[0] = when
        alerts.check({("p95_ms", ("onnx", "a")): value, ("p95_ms", ("onnx", "b")): 1000.0})
        assert bool(alerts.active()) == (100 <= when < 160)
    assert told == [
        Alert("slow", "p95_ms", 70, 50, active=True, when=100),
        Alert("slow", "p95_ms", 30, 50, active=False, when=160),
    ]


def test_an_alert_below_and_a_metric_without_a_value() -> None:
    told: list[Alert] = []
    alerts = Alerts(lambda: 0.0)
    alerts.add("none", "ml_models_loaded", told.append, below=1)
    for value in ({}, {("ml_models_loaded", ()): 2.0}, {("ml_models_loaded", ()): 0.0}, {}):
        alerts.check(value)
    assert [alert.active for alert in told] == [True]
    alerts.remove("none")
    assert alerts.active() == []
    with pytest.raises(pp.SwitchError, match="as there are no rules"):
        alerts.remove("none")


def test_a_callback_that_fails_is_told_and_the_next_is_called(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Alert] = []
    alerts = Alerts()
    alerts.add("first", "ml_degraded", lambda alert: 1 / 0, above=0)
    alerts.add("second", "ml_degraded", told.append, above=0)
    with caplog.at_level(logging.ERROR, "pianissimo"):
        alerts.check({("ml_degraded", ()): 1.0})
    assert len(told) == 1
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"metric": "speed", "above": 1}, "metric: found speed; allowed: ml_inference_total"),
        ({"metric": "p95_ms"}, "either above or below"),
        ({"metric": "p95_ms", "above": 1, "below": 2}, "either above or below"),
        ({"metric": "p95_ms", "above": 1, "clears_at": 2}, "the right side of 1"),
        ({"metric": "p95_ms", "above": 1, "labels": {"colour": "red"}}, "allowed: backend, model"),
    ],
)
def test_rules_that_make_no_sense(condition: dict[str, Any], message: str) -> None:
    with pytest.raises(pp.SwitchError, match=message):
        Alerts().add("odd", callback=print, **condition)


def test_a_library_feeds_history_and_alerts(stocked: Callable[..., Path]) -> None:
    told: list[Alert] = []
    with pp.Library(stocked("one"), keep=False) as library:
        library.alerts.add("loaded", "ml_models_loaded", told.append, above=0)
        library.predict("one", CLIP, 16000)
        library.sweep()
        assert told[-1].active
        assert library.report()["alerts"][0]["name"] == "loaded"
        assert library.history.of("ml_inference_total", model="one")[-1][1] >= 1
        assert library.history.of("p95_ms", model="one")
