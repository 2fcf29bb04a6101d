"""`python -m tasks.page [MODEL ...]` writes artifacts/report/index.html from the records alone; 1 when a model was rejected."""

import argparse
import sys
from pathlib import Path

import models
from frameworks.params import RecipeError
from tasks import report
from tasks.records import RecordError

from . import write


def main(arguments: list[str] | None = None) -> int:
    """Writes the page and says where it is."""
    parser = argparse.ArgumentParser(prog="python -m tasks.page", description=__doc__)
    parser.add_argument("model", nargs="*", help=f"of: {', '.join(models.names())} (default: all)")
    parser.add_argument("--root", type=Path, default=report.ARTIFACTS, help="default: artifacts")
    parser.add_argument("--dest", type=Path, help="the folder to write into (default: report in ROOT)")
    options = parser.parse_args(arguments)
    names = options.model or models.names()
    try:
        print(write(names, options.root, options.dest or options.root / "report"))
    except (models.ModelError, RecipeError, RecordError) as error:
        print(error, file=sys.stderr)
        return 2
    return int(any(report.reasons(name, options.root) for name in names))


if __name__ == "__main__":
    sys.exit(main())
