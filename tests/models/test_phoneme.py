"""Teacher and student of `phoneme`: the same frames out, answers that no padding changes, a bank that hears pitch."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from pianissimo import frontend

import models
from models import ModelError

PHONES = 39
FRONT = {"kind": "log_mel_sequence", "sample_rate": 16_000, "frame": 400, "hop": 160, "fft": 512, "mels": 40,
         "fmin": 20.0, "fmax": 7_600.0}  # fmt: skip
TEACHER = {"filters": 24, "channels": 32, "kernels": (5, 5), "width": 32, "layers": 1, "heads": 2, "positions": 15}
STUDENT = {"width": 32, "kernels": (5, 5)}


def build(part: str, shape: tuple[int | None, ...], **settings: Any) -> Any:
    torch.manual_seed(1)
    model = models.load("phoneme")
    maker = {"teacher": model.teacher, "student": model.student}[part]
    return maker(shape, PHONES, {**{"teacher": TEACHER, "student": STUDENT}[part], **settings}).eval()


NETWORKS = {
    "teacher of the wave": ("teacher", (None,)),
    "teacher of frames": ("teacher", (None, 40)),
    "student": ("student", (None, 40)),
}


@pytest.fixture(params=list(NETWORKS))
def network(request: pytest.FixtureRequest) -> Any:
    """One of the networks with normalisation as training leaves it: means that are not zero."""
    part, shape = NETWORKS[request.param]
    made = build(part, shape)
    made.shape = shape
    made.train()
    for seed in range(4):
        with torch.no_grad():
            made(1 + 2 * clip(shape, seconds=0.5, clips=4, seed=seed), torch.full((4,), samples(shape, 0.5)))
    return made.eval()


def samples(shape: tuple[int | None, ...], seconds: float) -> int:
    return int(16_000 * seconds) if len(shape) == 1 else 1 + (int(16_000 * seconds) - 400) // 160


def clip(shape: tuple[int | None, ...], seconds: float, clips: int = 1, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(clips, samples(shape, seconds), *(size or 0 for size in shape[1:]), generator=generator)


def test_padding_changes_no_answer(network: Any) -> None:
    single = [clip(network.shape, seconds, seed=seed) for seed, seconds in enumerate((0.8, 0.61, 0.3))]
    lengths = torch.tensor([one.shape[1] for one in single])
    batch = torch.nn.utils.rnn.pad_sequence([one[0] for one in single], batch_first=True)
    with torch.no_grad():
        together, counts = network(batch, lengths)
        for one, answer, count in zip(single, together, counts.tolist(), strict=True):
            alone, (frames,) = network(one, torch.tensor([one.shape[1]]))
            assert int(frames) == count == alone.shape[1]
            np.testing.assert_allclose(answer[:count], alone[0], atol=1e-4)


def test_its_gradients_reach_every_weight(network: Any) -> None:
    network.train()
    network(clip(network.shape, 0.5, clips=2), torch.full((2,), samples(network.shape, 0.5)))[
        0
    ].square().sum().backward()
    still = [name for name, weight in network.named_parameters() if weight.requires_grad and weight.grad is None]
    assert not still


def test_it_can_be_copied(network: Any) -> None:
    twin = copy.deepcopy(network)
    one, lengths = clip(network.shape, 0.4), torch.tensor([samples(network.shape, 0.4)])
    with torch.no_grad():
        assert torch.equal(twin(one, lengths)[0], network(one, lengths)[0])
        next(twin.parameters()).add_(1)
    assert not torch.equal(next(twin.parameters()), next(network.parameters()))


@pytest.mark.parametrize("seconds", [0.3, 0.777, 1.0, 1.2345])
def test_student_and_teacher_answer_the_same_frames(seconds: float) -> None:
    """A window of 400 samples every 320, which is wav2vec 2.0's own arithmetic: distillation has nothing to crop."""
    teacher, student = build("teacher", (None,)), build("student", (None, 40))
    audio = np.random.default_rng(3).normal(0, 0.1, int(16_000 * seconds)).astype(np.float32)
    heard = torch.from_numpy(frontend.build({"kind": "wave", "sample_rate": 16_000})(audio))[None]
    bands = torch.from_numpy(frontend.build(FRONT)(audio))[None]
    with torch.no_grad():
        logits, counts = teacher(heard, torch.tensor([heard.shape[1]]))
        small, same = student(bands, torch.tensor([bands.shape[1]]))
    assert logits.shape == small.shape == (1, 1 + (len(audio) - 400) // 320, PHONES + 1)
    assert counts.tolist() == same.tolist() == [logits.shape[1]]


@pytest.mark.parametrize("hertz", [200.0, 700.0, 2_000.0, 5_000.0])
def test_the_filter_bank_begins_as_one(hertz: float) -> None:
    """A tone is loudest in the band about its own pitch, wherever its phase is."""
    bank = build("teacher", (None,), filters=40).energies
    mels = np.linspace(*(2595 * np.log10(1 + np.array([60.0, 7_600.0]) / 700)), 42)[1:-1]
    centres = 700 * (10 ** (mels / 2595) - 1)
    time = torch.arange(8_000) / 16_000
    with torch.no_grad():
        energies = [bank(torch.sin(2 * torch.pi * hertz * time + phase)[None])[0].exp() for phase in (0.0, 1.0, 2.0)]
    nearest = int(np.abs(centres - hertz).argmin())
    assert all(abs(int(energy.mean(dim=0).argmax()) - nearest) <= 1 for energy in energies)
    assert torch.allclose(energies[0].mean(dim=0)[nearest], energies[1].mean(dim=0)[nearest], rtol=0.05)
    assert float(energies[0][:, nearest].std() / energies[0][:, nearest].mean()) < 0.1


def test_training_alone_disguises_what_is_heard() -> None:
    teacher, one, length = build("teacher", (None,), dropout=0.0), clip((None,), 0.4), torch.tensor([6_400])
    with torch.no_grad():
        assert torch.equal(teacher(one, length)[0], teacher(one, length)[0])
        disguise = teacher.disguise
        bands = torch.randn(3, 24, 30, 1)
        assert not torch.equal(disguise(bands), disguise(bands))
        disguise.mask_bands = disguise.mask_frames = disguise.shift_bands = 0
        assert torch.equal(disguise(bands), bands)


@pytest.mark.parametrize(
    ("part", "shape", "settings", "words"),
    [
        ("student", (None,), {}, r"\(frames, bands\)"),
        ("student", (None, 40), {"kernels": (4,)}, "odd numbers"),
        ("student", (None, 40), {"layers": 2}, "it takes: width, kernels, dropout"),
        ("teacher", (None, 40, 3), {}, r"\(frames, bands\)"),
    ],
)
def test_what_cannot_be_built_is_refused(part: str, shape: Any, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        build(part, shape, **settings)
