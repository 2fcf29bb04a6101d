"""The command: `python -m pianissimo predict NAME --platform edge FILE.wav`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from .errors import PianissimoError
from .loader import load
from .wav import read_wav


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pianissimo", description="Run a published audio model.")
    commands = parser.add_subparsers(dest="command", required=True)
    predict = commands.add_parser("predict", help="name what is heard in WAV files")
    predict.add_argument("name", help="a model of the registry, such as keywords")
    predict.add_argument("files", nargs="+", metavar="FILE.wav", help="WAV, PCM or float")
    predict.add_argument("--platform", help="needed when the model has several")
    predict.add_argument("--channel", default="stable")
    predict.add_argument("--version", type=int, help="a version instead of a channel")
    predict.add_argument("--registry", help="a folder; by default what PIANISSIMO_REGISTRY says")
    predict.add_argument("--threads", type=int, default=1)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a file, its label and its score a line; 0 when every file was answered, 1 when one was not."""
    logging.basicConfig(format="%(message)s")
    chosen = _parser().parse_args(arguments)
    failed = False
    try:
        model = load(chosen.name, chosen.platform, chosen.channel, chosen.version, chosen.registry, chosen.threads)
    except PianissimoError as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 1
    with model:
        for file in chosen.files:
            try:
                answer = model.predict(*read_wav(file))
                print(f"{file}  {answer.label}  {answer.score:.3f}")
            except PianissimoError as fault:
                print(f"error: {file}: {fault}", file=sys.stderr)
                failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
