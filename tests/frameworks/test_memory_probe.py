"""Peak memory is that of a fresh process with one artifact, whatever the process that asks has loaded."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from frameworks.proof import memory


def test_a_fresh_process_is_small(trained: Any) -> None:
    """This process holds TensorFlow; what a consumer needs is Python, numpy, one backend and one model."""
    peak = memory.fresh_peak(trained.convert / "files", "edge", "tflite-int8", 16_000)
    assert 20e6 < peak < 200e6


@pytest.mark.parametrize(("damage", "words"), [(b"", "IntegrityError"), (None, "PlatformNotFoundError")])
def test_an_artifact_that_does_not_load_says_why(
    trained: Any, tmp_path: Path, damage: bytes | None, words: str
) -> None:
    files = tmp_path / "files"
    shutil.copytree(trained.convert / "files", files)
    variant = "tflite-int8"
    if damage is None:
        variant = "tflite-int4"
    else:
        (files / "edge/keywords-int8.tflite").write_bytes(damage)
    with pytest.raises(memory.MemoryProbeError, match=words) as caught:
        memory.fresh_peak(files, "edge", variant, 16_000)
    assert f"edge/{variant} failed in a fresh process" in str(caught.value)
