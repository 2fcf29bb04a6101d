"""Importing the runtime brings in nothing it does not need."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ["ai_edge_litert", "onnxruntime", "tensorflow", "torch", "boto3", "scipy"]


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import pianissimo", [*HEAVY, "numpy"]),
        ("import pianissimo.manifest, pianissimo.channel, pianissimo.integrity", [*HEAVY, "numpy"]),
        ("import pianissimo as pp; pp.load, pp.frontend, pp.audio, pp.Model", HEAVY),
        ("import registry", [*HEAVY, "numpy"]),
    ],
)
def test_modules_that_stay_out(statement: str, absent: list[str]) -> None:
    code = f"{statement}; import sys; print([name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_table_of_contents() -> None:
    import pianissimo as pp

    for name in dir(pp):
        assert getattr(pp, name) is not None
    with pytest.raises(AttributeError, match="open_folder"):
        _ = pp.open_foulder  # type: ignore[attr-defined]
