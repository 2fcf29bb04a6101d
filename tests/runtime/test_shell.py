"""The commands answer people in tables, pipes in plain lines and programs in JSON, and end with the status they state."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from pianissimo.__main__ import COMMANDS, main
from pianissimo.shell import output
from pianissimo.wav import read_wav

import registry
from tests.runtime.conftest import publish_folder, write_golden, write_manifest
from tests.runtime.test_frames import ARRAYS, SPEC, STEPS

Make = Callable[..., Path]
RATE = 48_000


class Screen(io.StringIO):
    """A stream somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def root(assemble: Make, tmp_path: Path) -> Path:
    """A registry with one model of plain arrays, whose second variant wants a backend nobody has."""
    build = assemble(SPEC, STEPS, ARRAYS, model="music")
    manifest = json.loads((build / "manifest.json").read_text())
    write_golden(build, manifest)
    only = manifest["platforms"]["edge"]["variants"][0]
    manifest["platforms"]["edge"]["variants"].append({**only, "name": "other", "backend": "abacus"})
    manifest["platforms"]["edge"]["figures"] = {"macro_f1": 0.91, "curve": [1, 2]}
    write_manifest(build, manifest)
    publish_folder(registry.open_store(str(tmp_path / "registry")), build)
    return tmp_path / "registry"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    with wave.open(str(path), "wb") as stream:
        stream.setparams((1, 2, RATE, 0, "NONE", ""))
        stream.writeframes((8000 * np.sin(np.arange(RATE // 2) / 8)).astype("<i2").tobytes())
    return path


@pytest.fixture
def run(root: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """`run("list")` gives the exit status, what was printed, and what was said beside it."""

    def command(*words: object) -> tuple[int, str, str]:
        status = main([*map(str, words), "--registry", str(root)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return command


Run = Callable[..., tuple[int, str, str]]


def test_list(run: Run, root: Path) -> None:
    (size,) = {f"{file.stat().st_size:,}" for file in root.glob("blobs/sha256/*") if file.stat().st_size < 10_000}
    assert run("list")[:2] == (0, f"music  classify  candidate=1 stable=1  1  edge  {size}\n")
    status, out, _ = run("list", "--json")
    (model,) = json.loads(out)["models"]
    assert (status, model["channels"], model["versions"]) == (0, {"candidate": 1, "stable": 1}, [1])


def test_a_model_that_cannot_be_read_does_not_hide_the_others(run: Run, root: Path) -> None:
    (root / "models" / "broken" / "versions" / "1").mkdir(parents=True)
    (root / "models" / "broken" / "versions" / "1" / "manifest.json").write_text("{")
    status, out, err = run("list")
    assert (status, out.split()[0], "error: broken:" in err) == (1, "music", True)


def test_pull(run: Run, root: Path) -> None:
    status, out, _ = run("pull", "music")
    assert status == 0
    for line in out.splitlines():
        name, size, place = line.split("  ")
        assert name in ("network.npz", "golden.npz")
        assert Path(place).stat().st_size == int(size.replace(",", ""))
    files = json.loads(run("pull", "music", "--json")[1])["files"]
    assert {file["file"] for file in files} == {"network.npz", "golden.npz"}
    next(root.glob("blobs/sha256/*")).write_bytes(b"other")
    status, out, err = run("pull", "music")
    assert (status, out, "was not opened" in err) == (1, "", True)


def test_predict(run: Run, root: Path, clip: Path, tmp_path: Path) -> None:
    with pp.load("music", registry=root) as model:
        expected = model.predict(*read_wav(clip))
    status, out, err = run("predict", "music", clip, tmp_path / "absent.wav", clip)
    lines = out.splitlines()
    assert (status, len(lines), lines[0]) == (1, 2, lines[1])
    assert lines[0].split("  ")[0] == str(clip)
    assert f"error: {tmp_path / 'absent.wav'}" in err
    assert lines[0].split("  ")[1:] == [expected.label, f"{expected.score:.3f}"]
    status, out, _ = run("predict", "music", clip, "--json")
    answer = json.loads(out)["answers"][0]
    assert (status, set(answer["scores"]), answer["symbols"]) == (0, {"low", "middle", "high"}, [])


def test_verify(run: Run, root: Path) -> None:
    """A backend that is not here is said, and is no failure; wrong answers are."""
    status, out, err = run("verify", "music")
    assert (status, out.split("\n")[0].split()[:4]) == (0, ["edge", "plain", "numpy", "ok"])
    assert "edge/other: backend abacus is not available" in err
    rows = json.loads(run("verify", "music", "--json")[1])["variants"]
    assert [row["verdict"] for row in rows] == ["ok", "not installed"]
    for path in root.glob("blobs/sha256/*"):
        data = bytearray(path.read_bytes())
        data[-200] ^= 1
        path.write_bytes(data)
    status, out, err = run("verify", "music")
    assert (status, "failed" in out, "the file was not opened" in err) == (1, True, True)


def test_bench(run: Run) -> None:
    status, out, _ = run("bench", "music", "--rounds", "5", "--seconds", "0.5")
    words = {line.split("  ")[0]: line.split("  ")[1:] for line in out.splitlines()}
    assert status == 0
    assert {"predict", "front end", "network", "load_ms", "first_answer_ms", "memory_bytes"} <= set(words)
    report = json.loads(run("bench", "music", "--rounds", "5", "--json")[1])
    assert 0 < report["milliseconds"]["predict"]["p50"] <= report["milliseconds"]["predict"]["p99"]
    with pytest.raises(SystemExit, match="2"):
        main(["bench", "music", "--rounds", "0"])


def test_info(run: Run) -> None:
    status, out, _ = run("info", "music")
    assert status == 0
    for words in (
        "task  classify",
        "labels  low, middle, high",
        "macro_f1=0.91",
        "edge  plain  numpy  float32",
        "kind=mfcc",
    ):
        assert words in out
    assert json.loads(run("info", "music", "--json")[1])["platforms"]["edge"]["figures"]["curve"] == [1, 2]


def test_info_about_the_installation(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIANISSIMO_CACHE", str(tmp_path / "cache"))
    assert main(["info"]) == 0
    assert f"pianissimo  {pp.__version__}" in (out := capsys.readouterr().out)
    assert f"cache  {tmp_path / 'cache'}" in out
    assert main(["info", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["backends"]) == {"tflite", "onnx", "numpy"}


@pytest.mark.parametrize("command", ["pull", "predict", "verify", "bench", "info"])
def test_unknown_names_are_told_with_the_known(run: Run, clip: Path, command: str) -> None:
    files = [clip] if command == "predict" else []
    status, out, err = run(command, "words", *files)
    assert (status, out) == (1, "")
    assert "known: music" in err
    status, out, _ = run(command, "words", *files, "--json")
    assert (status, json.loads(out)["kind"]) == (1, "ModelNotFoundError")
    status, _, err = run(command, "music", *files, "--platform", "phone")
    assert (status, "no platform phone; known: edge" in err) == (1, True)


def test_tables_on_a_terminal_and_in_a_pipe() -> None:
    rows = [("a.wav", 3, "0.5"), ("longer.wav", 12, None)]
    screen, pipe = Screen(), io.StringIO()
    output.table(("file", "n", "score"), rows, screen)
    output.table(("file", "n", "score"), rows, pipe)
    assert screen.getvalue().splitlines() == [
        "file         n  score",
        "──────────  ──  ─────",
        "a.wav        3    0.5",
        "longer.wav  12",
    ]
    assert pipe.getvalue() == "a.wav  3  0.5\nlonger.wav  12\n"


def test_progress_is_for_eyes_alone() -> None:
    screen, pipe = Screen(), io.StringIO()
    for stream in (screen, pipe):
        bars = output.Bars(stream)
        for done in range(0, 1_000_001, 1000):
            bars("network.npz", done, 1_000_000)
    assert pipe.getvalue() == ""
    drawn = screen.getvalue().split("\r")
    assert 100 < len(drawn) < 300  # not once a chunk
    assert "100% 1,000,000 of 1,000,000  network.npz\n" in drawn[-1]


def test_as_a_process(root: Path, clip: Path) -> None:
    def command(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "pianissimo", *words]
        return subprocess.run(line, capture_output=True, text=True, check=False, **more)

    done = command("predict", "music", str(clip), "--registry", str(root))
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (0, 1, "")
    wrong = command("predict")
    assert (wrong.returncode, "the following arguments are required: name, FILE" in wrong.stderr) == (2, True)
    told = command("--help").stdout
    assert all(name in told for name in COMMANDS)
    assert "exit status: 0 all done" in told
