"""One trial of a sweep: the project as it stands in a folder of its own, with other settings and DVC's cache in common.

A trial differs from the project in two things: its settings, and that `validate` finds the validation split where it looks for
test. What is chosen by a score must not be chosen by the one that the gate will judge by.
"""

import fcntl
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from flows import settings as wishes
from flows.settings import Settings
from frameworks import params
from tasks import front, report

FOLDER = Path("build/sweep")  # of the trials; each keeps what it made, so that the next one has less to check out
MADE = {"artifacts", "build", "data", "held"}
KEPT = {".dvc", *MADE}  # of a trial's folder
HELD = {
    "cmd": "python -c \"import shutil; shutil.copytree('data/${key}/clips', 'held/${key}/clips', dirs_exist_ok=True);"
    " shutil.copy('held/${key}/clips/validation.npz', 'held/${key}/clips/test.npz')\"",
    "deps": ["data/${key}/clips"],
    "outs": ["held/${key}/clips"],
}


@asynccontextmanager
async def folder() -> AsyncIterator[Path]:
    """A folder for trials that no other trial uses, of this sweep or another; it is free again when its user dies."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    number = 0
    while True:
        with (FOLDER / f"{number}.lock").open("ab") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                number += 1
                continue
            yield FOLDER / str(number)
            return


def lay_out(place: Path, model: str, chosen: Settings, cache: str) -> None:
    """Makes `place` the project as it stands, changes that are not committed included, with these settings in it."""
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        if old.name not in KEPT:
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in names:
        made = name.split("/")[0] in MADE
        if not made and Path(name).is_file():  # what was deleted is still listed
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, place / name)
    (place / ".dvc/config.local").write_text(
        f"[core]\n    no_scm = true\n[cache]\n    dir = {cache}\n", encoding="utf-8"
    )
    tree = wishes.written(model, chosen)
    with open(place / "params.yaml", "w", encoding="utf-8") as stream:
        YAML().dump(tree, stream)
    _hold_test_back(place / "dvc.yaml")
    _link(place, model, tree)


def _hold_test_back(file: Path) -> None:
    """`validate` is given data in which validation stands for test."""
    yaml = YAML()
    tree = yaml.load(file.read_text(encoding="utf-8"))
    held = {"foreach": "${models}", "do": HELD}
    own = tree["stages"]["validate"]["do"]
    for key, value in own.items():
        own[key] = _replaced(value) if key in ("cmd", "deps") else value
    tree["stages"]["held"] = held
    with open(file, "w", encoding="utf-8") as stream:
        yaml.dump(tree, stream)


def _replaced(node: Any) -> Any:
    return (
        [_replaced(one) for one in node] if isinstance(node, list) else str(node).replace("data/${key}", "held/${key}")
    )


def _link(place: Path, model: str, tree: Mapping[str, Any]) -> None:
    """What DVC does not make, a corpus that was brought and a network to start from, is where it is in the project."""
    recipe = params.judge(tree, model, "params.yaml")
    made = {f"data/corpora/{name}" for name in tree.get("corpora") or {}}
    begun = (recipe.train.import_, recipe.train.start, recipe.distill.start)
    for name in (recipe.prepare.corpus, *begun):
        if name and name not in made and Path(name).exists() and not (place / name).exists():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).symlink_to(Path(name).absolute())


def outcome(place: Path, model: str, number: int, chosen: Settings, kept: Path) -> front.Trial:
    """What became of the trial that ran in `place`; the files it made go to `kept`, so that they can be timed together."""
    root = place / "artifacts"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(root / model / "convert/files", kept)
    shutil.copy2(root / model / "validate/golden.npz", kept)
    reasons = report.reasons(model, root)
    state = "rejected" if reasons else "passed"
    return front.Trial(number, chosen, state, "; ".join(reasons), front.forms(root, model))
