"""The gate's judgement: at a limit passes, beyond it fails in words, and what was not measured cannot pass."""

from __future__ import annotations

from typing import Any

import pytest

from frameworks.proof.verdict import RULES, Judged, judge
from frameworks.recipe import Limits

FIGURES: dict[str, Any] = {
    "score": 96.0,
    "teacher_score": 97.0,
    "drop": 1.0,
    "drop_interval": [0.2, 1.8],
    "drop_from_float": 0.2,
    "bytes": 40_960,
    "smaller": 70.0,
    "faster": 3.0,
    "faster_than_float": 1.0,
    "p95_ms": 0.5,
    "memory_mb": 60.0,
    "arena": 16_384,
    "agreement": 99.5,
    "distance": 0.02,
    "broken": "",
    "audit": [],
}


def reasons(limits: Limits | None, better: int = 1, **changed: Any) -> list[str]:
    """Why FIGURES with `changed` would be rejected; nothing when they pass."""
    return [item.reason for item in judge(limits, {**FIGURES, **changed}, better) if item.reason]


# limit, its figure, the value at the limit, one just beyond, and the words
LIMITS: list[tuple[str, str, float, float, str]] = [
    ("floor", "score", 96, 95.99, "a score of 95.99 %, wanted 96 %"),
    (
        "max_drop",
        "drop",
        1,
        1.01,
        r"lost 1.01 points against the teacher (95 % interval 0.20 to 1.80 points), allowed 1",
    ),
    (
        "max_drop_from_float",
        "drop_from_float",
        0.3,
        0.31,
        "lost 0.31 points against its own float form, allowed 0.3",
    ),
    ("max_bytes", "bytes", 40_960, 40_961, "40,961 bytes, allowed 40,960"),
    ("smaller", "smaller", 70, 69.9, "69.9 % smaller than the teacher, wanted 70 %"),
    ("faster_than_float", "faster_than_float", 1, 0.95, "0.95 times as fast as its own float form, wanted 1"),
    ("faster", "faster", 3, 2.99, "2.99 times as fast as the teacher in the same runtime, wanted 3"),
    ("max_p95_ms", "p95_ms", 0.5, 0.501, "p95 of 0.501 ms, allowed 0.5 ms"),
    (
        "max_predict_p99_ms", "predict_cpu_p99_ms", 20, 20.5,
        "p99 of 20.500 ms of processor time from audio to answer, allowed 20",
    ),
    ("max_frame_p99_ms", "frame_cpu_p99_ms", 2, 2.5, "p99 of 2.500 ms of processor time a frame, allowed 2"),
    ("max_rtf", "rtf", 0.1, 0.11, "0.1100 seconds a second of audio, allowed 0.1"),
    ("max_memory_mb", "memory_mb", 60, 60.1, "a fresh process peaks at 60.1 MB, allowed 60 MB"),
    ("max_arena", "arena", 16_384, 16_400, "a tensor arena of 16,400 bytes, allowed 16,384"),
    ("agreement", "agreement", 99.5, 99.49, "99.49 % of answers as its float form, wanted 99.5 %"),
    ("max_distance", "distance", 0.02, 0.0201, "scores up to 0.0201 from its float form, allowed 0.02"),
    ("max_false_accepts", "false_accepts", 20, 20.5, "lets in 20.5 % of strangers at its threshold, allowed 20 %"),
    (
        "max_false_rejects", "false_rejects", 20, 20.5,
        "keeps out 20.5 % of rightful attempts at its threshold, allowed 20 %",
    ),
]


@pytest.mark.parametrize(("limit", "figure", "at", "beyond", "words"), LIMITS, ids=[row[0] for row in LIMITS])
def test_a_limit_holds_up_to_itself(limit: str, figure: str, at: float, beyond: float, words: str) -> None:
    limits = Limits(**{limit: at})
    assert reasons(limits, **{figure: at}) == []
    assert reasons(limits, **{figure: beyond}) == [words]


def test_every_limit_is_in_the_table_above() -> None:
    assert {row[0] for row in LIMITS} | {"drop_type"} == set(Limits.model_fields)
    assert set(RULES) < set(Limits.model_fields)


@pytest.mark.parametrize("limit", sorted(RULES))
def test_a_figure_that_was_not_measured_cannot_pass(limit: str) -> None:
    figure = RULES[limit].figure
    for absent in ({**FIGURES, figure: None}, {key: value for key, value in FIGURES.items() if key != figure}):
        told = [item.reason for item in judge(Limits(**{limit: 1}), absent) if item.reason]
        assert told == [f"{limit} is 1, but {figure} was not measured here"]


@pytest.mark.parametrize(("limit", "figure"), [(row[0], row[1]) for row in LIMITS])
def test_nan_cannot_pass(limit: str, figure: str) -> None:
    assert reasons(Limits(**{limit: 1}), **{figure: float("nan")})


@pytest.mark.parametrize(
    "limits", [None, Limits(), Limits(drop_type="relative")], ids=["none", "empty", "a type alone"]
)
def test_a_platform_without_limits_is_rejected(limits: Limits | None) -> None:
    assert reasons(limits) == ["the gate has no limits for this platform, so nothing can pass it"]


def test_a_limit_left_out_is_not_judged() -> None:
    assert judge(Limits(floor=90.0), FIGURES) == [Judged("floor", 90.0, 96.0, "")]


def test_a_relative_drop_is_in_percent_of_the_teachers_score() -> None:
    limits = Limits(max_drop=10.0, drop_type="relative")
    assert reasons(limits, teacher_score=50.0, drop=5.0) == []
    assert "lost 10.20 % against the teacher" in reasons(limits, teacher_score=50.0, drop=5.1)[0]
    assert reasons(Limits(max_drop=10.0), teacher_score=50.0, drop=5.1) == []


def test_a_relative_drop_from_a_teacher_of_nothing_is_judged_all_the_same() -> None:
    """An error rate of 0 % is the best a teacher can have; whatever is lost from there is without measure."""
    limits = Limits(max_drop=10.0, drop_type="relative")
    assert reasons(limits, better=-1, score=0.0, teacher_score=0.0, drop=0.0) == []
    assert reasons(limits, better=-1, score=2.0, teacher_score=0.0, drop=2.0)


def test_a_gain_passes_any_drop() -> None:
    assert reasons(Limits(max_drop=0.0), drop=-2.0) == []


def test_where_lower_is_better_the_floor_is_a_ceiling() -> None:
    limits = Limits(floor=12.0)
    assert reasons(limits, better=-1, score=12.0) == []
    assert reasons(limits, better=-1, score=3.0) == []
    assert reasons(limits, better=-1, score=12.5) == ["a score of 12.50 %, wanted 12 %"]


@pytest.mark.parametrize(
    ("changed", "name", "reason"),
    [
        (
            {"broken": "converted int8: only 90.0 % of labels are kept"},
            "parity",
            "converted int8: only 90.0 % of labels are kept",
        ),
        ({"audit": ["an int8 file computes in float: logits"]}, "audit", "an int8 file computes in float: logits"),
    ],
)
def test_good_figures_do_not_outweigh_a_fault(changed: dict[str, Any], name: str, reason: str) -> None:
    judged = judge(Limits(floor=90.0), {**FIGURES, **changed})
    assert judged[-1] == Judged(name, 0, None, reason)


def test_every_fault_is_told() -> None:
    told = reasons(Limits(floor=99.0, max_bytes=1), broken="rung: why", audit=["one", "two"])
    assert len(told) == 5
