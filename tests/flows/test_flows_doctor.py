"""The doctor names what is wrong and what would mend it, and lets be what is merely not set up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flows import doctor


def found(check: Any) -> dict[str, doctor.Finding]:
    return {one.what: one for one in check()}


def test_another_version_than_locked_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("requirements.lock").write_text(
        "numpy==0.0.1\nno-such-thing==1.0\npytest==" + doctor._installed("pytest") + "\n"
    )
    one = found(doctor.packages)["packages"]
    assert one.fine is False
    assert "numpy" in one.found
    assert "(wanted 0.0.1)" in one.found
    assert "no-such-thing absent (wanted 1.0)" in one.found
    assert "pytest" not in one.found
    assert one.advice == "make setup"


def test_remotes_of_dvc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert found(doctor._remotes)["DVC remote"].fine is None
    Path(".dvc").mkdir()
    Path(".dvc/config").write_text("['remote \"far\"']\n    url = s3://bucket/prefix\n")
    assert (one := found(doctor._remotes)["DVC remote"]).fine is True
    assert one.found == "far: s3://bucket/prefix"
    Path(".dvc/config").write_text("['remote \"near\"']\n    url = ../nowhere\n")
    assert found(doctor._remotes)["DVC remote"].fine is False


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert found(doctor._server)["Prefect server"].fine is None
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    one = found(doctor._server)["Prefect server"]
    assert one.fine is False
    assert "make serve" in one.advice


def test_recipes_and_registry_of_a_project(done: Any, both_known: None) -> None:
    assert found(doctor._recipes)["params.yaml"].fine is True
    one = found(doctor._registries)["registry"]
    assert one.fine is True
    assert one.found == "artifacts/registry: keywords, sirens"
    done.change("keywords.train", {"epoks": 3})
    assert "epoks" in found(doctor._recipes)["params.yaml"].found


def test_too_little_memory_is_not_fine(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "LEAST_MB", 10**9)
    monkeypatch.setattr(doctor, "CHECKS", (doctor._python, doctor._machine))
    assert doctor.main() == 1
    shown = capsys.readouterr().out
    assert "not fine" in shown
    assert "PIANISSIMO_TRAININGS=1" in shown
