"""Answers that neither batching nor padding changes, and what a network weighs and costs, counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from frameworks.examples import Examples
from frameworks.torch.build import build


def test_answers_are_probabilities_in_order(framework: Any, trained: Any, pictures: Examples) -> None:
    features = np.concatenate([pictures.train.features, pictures.validation.features])  # more than fit in one batch
    whole = framework.predict(trained.network, features)
    assert whole.shape == (90, 3)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole.sum(axis=1), 1, atol=1e-6)
    one_by_one = np.concatenate([framework.predict(trained.network, clip[None]) for clip in features])
    np.testing.assert_allclose(whole, one_by_one, atol=1e-5)


def test_padding_never_changes_an_answer(framework: Any, transcriber: Any, phrases: Examples) -> None:
    network = build(transcriber, "teacher", phrases, {})
    clips = phrases.validation.features
    together = framework.predict(network, clips)
    assert [len(answer) for answer in together] == [len(clip) for clip in clips]
    assert all(answer.shape[1] == 4 for answer in together), "three phones and blank"
    for clip, answer in zip(clips, together, strict=True):
        np.testing.assert_allclose(framework.predict(network, [clip])[0], answer, atol=1e-6)


def test_dropout_is_off(framework: Any, built: Callable[..., Any], pictures: Examples) -> None:
    network = built("teacher", width=8, blocks=[1], dropout=0.9)
    network.train()
    features = pictures.validation.features
    assert np.array_equal(framework.predict(network, features), framework.predict(network, features))


def test_the_caller_answers_the_same(framework: Any, trained: Any, pictures: Examples) -> None:
    call = framework.caller(trained.network)
    for clip in pictures.validation.features[:4]:
        scores = torch.softmax(torch.from_numpy(call(clip[None])), -1).numpy()
        np.testing.assert_allclose(scores, framework.predict(trained.network, clip[None]), atol=1e-6)


def test_there_is_nothing_the_runtime_must_be_told(framework: Any, built: Callable[..., Any]) -> None:
    assert framework.settings(built()) == {}


def test_one_thread(framework: Any, threads: None) -> None:
    framework.one_thread()
    framework.one_thread()
    assert torch.get_num_threads() == torch.get_num_interop_threads() == 1


def sized(network: Any, shape: list[int | None], task: str = "classify", typical: int = 7) -> Any:
    network.spec = {"task": task, "shape": shape, "typical": typical, "classes": 3}
    return network


def test_convolutions_are_counted_and_normalisation_is_folded(framework: Any) -> None:
    """3 x 3 over an 8 x 8 map of one channel into 4, then depthwise, then 1 x 1 into 6, then 6 into 3."""
    network = nn.Sequential(
        nn.Unflatten(1, (1, -1)),
        nn.Conv2d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.Conv2d(4, 4, 3, padding=1, groups=4),
        nn.Conv2d(4, 6, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 3),
    )
    size = framework.size(sized(network, [8, 8]))
    assert size.macs == 64 * (9 * 4 + 9 * 4 + 4 * 6) + 6 * 3
    assert size.parameters == (36 + 4) + (36 + 4) + (24 + 6) + (18 + 3)
    assert size.bytes == 4 * size.parameters
    assert 0 < size.compressed_bytes < 2 * size.bytes


class Recurrent(nn.Module):
    """A GRU of 5 units and attention of two heads over 4 values a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.gru = nn.GRU(4, 5, batch_first=True)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        heard, _ = self.attention(features, features, features, need_weights=False)
        answer: torch.Tensor = self.gru(heard)[0]
        return answer


def test_attention_and_recurrence_are_counted_at_the_typical_length(framework: Any) -> None:
    frames = 7
    size = framework.size(sized(Recurrent(), [None, 4], typical=frames))
    attention = frames * 4 * (3 * 4 + 4) + 2 * frames * frames * 4
    assert size.macs == attention + frames * 3 * 5 * (4 + 5)
