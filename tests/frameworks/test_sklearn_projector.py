"""The projector tells speakers apart that it never saw, in as few numbers as validation allows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
from frameworks import FrameworkError, NotApplicableError, metrics, sklearn
from frameworks.examples import Examples, Part
from frameworks.recipe import Distill, Prune, Quantize, Train
from frameworks.sklearn.projector import Choice, Projector, fit
from models import Model, ModelError

NUMBERS = 30
GRID = {"components": 30, "gamma": [0.1], "shrinkage": [0.1]}
PRUNE = Prune(channels=0.5, multiple=3, attempts=4, max_drop=1.0)


def part(speakers: range, clips: int = 8) -> Part:
    """Statistics (n, 30): a speaker is a point in six dimensions, and what differs from clip to clip is louder than that."""
    rng = np.random.default_rng(5)
    voices, rooms = rng.normal(size=(6, NUMBERS)), 3 * rng.normal(size=(4, NUMBERS))
    labels = np.repeat(np.array(speakers), clips)
    people = np.stack([np.random.default_rng([7, speaker]).normal(size=6) for speaker in speakers])
    drawn = np.random.default_rng([9, speakers.start])
    features = np.repeat(people, clips, axis=0) @ voices + drawn.normal(size=(len(labels), 4)) @ rooms
    return Part((5 + features + 0.5 * drawn.normal(size=features.shape)).astype(np.float32), labels)


@pytest.fixture(scope="module")
def examples() -> Examples:
    train = part(range(24))
    few = Part(np.asarray(train.features)[:32], train.labels[:32])
    return Examples(tuple(map(str, range(50))), "verify", "eer", train, few, part(range(24, 36)))


@pytest.fixture(scope="module")
def model() -> Model:
    return models.load("voice_unlock")


@pytest.fixture(scope="module")
def teacher(model: Model, examples: Examples) -> Projector:
    network = sklearn.train(model, examples, Train(network=GRID)).network
    assert isinstance(network, Projector)
    return network


def rate(network: Projector, held: Part) -> float:
    metric = metrics.choose("eer", (), sklearn.settings(network))
    return metric.measure(held.labels, sklearn.predict(network, np.asarray(held.features)))


def test_unseen_speakers_are_told_apart(teacher: Projector, examples: Examples) -> None:
    unseen = part(range(36, 50))
    plain = fit(examples.train, replace(teacher.choice, whitening="none"))
    assert rate(teacher, unseen) < 8 < 20 < rate(plain, unseen)


def test_training_keeps_the_best_on_validation(model: Model, examples: Examples) -> None:
    outcome = sklearn.train(model, examples, Train(network=GRID))
    rates = [row["validation_score"] for row in outcome.curve]
    assert len(rates) == 2  # the two whitenings
    assert rate(outcome.network, examples.validation) == min(rates) < max(rates)
    assert outcome.facts["chosen"]["whitening"] == "within"


def test_the_same_twice(teacher: Projector, model: Model, examples: Examples, tmp_path: Path) -> None:
    again = sklearn.train(model, examples, Train(network=GRID)).network
    for name, network in (("one", teacher), ("two", again)):
        sklearn.save(network, tmp_path / name)
    for file in ("network.npz", "network.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_network_survives_its_files(teacher: Projector, examples: Examples, tmp_path: Path) -> None:
    sklearn.save(teacher, tmp_path)
    found = sklearn.load(tmp_path)
    features = np.asarray(examples.validation.features)
    np.testing.assert_array_equal(sklearn.predict(found, features), sklearn.predict(teacher, features))
    assert (sklearn.settings(found), found.choice) == (sklearn.settings(teacher), teacher.choice)
    with pytest.raises(FileNotFoundError, match="run the stage before"):
        sklearn.load(tmp_path / "nowhere")
    (tmp_path / "network.json").write_text('{"kind": "forest"}')
    with pytest.raises(FrameworkError, match="no kind 'forest'; there is: projector, classifier"):
        sklearn.load(tmp_path)


def test_settings_are_a_manifests_enrolment(teacher: Projector, examples: Examples) -> None:
    """`typical` is the mean decision of rightful attempts on validation."""
    settings = sklearn.settings(teacher)
    metric = metrics.choose("eer", (), settings)
    held = examples.validation
    evidence = metric.evidence(held.labels, sklearn.predict(teacher, np.asarray(held.features)))
    assert settings["typical"] == pytest.approx(evidence[evidence[..., 1] == 1][:, 0].mean(), abs=1e-5)
    assert settings["margin"] > 0
    assert metric.threshold is not None
    assert metric.threshold(evidence) < settings["typical"]


def test_distilling_keeps_the_fewest_vectors_within_the_drop(
    teacher: Projector, model: Model, examples: Examples
) -> None:
    outcome = sklearn.distill(model, teacher, examples, Distill(network={"support": [1, 2, 3], "max_drop": 0.5}))
    tried = {attempt["support"]: attempt["score"] for attempt in outcome.facts["attempts"]}
    within = [support for support, score in tried.items() if score <= outcome.facts["teacher"] + 0.5]
    assert outcome.facts["kept"] == sklearn.settings(outcome.network)["support"] == min(within)
    assert rate(outcome.network, examples.validation) == tried[min(within)]
    distances = [attempt["distance"] for attempt in outcome.facts["attempts"]]
    assert distances == sorted(distances, reverse=True)
    np.testing.assert_array_equal(outcome.network.components, teacher.components)


def test_distilling_that_costs_too_much_leaves_the_teacher(
    teacher: Projector, model: Model, examples: Examples
) -> None:
    outcome = sklearn.distill(model, teacher, examples, Distill(network={"support": [1], "max_drop": -100.0}))
    assert outcome.facts["kept"] == teacher.choice.support
    assert "none was within" in outcome.facts["why"]


def test_pruning_cuts_components(teacher: Projector, examples: Examples) -> None:
    outcome = sklearn.prune(teacher, examples, PRUNE)
    assert [attempt["components"] for attempt in outcome.facts["attempts"]] == [15, 12, 9, 6]
    good = [attempt["components"] for attempt in outcome.facts["attempts"] if attempt["drop"] <= 1.0]
    assert len(outcome.network.components) == outcome.facts["kept"] == min(good)
    np.testing.assert_allclose(outcome.network.components, teacher.components[: min(good)], atol=1e-6)
    before, after = sklearn.size(teacher), sklearn.size(outcome.network)
    assert after.bytes < 0.6 * before.bytes
    assert after.macs == NUMBERS * (1 + min(good))
    assert rate(outcome.network, examples.validation) <= outcome.facts["before"] + 1.0


def test_pruning_that_costs_too_much_leaves_all(teacher: Projector, examples: Examples) -> None:
    outcome = sklearn.prune(teacher, examples, Prune(channels=0.94, multiple=1, attempts=1, max_drop=0.0))
    assert len(outcome.network.components) == NUMBERS
    assert "no cut was within" in outcome.facts["why"]


def test_quantizing_says_why_not(teacher: Projector, examples: Examples) -> None:
    with pytest.raises(NotApplicableError, match="need no calibration"):
        sklearn.quantize(teacher, examples, Quantize())


def test_an_imported_network(teacher: Projector, model: Model, examples: Examples, tmp_path: Path) -> None:
    sklearn.save(teacher, tmp_path)
    network = sklearn.train(model, examples, Train.model_validate({"import": str(tmp_path)})).network
    np.testing.assert_array_equal(network.components, teacher.components)
    narrow = replace(examples, train=Part(np.asarray(examples.train.features)[:, :20], examples.train.labels))
    with pytest.raises(FrameworkError, match=r"features of shape \(30,\); the front end gives \(20,\)"):
        sklearn.train(model, narrow, Train.model_validate({"import": str(tmp_path)}))


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"components": 31}, ModelError, "31 components need at least as many statistics"),
        ({"colour": 1}, ModelError, "no setting colour; it takes: components, whitening"),
        ({"whitening": ["purple"]}, FrameworkError, "no whitening 'purple'; there is: none, within"),
    ],
)
def test_settings_that_cannot_be(
    changes: dict[str, Any], error: type[Exception], words: str, model: Model, examples: Examples
) -> None:
    with pytest.raises(error, match=words):
        sklearn.train(model, examples, Train(network={**GRID, **changes}))


def test_data_that_does_not_suffice(model: Model, examples: Examples) -> None:
    few = Part(np.asarray(examples.train.features)[:20], examples.train.labels[:20])
    with pytest.raises(FrameworkError, match=r"30 components of \(20, 30\) features; allowed: 20"):
        sklearn.train(model, replace(examples, train=few), Train(network=GRID))
    once = Part(np.asarray(examples.train.features), np.arange(len(examples.train)))
    with pytest.raises(FrameworkError, match="one clip a speaker"):
        sklearn.train(model, replace(examples, train=once), Train(network=GRID))
    with pytest.raises(FrameworkError, match="task classify; scikit-learn trains models of the task verify"):
        sklearn.train(models.load("keywords"), examples, Train())


def test_a_statistic_that_never_varies(examples: Examples) -> None:
    features = np.asarray(examples.train.features).copy()
    features[:, 3] = 7.0
    made = fit(Part(features, examples.train.labels), Choice(20, "within", 0.1, True, 0.5, 0.1, 3, 8))
    assert np.isfinite(made.outputs(features)).all()
