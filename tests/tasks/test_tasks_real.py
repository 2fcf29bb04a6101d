"""prepare on the real digits: the official split, at the model's rate, with nothing shared."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpora import fsdd as loader
from tasks import clips


@pytest.mark.real
def test_fsdd_is_prepared_by_its_official_split(prepared: Any, fsdd: Path, tmp_path: Path) -> None:
    loader.make(tmp_path / "fsdd", fsdd)
    prepared.run("prepare", tmp_path / "data", corpus=tmp_path / "fsdd")
    parts = {name: clips.read(tmp_path / "data", name) for name in ("train", "validation", "test")}
    assert clips.read_prepared(tmp_path / "data").labels == tuple("0123456789")
    hashes = {name: {hashlib.sha256(clip.tobytes()).hexdigest() for clip in part.audio} for name, part in parts.items()}
    assert len(set().union(*hashes.values())) == sum(map(len, hashes.values()))
    assert all(set(part.labels) == set(range(10)) for part in parts.values())
    numbers = {name: {int(Path(path).stem.split("_")[-1]) for path in part.paths} for name, part in parts.items()}
    assert max(numbers["test"]) < min(numbers["validation"]) <= max(numbers["validation"]) < min(numbers["train"])
    assert all(np.isfinite(clip).all() and clip.dtype == np.float32 for clip in parts["test"].audio)
