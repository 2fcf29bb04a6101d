"""The command: `python -m pianissimo predict keywords --platform edge FILE.wav`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

from .errors import PianissimoError
from .shell import bench, info, list, output, predict, pull, verify  # noqa: A004  # named as the command is

# Command -> what it does, and its module.
COMMANDS: dict[str, tuple[str, ModuleType]] = {
    "list": ("the models of a registry", list),
    "pull": ("download a model and check it, to load it without a network", pull),
    "predict": ("name what is heard in WAV files", predict),
    "verify": ("replay a model's golden vectors on every variant that can run here", verify),
    "bench": ("how long a model takes here", bench),
    "info": ("what a model is; without a name, what this installation can do", info),
}
EXIT = "exit status: 0 all done, 1 something failed and is told on standard error, 2 a wrong command line"
INTERRUPTED = 130  # as shells have it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 when all is done, 1 when something failed, 130 when it was interrupted."""
    logging.basicConfig(format="%(message)s")
    chosen = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = COMMANDS[chosen.command][1].run
    try:
        return run(chosen)
    except PianissimoError as fault:
        print(f"error: {fault}", file=sys.stderr)
        if chosen.json:
            output.document({"error": str(fault), "kind": type(fault).__name__})
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read has seen enough; there is nobody to flush to when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pianissimo", description="Published audio models, from a shell.", epilog=EXIT
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (words, module) in COMMANDS.items():
        module.configure(commands.add_parser(name, help=words, description=words, epilog=EXIT))
    return parser


if __name__ == "__main__":
    sys.exit(main())
