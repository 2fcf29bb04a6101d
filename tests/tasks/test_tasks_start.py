"""A warm start hears as the network it begins with was trained to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from frameworks import FrameworkError
from tasks import clips

HEARD = {"kind": "log_mel_sequence", "sample_rate": 16_000, "frame": 400, "hop": 160, "mean": -3.1, "deviation": 1.4}


@pytest.fixture
def network(tmp_path: Path) -> Path:
    clips.write_frontend(tmp_path, HEARD)
    return tmp_path


def test_another_corpuss_mean_is_no_hindrance(network: Path) -> None:
    clips.check_start(str(network), {**HEARD, "mean": 2.0, "deviation": 3.0}, "train.start")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sample_rate": 8_000}, r"sample_rate 16000 \(there\) and 8000 \(here\)"),
        ({"kind": "wave", "hop": 80}, r"hop 160 \(there\) and 80 \(here\), kind log_mel_sequence \(there\) and wave"),
        ({"fmin": 20.0}, r"fmin None \(there\) and 20\.0 \(here\)"),
    ],
)
def test_another_front_end_is_refused_with_both_sides(network: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(FrameworkError, match=rf"train\.start: .* was trained to hear another front end: {words}"):
        clips.check_start(str(network), {**HEARD, **change}, "train.start")


def test_weights_alone_and_no_start_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "weights.pt").touch()
    clips.check_start(str(tmp_path / "weights.pt"), HEARD, "train.start")
    clips.check_start(None, HEARD, "train.start")
