"""A form that several platforms ask for is made once, and each gets the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from frameworks.recipe import Variant
from tasks.convert import Source


class Counting:
    """A framework that notes what it was asked to convert."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bool]] = []

    def convert(
        self, network: Any, target: Any, variant: Variant, examples: Any, file: Path, *, micro: bool = False
    ) -> None:
        self.asked.append((variant.backend, variant.precision, micro))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{network} {target} {variant.precision} {micro}")


@pytest.fixture
def source() -> Source:
    plan = {"int8": {"network": "aware"}, "micro": {"network": "network"}}
    return Source(Counting(), {"network": "float", "aware": "aware"}, plan, None)  # type: ignore[arg-type]


def test_the_same_form_is_made_once(source: Source, tmp_path: Path) -> None:
    int8 = Variant(backend="tflite", precision="int8")
    source.write(int8, tmp_path / "edge/model.tflite", small=False)
    source.write(int8, tmp_path / "mobile/model.tflite", small=False)
    assert source.framework.asked == [("tflite", "int8", False)]  # type: ignore[attr-defined]
    assert (tmp_path / "mobile/model.tflite").read_bytes() == (tmp_path / "edge/model.tflite").read_bytes()


def test_other_forms_are_their_own(source: Source, tmp_path: Path) -> None:
    int8, whole = Variant(backend="tflite", precision="int8"), Variant(backend="tflite", precision="float32")
    for name, variant, small in (("mcu", int8, True), ("edge", int8, False), ("cloud", whole, False)):
        source.write(variant, tmp_path / name, small=small)
    texts = {(tmp_path / name).read_text() for name in ("mcu", "edge", "cloud")}
    assert texts == {
        "float {'network': 'network'} int8 True", "aware {'network': 'aware'} int8 False", "float {} float32 False"
    }  # fmt: skip
