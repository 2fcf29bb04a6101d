"""Limits against figures: each one judged, with the reason in words where it does not hold."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from frameworks.recipe import Limits


@dataclass(frozen=True)
class Judged:
    """One limit beside its figure; `reason` is empty where it holds."""

    limit: str
    allowed: float
    figure: float | None
    reason: str


@dataclass(frozen=True)
class Rule:
    """Which figure a limit is about, when it holds, and how its breach is put into words."""

    figure: str
    holds: Callable[[float, float], bool]
    words: str


def _at_most(figure: float, allowed: float) -> bool:
    return figure <= allowed


def _at_least(figure: float, allowed: float) -> bool:
    return figure >= allowed


RULES = {
    "max_bytes": Rule("bytes", _at_most, "{figure:,.0f} bytes, allowed {allowed:,.0f}"),
    "smaller": Rule("smaller", _at_least, "{figure:.1f} % smaller than the teacher, wanted {allowed:g} %"),
    "faster": Rule(
        "faster",
        _at_least,
        "{figure:.2f} times as fast as the teacher in the same runtime, wanted {allowed:g}",
    ),
    "faster_than_float": Rule(
        "faster_than_float", _at_least, "{figure:.2f} times as fast as its own float form, wanted {allowed:g}"
    ),
    "max_p95_ms": Rule("p95_ms", _at_most, "p95 of {figure:.3f} ms, allowed {allowed:g} ms"),
    "max_predict_p99_ms": Rule(
        "predict_cpu_p99_ms",
        _at_most,
        "p99 of {figure:.3f} ms of processor time from audio to answer, allowed {allowed:g}",
    ),
    "max_frame_p99_ms": Rule(
        "frame_cpu_p99_ms", _at_most, "p99 of {figure:.3f} ms of processor time a frame, allowed {allowed:g}"
    ),
    "max_rtf": Rule("rtf", _at_most, "{figure:.4f} seconds a second of audio, allowed {allowed:g}"),
    "max_memory_mb": Rule("memory_mb", _at_most, "a fresh process peaks at {figure:.1f} MB, allowed {allowed:g} MB"),
    "max_arena": Rule("arena", _at_most, "a tensor arena of {figure:,.0f} bytes, allowed {allowed:,.0f}"),
    "max_drop_from_float": Rule(
        "drop_from_float", _at_most, "lost {figure:.2f} points against its own float form, allowed {allowed:g}"
    ),
    "agreement": Rule("agreement", _at_least, "{figure:.2f} % of answers as its float form, wanted {allowed:g} %"),
    "max_false_accepts": Rule(
        "false_accepts", _at_most, "lets in {figure:.1f} % of strangers at its threshold, allowed {allowed:g} %"
    ),
    "max_false_rejects": Rule(
        "false_rejects", _at_most, "keeps out {figure:.1f} % of rightful attempts at its threshold, allowed {allowed:g} %"
    ),
    "max_distance": Rule("distance", _at_most, "scores up to {figure:.4f} from its float form, allowed {allowed:g}"),
}


def judge(limits: Limits | None, figures: dict[str, Any], better: int = 1) -> list[Judged]:
    """Every limit of one platform against its figures. A platform without limits is rejected, and so are a broken
    parity ladder and a file that is not what it says. `better` is the metric's direction (+1: higher)."""
    judged = [_accuracy(limits, figures)] if limits and limits.max_drop is not None else []
    if limits and limits.floor is not None:
        score, worse = figures["score"], not better * (figures["score"] - limits.floor) >= 0
        judged.append(
            Judged(
                "floor",
                limits.floor,
                score,
                f"a score of {score:.2f} %, wanted {limits.floor:g} %" if worse else "",
            )
        )
    for name, rule in RULES.items():
        allowed = getattr(limits, name, None)
        if allowed is not None:
            judged.append(_figure(name, rule, allowed, figures.get(rule.figure)))
    if not judged:
        judged.append(Judged("limits", 0, None, "the gate has no limits for this platform, so nothing can pass it"))
    faults = [("parity", figures["broken"])] + [("audit", problem) for problem in figures["audit"]]
    return judged + [Judged(name, 0, None, fault) for name, fault in faults if fault]


def _figure(name: str, rule: Rule, allowed: float, figure: float | None) -> Judged:
    if figure is None:
        return Judged(name, allowed, None, f"{name} is {allowed:g}, but {rule.figure} was not measured here")
    reason = "" if rule.holds(figure, allowed) else rule.words.format(figure=figure, allowed=allowed)
    return Judged(name, allowed, figure, reason)


def _accuracy(limits: Limits, figures: dict[str, Any]) -> Judged:
    """The drop in points, or in percent of the teacher's score where `drop_type` is relative."""
    relative = limits.drop_type == "relative"
    drop = 100 * figures["drop"] / max(figures["teacher_score"], 0.01) if relative else figures["drop"]
    unit = "%" if relative else "points"
    low, high = figures["drop_interval"]
    reason = (
        f"lost {drop:.2f} {unit} against the teacher (95 % interval {low:.2f} to {high:.2f} points), "
        f"allowed {limits.max_drop:g}"
    )
    return Judged("max_drop", limits.max_drop or 0.0, drop, "" if drop <= (limits.max_drop or 0.0) else reason)
