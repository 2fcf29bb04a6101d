"""Where a version comes from: commit, the hashes DVC locked, parameters, corpus and library versions."""

import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

LIBRARIES = (
    "numpy",
    "scikit-learn",
    "scipy",
    "skl2onnx",
    "torch",
    "torch-pruning",
    "transformers",
    "tensorflow",
    "tf-keras",
    "tensorflow-model-optimization",
    "tf2onnx",
    "onnx",
    "onnxruntime",
    "ai-edge-litert",
    "soxr",
    "pianissimo",
)


def collect(model: str, params: dict[str, Any], corpus: dict[str, Any], root: Path = Path()) -> dict[str, Any]:
    """The lineage of `model` in the project at `root`. What is not to be had there (no git, no dvc.lock) is null."""
    return {
        "git": _commit(root),
        "dvc": _locked(model, root / "dvc.lock"),
        "params": params,
        "corpus": corpus,
        "libraries": {name: metadata.version(name) for name in LIBRARIES if _installed(name)},
    }


def _commit(root: Path) -> dict[str, Any] | None:
    """The commit, and whether tracked files differ from it; `dvc.lock` is written by the run itself."""
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return {
            "commit": commit,
            "dirty": bool(_git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!dvc.lock")),
        }
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def _locked(model: str, lock: Path) -> dict[str, str] | None:
    """md5 of every output DVC holds for this model, by path."""
    if not lock.is_file():
        return None
    stages = (YAML(typ="safe").load(lock.read_text(encoding="utf-8")) or {}).get("stages", {})
    return {
        out["path"]: out["md5"]
        for name, stage in stages.items()
        if name.endswith(f"@{model}")
        for out in stage.get("outs", [])
        if "md5" in out
    }


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
