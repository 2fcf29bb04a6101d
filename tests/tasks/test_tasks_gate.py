"""The gate writes a verdict whatever it is, with every figure beside its limit and the sha256 of what it judged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tasks import records


def verdict(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "verdict.json").read_text()))


def test_what_keeps_its_limits_passes(pipeline: Any) -> None:
    found = verdict(pipeline.gate)
    assert found["passed"] is True
    assert all(platform["passed"] and platform["reasons"] == [] for platform in found["platforms"].values())


def test_every_figure_stands_beside_its_limit(pipeline: Any) -> None:
    judged = verdict(pipeline.gate)["platforms"]["mcu"]["limits"]["tflite-int8"]
    assert {item["limit"]: item["allowed"] for item in judged} == {
        "floor": 80.0,
        "max_drop": 5.0,
        "max_bytes": 40960,
        "smaller": 30,
        "max_arena": 65536,
        "agreement": 90.0,
    }
    assert all(item["figure"] is not None for item in judged)


def test_every_variant_of_a_platform_is_judged(pipeline: Any) -> None:
    assert set(verdict(pipeline.gate)["platforms"]["mobile"]["limits"]) == {"tflite-int8", "tflite-float16"}


def test_it_speaks_for_the_very_files(pipeline: Any) -> None:
    for platform in verdict(pipeline.gate)["platforms"].values():
        for name, sha256 in platform["sha256"].items():
            assert hashlib.sha256((pipeline.convert / "files" / name).read_bytes()).hexdigest() == sha256


def test_a_rejection_is_a_result_and_says_why(pipeline: Any, tmp_path: Path, edited: Any, shell: Any) -> None:
    """Through the command line: its exit status is 0."""
    params = edited(
        {
            "gate.platforms.edge.max_bytes": 1000,
            "gate.platforms.cloud.floor": 100.0,
            "gate.platforms.cloud.max_drop": 0.0,
        }
    )
    done = shell(*pipeline.command("gate", tmp_path / "gate", params=params))
    assert done.returncode == 0, done.stderr
    found = verdict(tmp_path / "gate")
    assert found["passed"] is False
    assert found["platforms"]["mcu"]["passed"] is True
    (reason,) = found["platforms"]["edge"]["reasons"]
    assert reason.startswith("tflite-int8: ")
    assert reason.endswith("bytes, allowed 1,000")
    record = records.read(tmp_path / "gate")
    assert f"edge: {reason}" in record.reason
    assert record.facts["passed"] is False
    assert "edge" in record.facts["rejected"]


@pytest.mark.parametrize("limits", [{}, {"mcu": {"floor": 1.0}}], ids=["none", "for another platform"])
def test_a_gate_without_limits_rejects(pipeline: Any, tmp_path: Path, edited: Any, limits: dict[str, Any]) -> None:
    pipeline.run("gate", tmp_path / "gate", params=edited({"gate.platforms": limits}))
    found = verdict(tmp_path / "gate")
    assert found["passed"] is False
    for name in set(found["platforms"]) - set(limits):
        assert (
            "the gate has no limits for this platform, so nothing can pass it" in found["platforms"][name]["reasons"][0]
        )


def test_an_absent_record_is_named(pipeline: Any, tmp_path: Path) -> None:
    with pytest.raises(records.RecordError, match=r"record\.json is not there; run the stage that writes it"):
        pipeline.run("gate", tmp_path / "gate", validate=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("figure", "value", "words"),
    [
        (
            "broken",
            "runtime from audio: scores differ by up to 0.5, allowed 1e-05",
            "runtime from audio: scores differ",
        ),
        ("audit", ["an int8 file computes in float: logits"], "an int8 file computes in float: logits"),
        ("memory_mb", None, "max_memory_mb is 100, but memory_mb was not measured here"),
    ],
)
def test_a_fault_in_one_variant_rejects_its_platform(
    pipeline: Any, tmp_path: Path, figure: str, value: Any, words: str
) -> None:
    record = json.loads((pipeline.validate / "record.json").read_text())
    record["facts"]["platforms"]["edge"]["tflite-int8"][figure] = value
    (tmp_path / "validate").mkdir()
    (tmp_path / "validate/record.json").write_text(json.dumps(record))
    pipeline.run("gate", tmp_path / "gate", validate=tmp_path / "validate")
    found = verdict(tmp_path / "gate")["platforms"]
    assert [name for name, platform in found.items() if not platform["passed"]] == ["edge"]
    assert words in found["edge"]["reasons"][0]
