"""Publishing: only what passed, only the bytes that were judged, once, and right again after a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pianissimo as pp
import pytest
from pianissimo import IntegrityError, ModelNotFoundError, PlatformNotFoundError, RegistryError

from tasks.records import RecordError

PLATFORMS = ["mcu", "edge", "mobile", "cloud"]
RUN = "from tasks import command, publish; command.main('publish', publish.run, sys.argv[1:])"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Where the recipes of `edited` publish to."""
    return tmp_path / "registry"


def judged(pipeline: Any, folder: Path, params: Path) -> Path:
    """The gate's folder under these limits."""
    pipeline.run("gate", folder / "gate", params=params)
    return folder / "gate"


def channel(registry: Path, name: str) -> dict[str, Any] | None:
    file = registry / f"models/keywords/channels/{name}.json"
    return dict(json.loads(file.read_text())) if file.is_file() else None


def versions(registry: Path) -> list[str]:
    return sorted(path.parent.name for path in registry.glob("models/keywords/versions/*/manifest.json"))


def test_a_whole_model_moves_every_channel(pipeline: Any, tmp_path: Path, registry: Path, edited: Any) -> None:
    record = pipeline.run("publish", tmp_path / "publish", params=edited({}))
    assert record.facts["new"] is True
    assert record.facts["moved"] == ["candidate", "stable"]
    assert record.facts["platforms"] == PLATFORMS
    assert versions(registry) == ["1"]
    stable = channel(registry, "stable")
    assert stable is not None
    assert stable["version"] == 1
    assert stable["history"][0]["why"] == "published by the pipeline: every platform passed the gate"
    assert [path.name for path in (registry / "runtime").iterdir()] == [f"pianissimo-{pp.__version__}-py3-none-any.whl"]


def test_publishing_again_makes_no_version(
    pipeline: Any, tmp_path: Path, registry: Path, edited: Any, tree: Any
) -> None:
    params = edited({})
    pipeline.run("publish", tmp_path / "publish", params=params)
    before = tree(registry)
    record = pipeline.run("publish", tmp_path / "publish", params=params)
    assert (record.facts["version"], record.facts["new"], record.facts["moved"]) == (1, False, [])
    assert tree(registry) == before


def test_a_partly_rejected_model_does_not_move_stable(
    pipeline: Any, tmp_path: Path, registry: Path, edited: Any
) -> None:
    params = edited({"gate.platforms.edge.max_bytes": 1})
    record = pipeline.run("publish", tmp_path / "publish", params=params, gate=judged(pipeline, tmp_path, params))
    assert record.facts["moved"] == ["candidate"]
    assert channel(registry, "stable") is None
    with pp.load("keywords", "mcu", channel="candidate", registry=registry) as model:
        assert model.verify().clips == 3
    with pytest.raises(PlatformNotFoundError, match="bytes, allowed 1") as caught:
        pp.load("keywords", "edge", channel="candidate", registry=registry)
    assert set(caught.value.known) == {"mcu", "mobile", "cloud"}


def test_stable_stays_at_the_last_whole_version(pipeline: Any, tmp_path: Path, registry: Path, edited: Any) -> None:
    pipeline.run("publish", tmp_path / "publish", params=edited({}))
    params = edited({"gate.platforms.edge.max_bytes": 1})
    pipeline.run("publish", tmp_path / "publish", params=params, gate=judged(pipeline, tmp_path, params))
    assert versions(registry) == ["1", "2"]
    assert [(channel(registry, name) or {})["version"] for name in ("stable", "candidate")] == [1, 2]
    with pp.load("keywords", "edge", registry=registry) as model:
        assert model.info.version == 1


def test_a_wholly_rejected_model_is_not_published(pipeline: Any, tmp_path: Path, registry: Path, edited: Any) -> None:
    params = edited({"gate.platforms": {}})
    record = pipeline.run("publish", tmp_path / "publish", params=params, gate=judged(pipeline, tmp_path, params))
    assert (record.applied, record.reason) == (False, "the gate rejected every platform")
    assert set(record.facts["rejected"]) == set(PLATFORMS)
    assert not (registry / "models").exists()
    assert not (registry / "blobs").exists()
    with pytest.raises((ModelNotFoundError, RegistryError)):
        pp.load("keywords", "edge", registry=registry)


def changed_verdict(pipeline: Any, folder: Path) -> dict[str, Path]:
    verdict = json.loads((pipeline.gate / "verdict.json").read_text())
    verdict["platforms"]["edge"]["sha256"]["edge/keywords-int8.tflite"] = "0" * 64
    (folder / "gate").mkdir()
    (folder / "gate/verdict.json").write_text(json.dumps(verdict))
    return {"gate": folder / "gate"}


def changed_file(pipeline: Any, folder: Path) -> dict[str, Path]:
    shutil.copytree(pipeline.convert, folder / "convert")
    flip(folder / "convert/files/edge/keywords-int8.tflite")
    return {"convert": folder / "convert"}


def absent_file(pipeline: Any, folder: Path) -> dict[str, Path]:
    shutil.copytree(pipeline.convert, folder / "convert")
    (folder / "convert/files/edge/keywords-int8.tflite").unlink()
    return {"convert": folder / "convert"}


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("change", [changed_verdict, changed_file, absent_file])
def test_a_verdict_speaks_only_for_what_it_judged(
    pipeline: Any, tmp_path: Path, registry: Path, edited: Any, change: Any
) -> None:
    with pytest.raises(
        RecordError, match=r"edge/keywords-int8\.tflite is .*, but the verdict judged .*; run validate and gate again"
    ):
        pipeline.run("publish", tmp_path / "publish", params=edited({}), **change(pipeline, tmp_path))
    assert not (registry / "models").exists()
    assert not (registry / "blobs").exists()


def test_a_verdict_of_fewer_platforms_publishes_no_more(
    pipeline: Any, tmp_path: Path, registry: Path, edited: Any
) -> None:
    """A platform that convert made and nobody judged is not published."""
    verdict = json.loads((pipeline.gate / "verdict.json").read_text())
    del verdict["platforms"]["cloud"]
    (tmp_path / "gate").mkdir()
    (tmp_path / "gate/verdict.json").write_text(json.dumps(verdict))
    pipeline.run("publish", tmp_path / "publish", params=edited({}), gate=tmp_path / "gate")
    manifest = json.loads((registry / "models/keywords/versions/1/manifest.json").read_text())
    assert set(manifest["platforms"]) == {"mcu", "edge", "mobile"}


def test_a_flipped_byte_is_not_opened(pipeline: Any, tmp_path: Path, registry: Path, edited: Any) -> None:
    pipeline.run("publish", tmp_path / "publish", params=edited({}))
    manifest = json.loads((registry / "models/keywords/versions/1/manifest.json").read_text())
    (entry,) = manifest["platforms"]["edge"]["variants"][0]["files"]
    flip(registry / "blobs/sha256" / entry["sha256"])
    with pytest.raises(IntegrityError, match="sha256 expected"):
        pp.load("keywords", "edge", registry=registry)
    with pp.load("keywords", "cloud", registry=registry) as model:
        assert model.verify().clips == 3, "another platform's files are not touched"


def test_a_registry_that_cannot_be_written_says_so(
    pipeline: Any, tmp_path: Path, registry: Path, edited: Any, project: Path
) -> None:
    """Root may write anywhere, so a process that has become nobody tries; a real refusal of the system."""
    registry.mkdir()
    params = edited({})
    ours = [folder for folder in tmp_path.parents if folder.name.startswith(("pytest-", "popen-"))]  # a worker's has one more
    for folder in (tmp_path, *ours, pipeline.folder):
        folder.chmod(0o755)
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o777)
    registry.chmod(0o555)
    nobody = "os.setuid(65534)" if os.geteuid() == 0 else ""
    # Once as itself, into the registry that is there: nobody may not be able to read Python's own modules.
    warm, cold = (
        pipeline.command("publish", tmp_path / f"out/{name}", params=recipe)[3:]
        for name, recipe in (("warm", pipeline.params), ("cold", params))
    )
    code = f"import os, sys; from tasks import command, publish; command.main('publish', publish.run, {warm!r}); {nobody}\n"
    done = subprocess.run(
        [sys.executable, "-c", code + RUN, *cold],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"publish keywords: registry {registry}: is not writable"), done.stderr
    assert "allowed: a folder this user may write to" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_registry_that_is_a_file_says_so(pipeline: Any, tmp_path: Path, registry: Path, edited: Any) -> None:
    registry.write_text("not a folder")
    with pytest.raises(RegistryError, match="is not a folder"):
        pipeline.run("publish", tmp_path / "publish", params=edited({}))


DEADLY = """
import os, signal, sys
real, write, done = os.link, sys.argv.pop(1), []
def deadly(*arguments, **more):
    done.append(str(arguments[1]))
    if str(len(done)) == write or done[-1].endswith(write):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **more)
os.link = deadly
"""


@pytest.mark.parametrize("write", ["1", "3", "7", "manifest.json"])
def test_a_killed_run_is_simply_run_again(
    pipeline: Any, tmp_path: Path, registry: Path, edited: Any, project: Path, write: str
) -> None:
    """Content gets its name by a hard link: the process dies at the n-th, among blobs, or at the manifest's."""
    params = edited({})
    arguments = pipeline.command("publish", tmp_path / "publish", params=params)[3:]
    done = subprocess.run(
        [sys.executable, "-c", DEADLY + RUN, write, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (tmp_path / "publish").exists()
    assert versions(registry) == []
    record = pipeline.run("publish", tmp_path / "publish", params=params)
    assert (record.facts["version"], record.facts["new"], record.facts["moved"]) == (1, True, ["candidate", "stable"])
    assert versions(registry) == ["1"]
    for platform in PLATFORMS:
        with pp.load("keywords", platform, registry=registry) as model:
            assert model.verify().clips == 3
