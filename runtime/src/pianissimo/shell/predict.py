"""`predict`: what is heard in WAV files."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Any

from ..errors import PianissimoError
from ..model import Model
from ..wav import read_wav
from . import arguments, output

HEADINGS = ("file", "label", "score")
ON_A_TERMINAL = (*HEADINGS, "ms")


def configure(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    arguments.model(parser)
    parser.add_argument("files", nargs="+", metavar="FILE", help="WAV, PCM or float")
    parser.add_argument("--threads", type=int, help="for one answer; 1 by default (PIANISSIMO_THREADS)")


def run(chosen: argparse.Namespace) -> int:
    """0 when every file was answered, else 1: one bad file does not stop the next."""
    with arguments.opened(chosen, threads=chosen.threads) as model:
        answers = [_answered(model, file) for file in chosen.files]
        info = model.info
    for answer in answers:
        if "error" in answer:
            print(f"error: {answer['file']}: {answer['error']}", file=sys.stderr)
    if chosen.json:
        facts = ("model", "version", "platform", "variant", "backend")
        output.document({**{name: getattr(info, name) for name in facts}, "answers": answers})
    else:
        good = [answer for answer in answers if "error" not in answer]
        columns = ON_A_TERMINAL if sys.stdout.isatty() else HEADINGS
        output.table(columns, [_row(answer)[: len(columns)] for answer in good])
    return int(any("error" in answer for answer in answers))


def _answered(model: Model, file: str) -> dict[str, Any]:
    try:
        answer = model.predict(*read_wav(file))
    except PianissimoError as fault:
        return {"file": file, "error": str(fault)}
    return {"file": file, **asdict(answer)}


def _row(answer: dict[str, Any]) -> list[str]:
    return [answer["file"], answer["label"], f"{answer['score']:.3f}", f"{answer['milliseconds']:.2f}"]
