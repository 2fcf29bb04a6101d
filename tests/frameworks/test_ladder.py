"""The parity ladder: what each rung may do to the one below it, and which break is told."""

from __future__ import annotations

import numpy as np
import pytest

from frameworks import answers, metrics
from frameworks.proof.ladder import EXACT, HALF, RULES, Rung, Step, climb, first_broken

COUNT = 1000
LABELS = np.arange(COUNT) % 3
METRIC = metrics.choose("accuracy")
SCORES = (0.05 + 0.85 * np.eye(3, dtype=np.float64)[LABELS]).astype(np.float32)


def climbed(*rungs: tuple[str, np.ndarray]) -> list[Step]:
    """Steps from the true scores through `rungs` (kind, scores)."""
    made = [
        Rung("framework", "first", METRIC, SCORES),
        *(Rung(f"rung {n} ({kind})", kind, METRIC, s) for n, (kind, s) in enumerate(rungs)),
    ]
    return climb(LABELS, made)


def missing(count: int) -> np.ndarray:
    """Scores with `count` labels changed, each from right to wrong."""
    scores = SCORES.copy()
    scores[:count] = np.roll(scores[:count], 1, axis=1)
    return scores


@pytest.mark.parametrize(("kind", "limit"), [("float", EXACT), ("same", EXACT), ("float16", HALF)])
def test_a_float_rung_may_round_and_no_more(kind: str, limit: float) -> None:
    assert climbed((kind, SCORES + np.float32(0.9 * limit)))[1].broken == ""
    assert f"allowed {limit:g}" in climbed((kind, SCORES + np.float32(1.1 * limit)))[1].broken


def test_nan_breaks_a_float_rung() -> None:
    assert climbed(("float", np.full_like(SCORES, np.nan)))[1].broken


def test_an_int8_rung_keeps_labels_and_the_score() -> None:
    within_a_point, beyond = 10, 11  # of 1,000: 99.0 and 98.9 %
    assert climbed(("int8", missing(within_a_point)))[1].broken == ""
    step = climbed(("int8", missing(beyond)))[1]
    assert step.agreement == pytest.approx(98.9)
    assert step.broken == "only 98.9 % of answers are kept and 1.10 points lost, allowed 98 % and 1 point"


def test_an_int8_rung_that_errs_elsewhere_is_another_network() -> None:
    """A score that survives because errors cancel out is luck: the labels have changed."""
    step = climbed(("smaller", missing(50)), ("int8", SCORES))[2]
    assert step.agreement == pytest.approx(95.0)
    assert step.agreement < answers.KEPT[METRIC.task]
    assert step.drop < 0
    assert step.broken


def test_a_smaller_network_is_left_to_the_gate() -> None:
    assert climbed(("smaller", missing(900)))[1].broken == ""


def test_every_rung_is_held_against_the_one_below() -> None:
    drift = [("same", SCORES + np.float32(n * 0.8 * EXACT)) for n in (1, 2, 3)]
    assert [step.broken for step in climbed(*drift)] == [""] * 4
    assert climbed(("same", SCORES), ("same", SCORES + np.float32(3 * EXACT)))[2].broken


def test_the_first_broken_rung_is_named() -> None:
    off = SCORES + np.float32(0.1)
    steps = climbed(("float", SCORES), ("same", off), ("same", SCORES))
    assert [bool(step.broken) for step in steps] == [False, False, True, True]
    assert first_broken(steps).startswith("rung 1 (same): outputs differ by up to 0.1")
    assert first_broken(climbed(("float", SCORES))) == ""


def test_a_step_tells_score_drop_agreement_and_distance() -> None:
    step = climbed(("int8", missing(100)))[1]
    assert (step.score, step.drop, step.agreement) == pytest.approx((90.0, 10.0, 90.0))
    assert step.distance == pytest.approx(0.85)
    assert step.mean_distance == pytest.approx(0.1 * 2 * 0.85 / 3)


def test_every_precision_of_the_recipe_has_a_rule() -> None:
    assert {"float16", "int8", "float"} <= set(RULES)
