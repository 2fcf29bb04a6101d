"""The two losses of transcription: against every path that says the labels, and against a teacher's own answers."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from pianissimo.decode import greedy

from frameworks import FrameworkError
from frameworks.torch import ctc

CLASSES = 3  # and blank


def logits(frames: int, clips: int = 1, seed: int = 0) -> torch.Tensor:
    return torch.randn(clips, frames, CLASSES + 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_hand(answer: torch.Tensor, phones: tuple[int, ...]) -> float:
    """-log of the sum over all paths that collapse to `phones`, over how many there are (Graves et al. 2006, equation 3)."""
    chances = torch.softmax(answer, dim=-1)
    total = 0.0
    for path in product(range(CLASSES + 1), repeat=len(answer)):
        kept = [one for place, one in enumerate(path) if place == 0 or one != path[place - 1]]
        if tuple(one for one in kept if one != CLASSES) == phones:
            total += float(torch.prod(chances[range(len(path)), path]))
    return float(-torch.log(torch.tensor(total, dtype=torch.float64)) / len(phones))


@pytest.mark.parametrize("phones", [(0,), (1, 2), (2, 2), (0, 1, 0)])
def test_the_loss_is_the_sum_over_all_paths(phones: tuple[int, ...]) -> None:
    answer = logits(5)
    found = ctc.loss(answer, torch.tensor([5]), torch.tensor([phones]))
    assert float(found) == pytest.approx(by_hand(answer[0], phones), abs=1e-9)


def test_padding_of_frames_and_labels_changes_no_loss() -> None:
    first, second = logits(6, seed=1), logits(4, seed=2)
    single = [
        ctc.loss(first, torch.tensor([6]), torch.tensor([[0, 2, 1]])),
        ctc.loss(second, torch.tensor([4]), torch.tensor([[1]])),
    ]
    both = torch.cat([first, torch.cat([second, 9 + logits(2, seed=3)], dim=1)])
    together = ctc.loss(both, torch.tensor([6, 4]), torch.tensor([[0, 2, 1], [1, -1, -1]]))
    assert float(together) == pytest.approx(float(sum(single)) / 2, abs=1e-9)


def test_training_on_the_loss_says_the_labels() -> None:
    answer = logits(12).requires_grad_()
    optimizer = torch.optim.Adam([answer], lr=0.3)
    for _ in range(60):
        optimizer.zero_grad()
        ctc.loss(answer, torch.tensor([12]), torch.tensor([[2, 0, 0, 1]])).backward()
        optimizer.step()
    assert list(greedy(torch.softmax(answer, dim=-1)[0].detach().numpy())) == [2, 0, 0, 1]


@pytest.mark.parametrize(("phones", "needed"), [((0, 1, 2), 3), ((0, 0, 1), 4)])
def test_a_clip_too_short_for_its_phones_is_refused(phones: tuple[int, ...], needed: int) -> None:
    labels = torch.tensor([phones])
    assert torch.isfinite(ctc.loss(logits(needed), torch.tensor([needed]), labels))
    with pytest.raises(
        FrameworkError, match=rf"3 phones need at least {needed} frames, the network answers {needed - 1}"
    ):
        ctc.loss(logits(needed), torch.tensor([needed - 1]), labels)


def spikes(*phones: int | None) -> torch.Tensor:
    """(1, frames, classes + 1), sure of a phone or of blank in every frame."""
    answer = torch.zeros(1, len(phones), CLASSES + 1)
    for frame, phone in enumerate(phones):
        answer[0, frame, CLASSES if phone is None else phone] = 12.0
    return answer


def test_a_student_that_answers_alike_loses_nothing() -> None:
    answer, lengths = logits(7, clips=2), torch.tensor([7, 5])
    assert float(ctc.divergence(answer, lengths, answer, lengths, 2.0)) == pytest.approx(0, abs=1e-12)


def test_frames_that_say_nothing_weigh_nothing_but_beside_a_phone() -> None:
    """Only frames 3 to 5 count: the spike, and blank on both its sides."""
    teacher, lengths = spikes(None, None, None, None, 1, None, None, None, None), torch.tensor([9])
    for frame, counts in ((0, False), (2, False), (3, True), (4, True), (5, True), (6, False)):
        student = teacher.clone()
        student[0, frame] = 0.0
        found = float(ctc.divergence(student, lengths, teacher, lengths, 1.0))
        assert (found > 0.3) is counts, frame
        assert (found < 1e-3) is not counts, frame


def test_a_teacher_may_answer_a_frame_or_two_more() -> None:
    student, teacher = logits(6, seed=4), logits(8, seed=5)
    found = ctc.divergence(student, torch.tensor([6]), teacher, torch.tensor([8]), 2.0)
    cropped = ctc.divergence(student, torch.tensor([6]), teacher[:, :6], torch.tensor([6]), 2.0)
    assert float(found) == pytest.approx(float(cropped), abs=1e-12)


def test_padding_changes_no_divergence() -> None:
    student, teacher = logits(6, clips=2, seed=6), logits(6, clips=2, seed=7)
    lengths = torch.tensor([6, 3])
    before = ctc.divergence(student, lengths, teacher, lengths, 2.0)
    for answer in (student, teacher):
        answer[1, 3:] = 5 * logits(3, seed=8)[0]
    assert float(ctc.divergence(student, lengths, teacher, lengths, 2.0)) == pytest.approx(float(before), abs=1e-12)


def test_temperature_keeps_the_gradients_size() -> None:
    """Hinton, Vinyals and Dean 2015, section 2: the soft part's gradient must not shrink when the targets soften."""
    sizes = []
    for temperature in (8.0, 16.0):
        student, teacher, lengths = logits(6, seed=9).requires_grad_(), logits(6, seed=10), torch.tensor([6])
        ctc.divergence(student, lengths, teacher, lengths, temperature).backward()
        assert student.grad is not None
        sizes.append(float(student.grad.norm()))
    assert sizes[1] == pytest.approx(sizes[0], rel=0.1)


def test_inside_is_true_up_to_each_length() -> None:
    assert ctc.inside(torch.tensor([0, 2, 3]), 3).tolist() == [[False] * 3, [True, True, False], [True] * 3]
