"""Which networks from elsewhere each recipe begins with, and their digests, on which the stages that take them depend.

`python -m tasks.brought DEST` writes DEST/<model>/<stage>.txt: a line a path that params.yaml names there (`import`, `start`)
with the sha256 of what lies at it, or that there is none. DVC itself cannot depend on a path that only some models have, so
dvc.yaml runs this every time, and a stage whose file came out the same is not run.
"""

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Any

from frameworks import params

STAGES = ("train", "distill")
KEYS = ("import", "start")
NONE = "nothing from elsewhere\n"
ABSENT = "-" * 64  # in a digest's place; the stage that wants the network says what is missing


def lists(file: Path) -> dict[str, str]:
    """The text of each file to write, by its path under DEST. Raises RecipeError when `file` (params.yaml) cannot be read."""
    models = params.load(file).get("models") or {}
    return {
        f"{name}/{stage}.txt": _lines(recipe.get(stage) or {}) for name, recipe in models.items() for stage in STAGES
    }


def write(dest: Path, file: Path) -> None:
    """Writes every file into `dest`."""
    for name, text in lists(file).items():
        place = dest / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def is_current(dest: Path, file: Path = Path("params.yaml")) -> bool:
    """Whether `write` would leave `dest` as it is."""
    return all((dest / name).is_file() and (dest / name).read_text() == text for name, text in lists(file).items())


def digest(place: Path) -> str:
    """sha256 of a file, or of every path and file in a folder; ABSENT where nothing is."""
    if place.is_file():
        return _of_file(place)
    if not place.is_dir():
        return ABSENT
    files = [path for path in sorted(place.rglob("*")) if path.is_file()]
    lines = [f"{_of_file(path)}  {path.relative_to(place).as_posix()}\n" for path in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _lines(section: dict[str, Any]) -> str:
    named = [str(section[key]) for key in KEYS if section.get(key)]
    return "".join(f"{digest(Path(path))}  {path}\n" for path in named) or NONE


def _of_file(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def main() -> int:
    """`python -m tasks.brought DEST`."""
    parser = argparse.ArgumentParser(prog="python -m tasks.brought", description=__doc__)
    parser.add_argument("dest", type=Path, help="the folder to write")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="default: params.yaml")
    options = parser.parse_args()
    try:
        write(options.dest, options.params)
    except params.RecipeError as error:
        sys.exit(f"brought: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
