"""Importing the runtime brings in nothing it does not need."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime.test_frames import ARRAYS, SPEC, STEPS

LIBRARIES = [
    *("ai_edge_litert", "onnxruntime", "tensorflow", "torch", "sklearn", "scipy"),  # backends, and what they bring
    *("boto3", "botocore", "cryptography", "prometheus_client"),  # the other extras
]
HEAVY = [*LIBRARIES, "asyncio", "concurrent.futures", "multiprocessing", "ssl", "urllib.request", "argparse"]
# What `import pianissimo` may cost over Python itself: at most 20 ms, and these are what takes time in the library.
LIGHT = ["numpy", "pathlib", "dataclasses", "inspect", "json", "logging", "hashlib", "zipfile", "threading"]


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import pianissimo", [*HEAVY, *LIGHT]),
        ("import pianissimo.manifest, pianissimo.channel, pianissimo.integrity", [*HEAVY, "numpy"]),
        ("import pianissimo as pp; pp.load, pp.frontend, pp.audio, pp.Model", HEAVY),
        ("import pianissimo as pp; pp.FrameClassifier, pp.Phonemes, pp.VoiceUnlock, pp.Stream", HEAVY),
        ("import registry", [*(name for name in LIBRARIES if name != "cryptography"), "numpy"]),
    ],
)
def test_modules_that_stay_out(statement: str, absent: list[str]) -> None:
    code = f"{statement}; import sys; print([name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_model_brings_its_own_backend_alone(assemble: Callable[..., Path]) -> None:
    """Opened, asked, streamed and verified against: plain arrays need numpy and nothing else."""
    code = f"""
import sys
import numpy as np
before = set(sys.modules)
import pianissimo as pp
with pp.open_folder({str(assemble(SPEC, STEPS, ARRAYS))!r}) as model:
    model.predict(np.zeros(48_000, np.float32), 48_000)
    model.stream().feed(np.zeros(48_000, np.float32))
print([name for name in {HEAVY!r} if name in set(sys.modules) - before])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_table_of_contents() -> None:
    import pianissimo as pp

    for name in dir(pp):
        assert getattr(pp, name) is not None
    with pytest.raises(AttributeError, match="open_folder"):
        _ = pp.open_foulder  # type: ignore[attr-defined]
