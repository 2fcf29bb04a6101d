"""`python -m flows` as a person runs it: with its own server when there is work, and without Prefect when there is none."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

Python = Callable[..., subprocess.Popen[str]]


def said(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_twice(fresh: Any, python: Python) -> None:
    status, out, err = said(python("-m", "flows", "keywords", harness=False))
    assert status == 0, out + err
    assert "1 of 1 models passed" in out
    assert fresh.manifest("keywords").is_file()
    runs = fresh.runs()

    status, out, err = said(python("-X", "importtime", "-m", "flows", "keywords", harness=False))
    assert status == 0, out + err
    assert "Nothing changed since the last run: every stage is up to date." in out
    assert "1 of 1 models passed" in out
    imported = {line.rsplit("|")[-1].strip() for line in err.splitlines() if line.startswith("import time:")}
    assert "flows.stale" in imported
    assert not {name for name in imported if name.split(".")[0] in ("prefect", "dvc", "tensorflow", "torch")}
    assert fresh.runs() == runs


def test_an_unknown_model_is_told_without_a_traceback(fresh: Any, python: Python) -> None:
    status, out, err = said(python("-m", "flows", "nothing", harness=False))
    assert (status, out) == (2, "")
    assert err.startswith("no model 'nothing' in models/; there is: ")
    assert "Traceback" not in err


def test_help_names_the_models(fresh: Any, python: Python) -> None:
    status, out, _ = said(python("-m", "flows", "--help", harness=False))
    assert status == 0
    assert "keywords" in out
