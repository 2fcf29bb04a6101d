"""Tiny pictures and phrases, and tiny torch networks for them: quick to train, and wrong where the code is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
from frameworks.examples import Examples, Part
from frameworks.recipe import Train

SMALL = {"width": 8, "blocks": [1, 1], "dropout": 0.0}
PHRASES = '''"""A transcriber of one convolution, for tests."""

FRAMEWORK, TASK, METRIC = "torch", "transcribe", "phoneme_error_rate"


def teacher(shape, classes, *, width=16, extra=1):
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.hear = nn.Conv1d(shape[-1], width, 3, padding=1)
            self.head = nn.Linear(width, classes + extra)

        def forward(self, batch, lengths):
            heard = self.hear(batch.transpose(1, 2)).relu().transpose(1, 2)
            return self.head(heard), lengths

    return Network()


student = teacher
'''


@pytest.fixture(scope="session")
def framework() -> Any:
    """`frameworks.torch`."""
    import frameworks

    return frameworks.choose("torch")


@pytest.fixture(scope="session")
def pictures() -> Examples:
    """Three labels of 16 x 16 pictures: lines across, lines down, and a bright corner, in noise."""
    rng = np.random.default_rng(5)
    return Examples(
        ("across", "down", "corner"), "classify", "accuracy", _pictures(rng, 60), _pictures(rng, 20), _pictures(rng, 30)
    )


@pytest.fixture(scope="session")
def phrases() -> Examples:
    """Sequences of three phones, each held for some frames, silence between them: (frames, 4) of any length."""
    rng = np.random.default_rng(6)
    return Examples(
        ("a", "b", "c"), "transcribe", "phoneme_error_rate", _phrases(rng, 48), _phrases(rng, 8), _phrases(rng, 16)
    )


@pytest.fixture(scope="session")
def built(framework: Any, pictures: Examples) -> Callable[..., Any]:
    """`built("student", widths=[8], strides=[1])`: an untrained network of models/samples.py for the pictures."""
    from frameworks.torch.build import build

    def make(part: str = "teacher", **settings: Any) -> Any:
        framework.seed(3)
        return build(models.load("samples"), part, pictures, settings or (SMALL if part == "teacher" else {}))

    return make


@pytest.fixture(scope="session")
def trained(framework: Any, pictures: Examples) -> Any:
    """The outcome of a short training on the pictures: a teacher that is right about nearly all of them."""
    framework.seed(4)
    recipe = Train(network=SMALL, epochs=6, batch_size=16, learning_rate=0.01)
    return framework.train(models.load("samples"), pictures, recipe)


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Any]:
    """`added("name", source)` puts one more file into models/, as far as Python can tell, and loads it."""
    import sys

    def add(name: str, source: str) -> Any:
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path)])
        monkeypatch.delitem(sys.modules, f"models.{name}", raising=False)
        return models.load(name)

    return add


@pytest.fixture
def transcriber(added: Callable[[str, str], Any]) -> Any:
    """A model file of task transcribe."""
    return added("test_phrases", PHRASES)


@pytest.fixture
def threads() -> Iterator[None]:
    """What a test does to torch's threads is undone."""
    import torch

    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def _pictures(rng: np.random.Generator, count: int) -> Part:
    labels = np.arange(count) % 3
    features = rng.normal(0, 0.3, (count, 16, 16)).astype(np.float32)
    for picture, label in zip(features, labels, strict=True):
        start = rng.integers(0, 3)
        if label == 0:
            picture[start::3] += 1
        elif label == 1:
            picture[:, start::3] += 1
        else:
            picture[:8, :8] += 1
    return Part(features, labels.astype(np.int64))


def _phrases(rng: np.random.Generator, count: int) -> Part:
    features, labels = [], np.full((count, 5), -1, np.int64)
    for row in labels:
        said = rng.integers(0, 3, rng.integers(1, 6))
        row[: len(said)] = said
        rows = []
        for phone in said:
            rows += [np.eye(4)[phone]] * rng.integers(2, 4) + [np.eye(4)[3]] * rng.integers(1, 3)
        features.append((np.array(rows) + rng.normal(0, 0.05, (len(rows), 4))).astype(np.float32))
    return Part(features, labels)
