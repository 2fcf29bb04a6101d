"""models/samples.py: pictures of any fixed size, a student that is a fraction of its teacher, and files without detours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch

import frameworks
import models
from frameworks.torch.build import check, from_spec
from models import ModelError

LARGE = (128, 128)


@pytest.fixture(scope="module")
def torch_framework() -> Any:
    return frameworks.choose("torch")


def network(part: str, shape: tuple[int, ...] = LARGE, classes: int = 10, **settings: Any) -> Any:
    return from_spec(
        {
            "model": "samples", "part": part, "task": "classify", "shape": list(shape), "typical": shape[0],
            "classes": classes, "settings": settings,
        }
    )  # fmt: skip


@pytest.mark.parametrize("part", ["teacher", "student"])
@pytest.mark.parametrize(("shape", "classes"), [(LARGE, 10), ((40, 64), 2), ((16, 16), 3), ((61, 32), 5)])
def test_both_fit_any_front_end_of_a_fixed_window(part: str, shape: tuple[int, int], classes: int) -> None:
    made = network(part, shape, classes)
    check(made)  # raises where the features do not fit
    assert made.eval()(torch.zeros(2, *shape)).shape == (2, classes)


def test_the_student_is_a_fraction_of_its_teacher(torch_framework: Any) -> None:
    teacher, student = (torch_framework.size(network(part)) for part in ("teacher", "student"))
    assert 30e6 < teacher.macs < 60e6
    assert student.macs < teacher.macs / 5
    assert student.parameters < teacher.parameters / 5


@pytest.mark.parametrize("part", ["teacher", "student"])
def test_a_file_computes_no_shapes(torch_framework: Any, part: str, tmp_path: Path) -> None:
    """Shape, Gather, Slice and Concat of a few numbers cost a small network a tenth of its time."""
    from frameworks.torch.export import export

    export(network(part), tmp_path / "x.onnx")
    kinds = {node.op_type for node in onnx.load(tmp_path / "x.onnx").graph.node}
    assert not kinds & {"Shape", "Gather", "Slice", "Concat", "Unsqueeze"}


@pytest.mark.parametrize(
    ("part", "shape", "settings", "message"),
    [
        ("teacher", (None, 64), {}, "a picture has a fixed number of frames and of bands"),
        ("student", (16000,), {}, "a picture has a fixed number of frames and of bands"),
        ("student", (49, 41), {"group": 4}, "group 4 does not divide the front end's 41 bands"),
        (
            "student",
            (128, 128),
            {"widths": [8], "strides": [1, 2]},
            "1 widths and 2 strides; allowed: one of each a block",
        ),
        (
            "student",
            (128, 128),
            {"depth": 3},
            "the student has no setting depth; it takes: widths, strides, stem, group",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    part: str, shape: tuple[int, ...], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        getattr(models.load("samples"), part)(shape, 10, settings)
