"""`python -m pianissimo predict` answers for WAV files, and says what is wrong with the others."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pianissimo as pp
import pytest
from pianissimo.__main__ import main
from pianissimo.wav import read_wav

Make = Callable[..., Path]
TONE = 0.4 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)


def write(path: Path, width: int = 2, rate: int = 16000, channels: int = 1) -> Path:
    steps = np.round(TONE * (2 ** (8 * width - 1))).astype(np.int64)
    steps = steps + 128 if width == 1 else steps
    raw = np.repeat(steps, channels).astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width]
    with wave.open(str(path), "wb") as stream:
        stream.setparams((channels, width, rate, 0, "NONE", ""))
        stream.writeframes(raw.tobytes())
    return path


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("width", "tolerance"), [(1, 8e-3), (2, 2e-5), (3, 1e-6), (4, 1e-6)])
def test_every_width(tmp_path: Path, width: int, tolerance: float, channels: int) -> None:
    samples, rate = read_wav(write(tmp_path / "a.wav", width, channels=channels))
    np.testing.assert_allclose(pp.audio.prepare(samples, rate, 16000, 30.0), TONE, atol=tolerance)


def test_answers(published: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = published(edge=["int8"])
    first, second = write(tmp_path / "a.wav", 3), write(tmp_path / "b.wav", 2, rate=44100)
    assert main(["predict", "tones", "--platform", "edge", "--registry", str(root), str(first), str(second)]) == 0
    lines = capsys.readouterr().out.splitlines()
    with pp.load("tones", registry=root) as model:
        answer = model.predict(*read_wav(first))
    assert lines[0] == f"{first}  {answer.label}  {answer.score:.3f}"
    assert len(lines) == 2


def cut(path: Path, keep: int) -> Path:
    path.write_bytes(path.read_bytes()[:keep])
    return path


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda path: path.write_text("not audio, but long enough to be looked at"), "cannot be read"),
    "empty": (lambda path: path.write_bytes(b""), "cannot be read"),
    "header cut": (lambda path: cut(write(path), 30), "is cut short"),
    "data cut": (lambda path: cut(write(path), 2000), "is cut short"),
    "no samples": (lambda path: cut(write(path), 44), "is cut short"),
    "no chunks": (lambda path: cut(write(path), 12), "cannot be read"),
    "folder": (lambda path: path.mkdir(), "cannot be read"),
    "absent": (lambda path: None, "No such file"),
    "slow": (lambda path: write(path, rate=1000), "4,000 to 192,000"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_does_not_stop_the_next(
    published: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    make, words = BAD[case]
    make(tmp_path / "bad.wav")
    good = write(tmp_path / "good.wav")
    root = str(published(edge=["onnx"]))
    assert main(["predict", "tones", "--registry", root, str(tmp_path / "bad.wav"), str(good)]) == 1
    output = capsys.readouterr()
    assert words in output.err
    assert "bad.wav" in output.err
    assert "Traceback" not in output.err
    assert output.out.startswith(str(good))


def test_an_unknown_model(published: Make, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "words", "--registry", str(published(edge=["onnx"])), "a.wav"]) == 1
    assert "known: tones" in capsys.readouterr().err
