"""`python -m flows.sweep MODEL -S KEY=VALUE,VALUE,…` tries settings of one model beside the project, and shows the best."""

import argparse
import os
import sys
from typing import Any

from rich.console import Console

import models
from corpora import CorpusError
from flows import settings as wishes
from flows import stale, stopping
from flows.environment import ask_prefect_quietly
from frameworks.params import RecipeError
from tasks import front


def main(arguments: list[str] | None = None) -> int:
    """0 when a trial passed, 1 when none did, 2 when the command cannot be followed."""
    parser = argparse.ArgumentParser(prog="python -m flows.sweep", description=__doc__)
    parser.add_argument("model", help=f"of: {', '.join(models.names())}")
    parser.add_argument(
        "-S", "--set", action="append", default=[], metavar="KEY=VALUE,…", help="tried in every combination"
    )
    parser.add_argument("-T", "--try", action="append", default=[], dest="listed", nargs="+", metavar="KEY=VALUE",
                        help="one combination, beside those")  # fmt: skip
    parser.add_argument(
        "--at-once", type=int, default=os.cpu_count() or 1, help="trials side by side (default: the cores)"
    )
    options = parser.parse_args(arguments)
    try:
        grid = wishes.grid(options.set)
        listed = [wishes.single(words) for words in options.listed]
        wishes.trials(options.model, grid, listed)
        stale.needed([options.model])
    except (RecipeError, models.ModelError, CorpusError) as error:
        print(error, file=sys.stderr)
        return 2
    ask_prefect_quietly()
    from flows.trials import FOLDER, sweep  # takes seconds to import, and starts a server

    async def ended() -> Any:
        return await sweep(options.model, grid, listed, max(1, options.at_once), return_state=True)

    try:
        state = stopping.run(ended())
    except stopping.StoppedError as error:
        print(error, file=sys.stderr)
        return error.status
    if not (FOLDER / options.model / front.FACTS).is_file():
        print(state.message, file=sys.stderr)
        return 1
    front.show(
        models.load(options.model),
        front.read(FOLDER / options.model),
        Console(width=None if sys.stdout.isatty() else 160),
    )
    print(state.message)
    return 0 if state.is_completed() else 1


if __name__ == "__main__":
    sys.exit(main())
