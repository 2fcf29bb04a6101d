"""All models on real recordings: `python -m benchmarks.real DATA [MODEL ...]`, in a clone beside: your own run stays as it is.

DATA holds one folder a corpus (labels.csv and audio); real.yaml says which model takes which, and what else is set for it.
The clone, build/real, keeps everything that was made, a registry of its own included; running it again makes what is stale.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

import models
from flows.environment import environment

CLONE = Path("build/real")
OVERLAY = Path("real.yaml")


def main() -> int:
    """The exit status of `python -m flows` there: 0 when every model passed its gate."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real", description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with one folder a corpus")
    parser.add_argument("model", nargs="*", help="default: all that real.yaml names")
    options = parser.parse_args()
    overlay = YAML(typ="safe").load(OVERLAY.read_text(encoding="utf-8"))
    names = options.model or list(overlay)
    unknown = sorted(set(names) - set(overlay))
    if unknown:
        sys.exit(f"{OVERLAY} has no section for {', '.join(unknown)}; it has: {', '.join(overlay)}")
    absent = [str(place) for name in names if not (place := options.data / overlay[name]["corpus"]).is_dir()]
    if absent:
        sys.exit(f"no such folder: {', '.join(absent)}; DATA needs one folder a corpus, as {OVERLAY} names them")
    _clone()
    for name in names:
        _set(name, overlay[name], options.data.resolve())
    return subprocess.run([sys.executable, "-m", "flows", *names], cwd=CLONE, env=_own(), check=False).returncode


def _own() -> dict[str, str]:
    """The clone's code, the runtime's included, before this checkout's."""
    places = [str(CLONE.resolve()), str((CLONE / "runtime/src").resolve())]
    return {**environment(), "PYTHONPATH": ":".join(places)}


def _clone() -> None:
    """The committed project; an earlier clone is brought to the same commit and keeps what it made."""
    if not (CLONE / ".git").is_dir():
        CLONE.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "clone", "--quiet", ".", str(CLONE)], check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    lock = CLONE / "dvc.lock"
    made = lock.read_bytes()
    for words in (["fetch", "--quiet", "origin"], ["checkout", "--quiet", "--force", "--detach", commit]):
        subprocess.run(["git", "-C", str(CLONE), *words], check=True)
    lock.write_bytes(made)  # what is up to date there is for its own lock to say


def _set(name: str, section: dict[str, Any], data: Path) -> None:
    """Writes a model's section of real.yaml into the clone's params.yaml."""
    models.load(name)
    corpus, loader = data / section["corpus"], section.get("loader")
    if loader:
        dest = Path("data/corpora") / loader
        command = [sys.executable, "-m", f"corpora.{loader}", str(dest), "--from", str(corpus)]
        if not (CLONE / dest / "labels.csv").is_file():
            subprocess.run(command, cwd=CLONE, env=_own(), check=True)
        corpus = dest
    yaml = YAML()
    file = CLONE / "params.yaml"
    tree = yaml.load(file)
    changes = {key: value for key, value in section.items() if key not in ("corpus", "loader")}
    for key, value in {**changes, "prepare.corpus": str(corpus)}.items():
        *parts, last = key.split(".")
        node = tree["models"][name]
        for part in parts:
            node = node.setdefault(part, {})  # what is misspelt, the recipe refuses
        node[last] = value
    yaml.dump(tree, file)


if __name__ == "__main__":
    sys.exit(main())
