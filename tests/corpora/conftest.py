"""Synthetic corpora and where the real ones lie, for the tests of `corpora`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import soundfile

Row = tuple[str, ...]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real: needs the real recordings (PIANISSIMO_DATA, or ../shared/data)")


@pytest.fixture
def write_sound(tmp_path: Path) -> Callable[..., Path]:
    """Write a tone (or the given samples) as a sound file under tmp_path."""

    def write(name: str, samples: np.ndarray | None = None, rate: int = 16_000, subtype: str = "PCM_16") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if samples is None:
            samples = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate // 10) / rate)
        soundfile.write(str(path), samples, rate, subtype=subtype)
        return path

    return write


@pytest.fixture
def make_corpus(tmp_path: Path) -> Callable[..., Path]:
    """Write a corpus folder from rows; every file differs from every other by its content."""

    def make(rows: Iterable[Row], header: str = "path,label,group", root: Path = tmp_path / "corpus") -> Path:
        root.mkdir(parents=True, exist_ok=True)
        rows = list(rows)
        for number, row in enumerate(rows, start=1):
            file = root / row[0]
            file.parent.mkdir(parents=True, exist_ok=True)
            samples = np.random.default_rng(number).uniform(-0.5, 0.5, 400)
            soundfile.write(str(file), samples, 8_000, subtype="PCM_16")
        lines = [header, *(",".join(row) for row in rows)]
        (root / "labels.csv").write_text("\n".join(lines) + "\n")
        return root

    return make


@pytest.fixture
def real_data() -> Path:
    """The folder of the real sets; a test that asks for it is skipped where there is none."""
    folder = Path(os.environ.get("PIANISSIMO_DATA") or Path(__file__).parents[3] / "shared/data")
    if not folder.is_dir():
        pytest.skip(f"no real recordings in {folder}; PIANISSIMO_DATA names another folder")
    return folder
