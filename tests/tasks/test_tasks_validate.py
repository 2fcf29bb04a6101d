"""What validate measures of every variant, and the golden vectors it leaves."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tasks import clips, records

RUNGS = ["teacher", "framework float", "converted float"]


@pytest.fixture(scope="module")
def platforms(pipeline: Any) -> dict[str, Any]:
    return dict(records.read(pipeline.validate).facts["platforms"])


def variants(platforms: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for platform, found in platforms.items():
        for name, figures in found.items():
            yield platform, name, figures


def test_every_variant_is_measured(platforms: dict[str, Any]) -> None:
    assert {(platform, name) for platform, name, _ in variants(platforms)} == {
        ("mcu", "tflite-int8"),
        ("edge", "tflite-int8"),
        ("mobile", "tflite-int8"),
        ("mobile", "tflite-float16"),
        ("cloud", "onnx-float32"),
        ("cloud", "tflite-float32"),
    }


def test_figures_are_numbers_that_can_be(platforms: dict[str, Any]) -> None:
    for _, name, figures in variants(platforms):
        numbers = [value for value in figures.values() if isinstance(value, float)]
        assert all(math.isfinite(number) for number in numbers)
        assert 0 <= figures["score"] <= 100
        assert figures["drop"] == pytest.approx(figures["teacher_score"] - figures["score"])
        assert figures["drop_interval"][0] <= figures["drop"] <= figures["drop_interval"][1]
        assert 0 < figures["p50_ms"] <= figures["p95_ms"] <= figures["p99_ms"]
        assert 20 < figures["memory_mb"] < 200
        assert (figures["faster_than_float"] is None) == name.endswith("float32"), "nothing stands beside the float form"


def test_sizes_are_those_of_the_files(pipeline: Any, platforms: dict[str, Any]) -> None:
    manifest = json.loads((pipeline.convert / "files/manifest.json").read_text())
    for platform, name, figures in variants(platforms):
        (described,) = [v for v in manifest["platforms"][platform]["variants"] if v["name"] == name]
        file = pipeline.convert / "files" / described["files"][0]["name"]
        teacher = pipeline.convert / f"files/reference/teacher.{described['backend']}"
        assert figures["bytes"] == file.stat().st_size
        assert figures["smaller"] == pytest.approx(100 * (1 - file.stat().st_size / teacher.stat().st_size))
        for entry in described["files"]:
            content = (pipeline.convert / "files" / entry["name"]).read_bytes()
            assert figures["sha256"][entry["name"]] == hashlib.sha256(content).hexdigest()


def test_the_ladder_goes_from_the_framework_to_raw_audio(platforms: dict[str, Any]) -> None:
    for platform, name, figures in variants(platforms):
        precision = name.split("-")[1]
        expected = [*RUNGS, f"converted {precision}", "runtime from audio", "runtime from file"]
        assert [step["name"] for step in figures["ladder"]] == expected + ["microcontroller kernels"] * (
            platform == "mcu"
        )
        assert figures["broken"] == ""
        assert figures["audit"] == []


def test_only_a_microcontroller_has_an_arena(platforms: dict[str, Any]) -> None:
    assert [platform for platform, _, figures in variants(platforms) if figures["arena"]] == ["mcu"]


def test_golden_vectors_are_clips_of_validation(pipeline: Any) -> None:
    held = clips.read(pipeline.data, "validation")
    with np.load(pipeline.validate / "golden.npz", allow_pickle=False) as golden:
        assert golden["audio"].shape == (3, 16_000)
        assert golden["features"].shape == (3, 49, 40)
        assert all(any(np.array_equal(row, clip) for clip in held.audio) for row in golden["audio"])
        scores = {name: golden[name] for name in golden.files if name.startswith("scores/")}
    assert set(scores) == {
        f"scores/{platform}/{name}"
        for platform, name, _ in variants(records.read(pipeline.validate).facts["platforms"])
    }
    assert all(np.allclose(found.sum(axis=1), 1, atol=0.05) for found in scores.values())


def test_metrics_are_few(pipeline: Any, platforms: dict[str, Any]) -> None:
    shown = json.loads((pipeline.validate / "metrics.json").read_text())
    assert set(shown) == set(platforms)
    assert shown["edge"]["score"] == platforms["edge"]["tflite-int8"]["score"]
