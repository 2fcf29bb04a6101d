"""The command a person runs: `python -m flows [MODEL ...]` makes what is stale, shows one table, and fails if a model does."""

import argparse
import os
import sys
import time
from typing import Any

import models
from corpora import CorpusError
from flows import stale, stopping
from flows.environment import ask_prefect_quietly
from frameworks import params
from tasks import report


def main(arguments: list[str] | None = None) -> int:
    """0 when every model passed its gate, 1 when one was rejected or failed, 2 when the command cannot be followed."""
    parser = argparse.ArgumentParser(prog="python -m flows", description=__doc__)
    parser.add_argument("model", nargs="*", help=f"of: {', '.join(models.names())} (default: all)")
    cores = os.cpu_count() or 1
    parser.add_argument("--at-once", type=int, default=cores, help=f"models side by side (default: {cores}, the cores)")
    options = parser.parse_args(arguments)
    try:
        names = options.model or stale.listed()
        shared = stale.needed(names)
    except (models.ModelError, params.RecipeError, CorpusError) as error:
        print(error, file=sys.stderr)
        return 2
    started = time.monotonic()
    try:
        failures = _run(names, shared, max(1, options.at_once))
    except stale.StatusError as error:
        print(error, file=sys.stderr)
        return 2
    except stopping.StoppedError as error:
        print(error, file=sys.stderr)
        return error.status
    report.show(names)
    rejected = [name for name in names if name not in failures and report.reasons(name)]
    for name, why in failures.items():
        print(f"{name}: {why}", file=sys.stderr)
    passed = len(names) - len(failures) - len(rejected)
    page = report.ARTIFACTS / "report" / "index.html"
    if page.is_file():
        print(f"in pictures: {page}")
    print(f"{passed} of {len(names)} models passed; {time.monotonic() - started:.0f} s")
    return 0 if passed == len(names) else 1


def _run(names: list[str], shared: list[str], at_once: int) -> dict[str, str]:
    """Starts Prefect only when DVC has something to do; answers why each failed model did."""
    busy, shared = stale.busy(names, shared)
    if not busy and not shared:
        print("Nothing changed since the last run: every stage is up to date.")
        return {}
    ask_prefect_quietly()
    if not os.environ.get("PREFECT_API_URL"):
        # A terminal's Ctrl-C ends the temporary server too. Asking it five times more, at each level, would take minutes.
        os.environ.setdefault("PREFECT_CLIENT_MAX_RETRIES", "2")
    from flows.fleet import fleet  # takes seconds to import, and starts a server

    async def ended() -> Any:
        state = await fleet(busy, shared, at_once, return_state=True)
        found = await state.aresult(raise_on_failure=False)
        return found if isinstance(found, dict) else dict.fromkeys(busy, str(state.message))

    return dict(stopping.run(ended()))


if __name__ == "__main__":
    sys.exit(main())
