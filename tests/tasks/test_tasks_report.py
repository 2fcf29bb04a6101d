"""The tables a person reads at the end: every artifact with its verdict, and why one was rejected."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tasks import report


@pytest.fixture
def root(pipeline: Any, tmp_path: Path) -> Path:
    """The smoke pipeline's folders where the project has them: `artifacts/keywords/<stage>`, `data/keywords`."""
    for place, target in (("artifacts", pipeline.folder), ("data", pipeline.data)):
        (tmp_path / place).mkdir()
        (tmp_path / place / "keywords").symlink_to(target)
    return tmp_path / "artifacts"


@pytest.fixture
def rejected(pipeline: Any, root: Path, edited: Any, tmp_path: Path) -> Path:
    """The same, judged by limits that `edge` does not keep."""
    (root / "keywords").unlink()
    (root / "keywords").mkdir()
    for stage in ("train", "validate"):
        (root / "keywords" / stage).symlink_to(pipeline.folder / stage)
    pipeline.run("gate", root / "keywords/gate", params=edited({"gate.platforms.edge.max_bytes": 1000}))
    return root


def printed(show: Any, *arguments: Any) -> str:
    console = Console(file=io.StringIO(), width=160)
    show(*arguments, console=console)
    return str(console.file.getvalue())


def test_every_form_has_a_row_with_its_verdict(root: Path) -> None:
    lines = printed(report.show, ["keywords"], root).splitlines()
    for platform, form in (
        ("mcu", "tflite-int8"),
        ("edge", "tflite-int8"),
        ("mobile", "tflite-float16"),
        ("cloud", "onnx-float32"),
    ):
        (line,) = [line for line in lines if platform in line and form in line]
        assert "passed" in line
    assert report.reasons("keywords", root) == []


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_narrow_terminal_has_fewer_columns_and_none_that_is_cut(root: Path, width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    report.show(["keywords"], root, console)
    told = console.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in told
    assert "tflite-float16" in told
    assert (" MB " in told) == (width == 120), "memory is the first to go"


def test_a_rejection_is_told_with_its_reason(rejected: Path) -> None:
    text = printed(report.show, ["keywords"], rejected)
    (line,) = [line for line in text.splitlines() if "edge" in line and "tflite-int8" in line and "allowed" not in line]
    assert "rejected" in line
    assert "bytes, allowed 1,000" in text
    (reason,) = report.reasons("keywords", rejected)
    assert reason.startswith("edge: tflite-int8: ")


def test_every_stage_has_a_row(root: Path) -> None:
    text = printed(report.stages, "keywords", root)
    assert all(stage in text for stage in ("prepare", "train", "distill", "prune", "quantize", "convert", "publish"))


def test_a_model_that_was_not_judged_yet_is_shown_as_such(tmp_path: Path) -> None:
    assert "not judged yet" in printed(report.show, ["keywords"], tmp_path / "artifacts")
    assert report.reasons("keywords", tmp_path / "artifacts") == []


@pytest.mark.parametrize(("which", "status"), [("root", 0), ("rejected", 1)])
def test_its_exit_status_tells_a_rejection(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, which: str, status: int
) -> None:
    monkeypatch.chdir(request.getfixturevalue(which).parent)
    monkeypatch.setattr(sys, "argv", ["report", "keywords"])
    assert report.main() == status
