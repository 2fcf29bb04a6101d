"""The wheel as it ships: built, installed alone with one extra, and used without the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pianissimo as pp
import pytest

import registry

ROOT = Path(__file__).resolve().parents[2]
PREDICT = """
import importlib.util, sys
import pianissimo as pp
assert pp.__file__.startswith(sys.prefix), pp.__file__
assert not [name for name in ("onnxruntime", "scipy", "registry") if importlib.util.find_spec(name)]
with pp.load("tones", platform="edge") as model:
    print(model.info.backend, model.verify().clips, [fallback.variant for fallback in model.info.fallbacks])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, as building leaves folders beside the source."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "runtime"
    shutil.copytree(ROOT / "runtime", source, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    run(
        folder,
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-build-isolation",
        "--no-deps",
        "-q",
        "-w",
        "out",
        str(source),
    )
    return next((folder / "out").glob("*.whl"))


def run(folder: Path, *command: str, **environment: str) -> str:
    """Run outside the repository; the output of a failure is part of the test's message."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, env=inherited | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.wheel
def test_what_is_in_it(wheel: Path) -> None:
    assert wheel.name == f"pianissimo-{pp.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(f"pianissimo-{pp.__version__}.dist-info/METADATA").decode()
    sources = {path.relative_to(ROOT / "runtime/src").as_posix() for path in (ROOT / "runtime/src").rglob("*.py")}
    assert sources | {"pianissimo/py.typed"} == {name for name in names if ".dist-info/" not in name}
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    assert [line for line in required if "extra" not in line] == ["Requires-Dist: numpy>=1.26"]


@pytest.mark.wheel
def test_installed_alone_it_predicts(wheel: Path, published: Callable[..., Path], tmp_path: Path) -> None:
    """The wheel comes from the registry; of two variants the one whose backend is there answers."""
    root = published(edge=["onnx", "int8"])
    registry.put_runtime(registry.open_store(str(root)), wheel)
    venv.create(tmp_path / "fresh", with_pip=True)
    python = str(tmp_path / "fresh" / ("Scripts" if os.name == "nt" else "bin") / "python")
    lock = ROOT / "requirements.lock"
    pinned = ["-c", str(lock)] if lock.exists() else []
    stored = next((root / "runtime").glob("*.whl"))
    run(tmp_path, python, "-m", "pip", "install", "-q", *pinned, f"{stored}[tflite]")
    away = tmp_path / "away"  # a folder without anything Python could import
    away.mkdir()
    assert run(away, python, "-c", PREDICT, PIANISSIMO_REGISTRY=str(root)) == "tflite 3 ['onnx']\n"
    with wave.open(str(away / "tone.wav"), "wb") as stream:
        stream.setparams((1, 2, 16000, 0, "NONE", ""))
        stream.writeframes((8000 * np.sin(np.arange(16000) / 8)).astype("<i2").tobytes())
    command = [python, "-m", "pianissimo", "predict", "tones", "--platform", "edge", "tone.wav"]
    assert run(away, *command, PIANISSIMO_REGISTRY=str(root)).split()[1] in ("low", "middle", "high")
