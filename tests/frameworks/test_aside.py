"""Work in a process of its own: its answer, its failure and its death arrive, and it outlives nobody."""

from __future__ import annotations

import multiprocessing
import operator
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from frameworks import FrameworkError
from frameworks.aside import aside

PARENT = """
import multiprocessing, time
from frameworks.aside import aside
if __name__ == "__main__":
    with aside("sleeping", time.sleep, 600):
        print(multiprocessing.active_children()[0].pid, flush=True)
        time.sleep(600)
"""


def test_the_answer_arrives() -> None:
    with aside("adding", operator.add, 2, 3) as answer:
        assert answer() == 5


def test_what_the_work_raises_is_raised_by_the_wait() -> None:
    with aside("dividing", operator.truediv, 1, 0) as answer, pytest.raises(ZeroDivisionError):
        answer()


def test_a_process_that_died_is_named() -> None:
    with (
        aside("dying", os._exit, 3) as answer,
        pytest.raises(FrameworkError, match="dying: its process ended with exit code 3"),
    ):
        answer()


def test_whoever_leaves_early_leaves_nothing_running() -> None:
    with aside("sleeping", time.sleep, 600):
        (process,) = multiprocessing.active_children()
    assert not process.is_alive()


def test_a_killed_parent_takes_its_child_along(project: Path) -> None:
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    child.wait(timeout=30)
