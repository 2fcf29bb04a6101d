"""Connectionist temporal classification: what a transcribing network loses against labels, and against a teacher."""

import torch
from torch import Tensor
from torch.nn import functional

from frameworks import FrameworkError

NEIGHBOURS = 1  # blank frames on each side of a spoken one that a student follows its teacher in


def loss(logits: Tensor, lengths: Tensor, labels: Tensor) -> Tensor:
    """CTC (Graves et al. 2006): the mean over clips of -log p(labels) / phones, a scalar.

    `logits` (n, frames, classes + 1), blank last, of which `lengths` (n,) frames are no padding; `labels` (n, longest) padded
    with -1. Raises FrameworkError when a clip has too few frames for its phones: no path could ever say them.
    """
    spoken = (labels >= 0).sum(dim=1)
    _check_room(lengths, labels, spoken)
    log_probabilities = torch.log_softmax(logits, dim=-1).transpose(0, 1)
    return functional.ctc_loss(
        log_probabilities, labels.clamp(min=0), lengths, spoken, blank=logits.shape[-1] - 1, reduction="mean"
    )


def divergence(logits: Tensor, lengths: Tensor, teacher: Tensor, teacher_lengths: Tensor, temperature: float) -> Tensor:
    """T^2 KL(teacher || student) frame by frame at temperature T, averaged over the frames in which the teacher speaks, then
    over clips: a scalar.

    CTC's answers are spikes between long runs of blank, so a plain mean would teach a student little but blank. Frames weigh
    as much as the teacher's probability of any phone there or `NEIGHBOURS` frames beside it, which is the symmetric selection
    of Hilmes et al. 2025 (arXiv 2506.01503) made continuous: the edges of a spike are what says when to be silent.
    Front ends may differ by a frame at the end; both are cropped to the shorter. Shapes as in `loss`.
    """
    frames = min(logits.shape[1], teacher.shape[1])
    both = torch.minimum(lengths, teacher_lengths)
    student, wanted = (torch.log_softmax(each[:, :frames] / temperature, dim=-1) for each in (logits, teacher))
    apart = functional.kl_div(student, wanted, reduction="none", log_target=True).sum(dim=-1)
    heard = inside(both, frames)
    weights = heard * _spoken(teacher[:, :frames], heard)
    mean = (weights * apart).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-6)
    return temperature**2 * mean.mean()


def inside(lengths: Tensor, frames: int) -> Tensor:
    """(n, frames), true where a frame is no padding."""
    return torch.arange(frames, device=lengths.device)[None, :] < lengths[:, None]


def _spoken(teacher: Tensor, heard: Tensor) -> Tensor:
    """(n, frames): the highest probability of anything but blank, here or in a neighbouring frame that is `heard`."""
    phone = heard * (1 - torch.softmax(teacher, dim=-1)[..., -1])
    return functional.max_pool1d(phone[:, None], 2 * NEIGHBOURS + 1, stride=1, padding=NEIGHBOURS)[:, 0]


def _check_room(lengths: Tensor, labels: Tensor, spoken: Tensor) -> None:
    """A path needs a frame a phone, and a blank between two that are alike."""
    alike = ((labels[:, 1:] == labels[:, :-1]) & (labels[:, 1:] >= 0)).sum(dim=1)
    short = torch.nonzero(lengths < spoken + alike)
    if len(short):
        worst = int(short[0])
        raise FrameworkError(
            f"{len(short)} clips are too short for their phones: {int(spoken[worst])} phones need at least "
            f"{int(spoken[worst] + alike[worst])} frames, the network answers {int(lengths[worst])}; "
            "allowed: a network that answers more often, or clips spoken more slowly"
        )
