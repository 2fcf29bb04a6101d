"""Training and distillation: repeatable, refused where nothing fits, and never worse than the best epoch."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import models
from frameworks import FrameworkError, metrics, views
from frameworks.examples import Examples, Part
from frameworks.recipe import Augment, Distill, Train
from frameworks.torch import teaching
from frameworks.torch.augment import augmented
from frameworks.torch.batches import batch, shuffled
from frameworks.torch.build import build
from models import ModelError

RECIPE = Train(network={"width": 8, "blocks": [1], "dropout": 0.1}, epochs=2, batch_size=16, learning_rate=0.01)
STUDENT = Distill(
    network={"widths": [8, 8], "strides": [1, 2]},
    epochs=2,
    batch_size=16,
    learning_rate=0.01,
    temperature=2.0,
    alpha=0.5,
)
EVERYTHING = Augment(shift=2, shift_bands=1, gain=0.2, noise=0.1, mask_frames=3, mask_bands=2)


def taught(framework: Any, pictures: Examples, seed: int, **changes: Any) -> np.ndarray:
    framework.seed(seed)
    outcome = framework.train(models.load("samples"), pictures, RECIPE.model_copy(update=changes))
    return np.asarray(framework.predict(outcome.network, pictures.validation.features))


def test_it_learns_and_tells_how(trained: Any) -> None:
    assert trained.curve[-1]["validation_score"] > 90
    assert [row["epoch"] for row in trained.curve] == [1, 2, 3, 4, 5, 6]
    assert {tuple(row) for row in trained.curve} == {("phase", "epoch", "loss", "validation_loss", "validation_score")}


def test_the_best_epoch_is_kept(framework: Any, trained: Any, pictures: Examples) -> None:
    held = pictures.validation
    scores = framework.predict(trained.network, held.features)
    loss = -np.mean(np.log(scores[np.arange(len(held)), held.labels]))
    assert loss == pytest.approx(min(row["validation_loss"] for row in trained.curve), abs=1e-4)


def test_the_same_seed_gives_the_same_network(framework: Any, pictures: Examples) -> None:
    first, again, other = (taught(framework, pictures, seed, augment=EVERYTHING) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_loss_that_is_no_number_ends_training(framework: Any, pictures: Examples) -> None:
    part = replace(pictures.train, features=pictures.train.features * np.float32(np.inf))
    with pytest.raises(FrameworkError, match="train: the loss became nan in epoch 1; lower learning_rate"):
        framework.train(models.load("samples"), replace(pictures, train=part), RECIPE)


def test_a_network_of_another_number_of_answers_is_refused(transcriber: Any, phrases: Examples) -> None:
    with pytest.raises(
        FrameworkError, match=r"models/test_phrases.py: the teacher answers 5 values where 3 labels need 4"
    ):
        build(transcriber, "teacher", phrases, {"extra": 2})


def test_features_that_do_not_fit_are_refused_with_both_sides_named(
    added: Callable[..., Any], pictures: Examples
) -> None:
    source = (
        'FRAMEWORK, TASK, METRIC = "torch", "classify", "accuracy"\n\n\ndef teacher(shape, classes):\n'
        "    from torch import nn\n    return nn.Linear(7, classes)\n\n\nstudent = teacher\n"
    )
    with pytest.raises(FrameworkError, match=r"test_narrow.py: the student cannot take features of shape \(16, 16\): "):
        build(added("test_narrow", source), "student", pictures, {})


def test_settings_that_contradict_are_refused(pictures: Examples) -> None:
    with pytest.raises(ModelError, match="2 widths and 1 strides; allowed: one of each a block"):
        build(models.load("samples"), "student", pictures, {"widths": [8, 8], "strides": [1]})


def test_clips_of_any_length_are_learned(framework: Any, transcriber: Any, phrases: Examples) -> None:
    framework.seed(2)
    outcome = framework.train(transcriber, phrases, Train(epochs=12, batch_size=8, learning_rate=0.02))
    assert outcome.curve[-1]["loss"] < 0.5 * outcome.curve[0]["loss"]
    assert outcome.curve[-1]["validation_score"] < 30, "phoneme error rate"


def test_each_clip_comes_once_an_epoch_and_batches_are_even(phrases: Examples) -> None:
    torch.manual_seed(0)
    batches = list(shuffled(phrases.train, 10))
    rows = torch.cat([each.rows for each in batches])
    assert sorted(rows.tolist()) == list(range(48))
    assert rows.tolist() != sorted(rows.tolist())
    assert {len(each.rows) for each in batches} <= {9, 10}
    assert not torch.equal(rows, torch.cat([each.rows for each in shuffled(phrases.train, 10)]))


def test_a_batch_is_padded_with_zeros(phrases: Examples) -> None:
    clips = phrases.train.features
    made = batch(phrases.train, np.array([3, 0]))
    assert made.lengths.tolist() == [len(clips[3]), len(clips[0])]
    for values, row in zip(made.features, (3, 0), strict=True):
        assert np.array_equal(values[: len(clips[row])], clips[row])
        assert not values[len(clips[row]) :].any()
    assert np.array_equal(made.labels, phrases.train.labels[[3, 0]])


def test_augmentation_changes_clips_and_not_their_padding(phrases: Examples) -> None:
    torch.manual_seed(0)
    plain = batch(phrases.train, np.arange(20))
    changed = augmented(plain, EVERYTHING)
    inside = torch.arange(plain.features.shape[1])[None, :] < plain.lengths[:, None]
    assert not changed.features[~inside].any()
    assert (changed.features != plain.features).flatten(1).any(dim=1).all()
    assert augmented(plain, Augment()) is plain


def test_a_shift_repeats_the_edge_of_the_clip_itself(phrases: Examples) -> None:
    torch.manual_seed(1)
    plain = batch(phrases.train, np.arange(20))
    moved = augmented(plain, Augment(shift=3)).features
    for before, after, length in zip(plain.features, moved, plain.lengths.tolist(), strict=True):
        clips = [before[(torch.arange(length) + by).clamp(0, length - 1)] for by in range(-3, 4)]
        assert any(torch.equal(after[:length], clip) for clip in clips)


def test_a_mask_is_one_run_of_zeros(pictures: Examples) -> None:
    torch.manual_seed(1)
    plain = batch(pictures.train, np.arange(30))
    masked = (augmented(plain, Augment(mask_frames=4)).features == 0).all(dim=2)
    assert 0 < masked.sum(dim=1).max() <= 4
    assert (masked.int().diff(dim=1) == 1).sum(dim=1).max() <= 1


def test_as_many_masks_as_asked(pictures: Examples) -> None:
    torch.manual_seed(1)
    plain = batch(pictures.train, np.arange(30))
    masked = (augmented(plain, Augment(mask_frames=4, masks=3)).features == 0).all(dim=2)
    assert 4 < masked.sum(dim=1).max() <= 12


def test_a_stretched_clip_is_the_same_said_faster_or_slower(phrases: Examples) -> None:
    torch.manual_seed(1)
    plain = batch(phrases.train, np.arange(20))
    made = augmented(plain, Augment(stretch=0.3))
    assert (made.lengths >= 0.7 * plain.lengths - 0.5).all()
    assert (made.lengths <= 1.3 * plain.lengths + 0.5).all()
    assert len(set((made.lengths / plain.lengths).tolist())) > 5
    for before, was, after, now in zip(plain.features, plain.lengths, made.features, made.lengths, strict=True):
        assert torch.equal(after[0], before[0])
        torch.testing.assert_close(after[now - 1], before[was - 1], atol=1e-4, rtol=0)
        middle = int((now - 1) / 2) * (was - 1) / (now - 1)
        between = before[int(middle)].lerp(before[int(middle) + 1], middle - int(middle))
        torch.testing.assert_close(after[int((now - 1) / 2)], between, atol=1e-3, rtol=0)
        assert not after[now:].any()


def test_a_clip_that_must_keep_its_length_is_not_stretched(framework: Any, pictures: Examples) -> None:
    recipe = RECIPE.model_copy(update={"augment": Augment(stretch=0.1)})
    with pytest.raises(FrameworkError, match=r"augment stretch .* here each is of shape \(16, 16\)"):
        framework.train(models.load("samples"), pictures, recipe)


def test_bands_of_a_wave_are_refused() -> None:
    part = Part([np.ones(40, np.float32), np.ones(30, np.float32)], np.zeros(2, np.int64))
    waves = batch(part, np.arange(2))
    assert augmented(waves, Augment(noise=0.1, shift=2)).features.shape == (2, 40)
    with pytest.raises(
        FrameworkError, match=r"augment gain, mask_bands cannot be applied to features of shape \(40,\)"
    ):
        augmented(waves, Augment(gain=0.1, mask_bands=2))


def test_distillation_tries_both_ways_and_keeps_the_better(framework: Any, trained: Any, pictures: Examples) -> None:
    framework.seed(5)
    before = {name: value.clone() for name, value in trained.network.state_dict().items()}
    outcome = framework.distill(models.load("samples"), trained.network, pictures, STUDENT)
    facts = outcome.facts
    assert facts["points_gained"] == pytest.approx(facts["with_teacher"] - facts["without_teacher"])
    scores = framework.predict(outcome.network, pictures.validation.features)
    kept = 100 * np.mean(scores.argmax(axis=1) == pictures.validation.labels)
    assert kept == pytest.approx(max(facts["with_teacher"], facts["without_teacher"])) == facts[facts["kept"]]
    assert [row["phase"] for row in outcome.curve] == ["distill alone"] * 2 + ["distill taught"] * 2
    assert all(torch.equal(value, before[name]) for name, value in trained.network.state_dict().items())


def test_with_no_weight_on_the_teacher_both_ways_are_the_same(framework: Any, trained: Any, pictures: Examples) -> None:
    """Same first weights, same dice: whatever differs is the teacher's doing."""
    framework.seed(5)
    recipe = STUDENT.model_copy(update={"alpha": 0.0, "augment": EVERYTHING})
    curve = framework.distill(models.load("samples"), trained.network, pictures, recipe).curve
    numbers = [{key: value for key, value in row.items() if key != "phase"} for row in curve]
    assert numbers[:2] == numbers[2:]


@pytest.mark.parametrize(("kept", "different"), [(2**30, 3), (0, 5)])
def test_views_come_again_with_the_answers_they_got(
    trained: Any, pictures: Examples, monkeypatch: pytest.MonkeyPatch, kept: int, different: int
) -> None:
    monkeypatch.setattr(views, "MOST", 3)
    monkeypatch.setattr(views, "KEPT", kept)
    recipe = STUDENT.model_copy(update={"epochs": 5, "augment": EVERYTHING})
    epoch = teaching.taught(pictures, trained.network, recipe, None)
    found = []
    for each in (each for _ in range(recipe.epochs) for each in epoch()):
        with torch.no_grad():
            assert torch.equal(each.told.logits, trained.network.eval()(each.features))
        found.append(each.features.numpy().tobytes())
    steps = len(found) // recipe.epochs
    assert [len(set(found[: count * steps])) for count in (3, 5)] == [3 * steps, different * steps]


@pytest.mark.parametrize("task", ["pictures", "phrases"])
def test_a_teacher_with_ears_of_its_own_hears_what_is_its(
    framework: Any, trained: Any, transcriber: Any, task: str, request: pytest.FixtureRequest
) -> None:
    """The student gets noise, the teacher the clips: only through `heard` can anything be learned from it."""
    examples: Examples = request.getfixturevalue(task)
    model = {"pictures": models.load("samples"), "phrases": transcriber}[task]
    recipe = {"pictures": STUDENT, "phrases": Distill(epochs=2, batch_size=8, learning_rate=0.01)}[task]
    teacher = trained.network if task == "pictures" else build(transcriber, "teacher", examples, {})
    deaf = _deaf(examples)
    outcome = framework.distill(model, teacher, deaf, recipe.model_copy(update={"alpha": 1.0}))
    taught = [row["loss"] for row in outcome.curve if row["phase"] == "distill taught"]
    assert taught[-1] < taught[0]


def test_a_teacher_keeps_pace_with_a_stretched_clip(framework: Any, transcriber: Any, phrases: Examples) -> None:
    """What it said at a tenth of the clip, it says at a tenth of the stretched one."""
    both = replace(phrases, train=replace(phrases.train, heard=phrases.train.features))
    teacher = build(transcriber, "teacher", phrases, {}).eval()
    recipe = Distill(epochs=1, batch_size=8, augment=Augment(stretch=0.4))
    torch.manual_seed(2)
    for made in teaching.taught(both, teacher, recipe, both.train.heard)():
        for row, told, now in zip(made.rows.tolist(), made.told.logits, made.lengths.tolist(), strict=True):
            clip = torch.from_numpy(phrases.train.features[row])
            with torch.no_grad():
                said = teacher(clip[None], torch.tensor([len(clip)]))[0][0]
            expected = said[(torch.arange(now) * len(clip) // now).clamp(max=len(clip) - 1)]
            torch.testing.assert_close(told[:now], expected, atol=1e-5, rtol=1e-5)


def test_a_shift_away_from_a_teacher_with_ears_of_its_own_is_refused(transcriber: Any, phrases: Examples) -> None:
    teacher = build(transcriber, "teacher", phrases, {})
    recipe = Distill(epochs=1, batch_size=8, augment=Augment(shift=2))
    with pytest.raises(FrameworkError, match=r"augment shift .*allowed: 0"):
        teaching.taught(phrases, teacher, recipe, phrases.train.features)


def test_a_transcriber_keeps_the_epoch_of_fewest_errors(framework: Any, transcriber: Any, phrases: Examples) -> None:
    outcome = framework.train(transcriber, phrases, Train(epochs=6, batch_size=8, learning_rate=0.05))
    metric = metrics.choose(phrases.metric, phrases.labels)
    kept = metric.measure(phrases.validation.labels, framework.predict(outcome.network, phrases.validation.features))
    assert kept == pytest.approx(min(row["validation_score"] for row in outcome.curve[3:]), abs=1e-3)


def test_a_transcriber_that_scores_before_it_learned_is_not_kept(
    framework: Any, transcriber: Any, phrases: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Early luck, as of a network that babbles, does not count."""
    module = importlib.import_module("frameworks.torch.train")
    scores = iter([1.0, 2.0, 60.0, 50.0, 40.0, 45.0])
    monkeypatch.setattr(module.Best, "_measured", lambda best: (1.0, next(scores)))
    kept: list[int] = []
    monkeypatch.setattr(module, "state", lambda network: kept.append(0) or {})
    monkeypatch.setattr(module.Best, "restore", lambda best: best.curve)
    framework.train(transcriber, phrases, Train(epochs=6, batch_size=8))
    assert len(kept) == 1 + 2, "what it began with, and epochs 4 and 5"


def _deaf(examples: Examples) -> Examples:
    def part(whole: Part) -> Part:
        clips = whole.features
        noise = [np.zeros_like(clip) for clip in clips] if isinstance(clips, list) else np.zeros_like(clips)
        return Part(noise, whole.labels, whole.features)

    return replace(examples, **{name: part(getattr(examples, name)) for name in ("train", "calibration", "validation")})
