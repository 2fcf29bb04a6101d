"""How many trainings a machine carries at once, whoever started them."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flows import bounds


@pytest.fixture(autouse=True)
def _one_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(bounds.PLACES, "1")
    monkeypatch.setenv(bounds.MEMORY, "0")
    monkeypatch.setattr(bounds.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(bounds, "get_run_logger", lambda: logging.getLogger("run"))


async def _held(target: str, seconds: float) -> bool:
    """Whether a place was had within that time."""
    try:
        async with asyncio.timeout(seconds), bounds.place(target):
            return True
    except TimeoutError:
        return False


def test_a_second_training_waits_for_the_first_and_says_so(caplog: Any) -> None:
    async def both() -> tuple[bool, bool, bool]:
        async with bounds.place("train@keywords"):
            while_held = await _held("distill@genre", 0.3)
            other = await _held("validate@genre", 0.3)
        return while_held, other, await _held("distill@genre", 0.3)

    with caplog.at_level(logging.INFO):
        assert asyncio.run(both()) == (False, True, True)
    assert "distill@genre waits for one of 1 places to train (PIANISSIMO_TRAININGS)" in caplog.messages


def test_too_little_memory_is_waited_for(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    monkeypatch.setenv(bounds.MEMORY, str(10**9))
    with caplog.at_level(logging.INFO):
        assert not asyncio.run(_held("train@keywords", 0.3))
    assert "MB of free memory" in caplog.text


def test_who_dies_gives_its_place_back(tmp_path: Path, project: Path) -> None:
    code = f"""
import asyncio, os, signal
from flows import bounds
bounds.tempfile.gettempdir = lambda: {str(tmp_path)!r}
async def die():
    async with bounds.place("train@keywords"):
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(die())
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=project, check=False).returncode == -9
    assert asyncio.run(_held("train@genre", 0.3))


def test_a_slower_machine_has_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = bounds.seconds("train@keywords")
    monkeypatch.setenv(bounds.FACTOR, "2.5")
    assert bounds.seconds("train@keywords") == 2.5 * usual
    assert bounds.seconds("gate@keywords") < bounds.seconds("train@keywords")
