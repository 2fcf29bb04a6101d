"""A stage that only reads records imports no training library, and leaves what it read as it was."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

HEAVY = {"tensorflow", "tf_keras", "keras", "torch", "sklearn", "tensorflow_model_optimization", "tf2onnx"}
CODE = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
finally:
    print("IMPORTED", *sorted(name for name in sys.modules if "." not in name))
"""


@pytest.mark.parametrize("stage", ["gate", "publish"])
def test_it_imports_no_training_library(
    pipeline: Any, tmp_path: Path, edited: Any, shell: Any, tree: Any, stage: str
) -> None:
    sources = pipeline.sources(stage)
    before = [tree(source) for source in sources]
    command = pipeline.command(stage, tmp_path / stage, params=edited({}))
    done = shell(sys.executable, "-c", CODE, *command[2:])
    assert done.returncode == 0, done.stderr
    imported = set(done.stdout.rpartition("IMPORTED ")[2].split())
    assert imported & HEAVY == set()
    assert "numpy" in imported, "the list is of that process"
    assert [tree(source) for source in sources] == before


def test_the_report_imports_no_training_library(shell: Any) -> None:
    if importlib.util.find_spec("tasks.report") is None:
        pytest.skip("there is no tasks.report yet")
    done = shell(
        sys.executable, "-c", "import sys, tasks.report; print(*sorted(n for n in sys.modules if '.' not in n))"
    )
    assert set(done.stdout.split()) & HEAVY == set()
