"""Look after a registry: `python -m registry list | show | promote | rollback | yank | audit | collect | copy | key`."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pianissimo import signature
from pianissimo.errors import PianissimoError

from . import commands

HOW = """\
The registry is a folder or s3://BUCKET/PREFIX: --registry, or PIANISSIMO_REGISTRY, or artifacts/registry. For a bucket
the usual AWS settings say where it is and who asks: AWS_ENDPOINT_URL, AWS_DEFAULT_REGION, AWS_PROFILE or AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY. The bucket must exist; the key needs list, get, put and delete. A server that ignores conditional
writes is noticed and locked by an object that runs out after a minute.

a model turns out bad         rollback MODEL --why "..."       stable names the version before; again, the one before that
a version must not be used    yank MODEL VERSION --why "..."   consumers are told why and get an earlier one
from candidate to stable      promote MODEL --why "..."        or --version N, --to CHANNEL
sign what is published        key                              made once, outside every git work tree; consumers pin it
take up signing, a new key    key --sign                       signs every document as it is now; then move the pins
is everything still whole     audit [--public-key KEY]         reads every byte; 1 when something is wrong
another place                 copy TARGET                      all of it, and later what is new; signatures hold there
space                         collect [--keep N] [--dry-run]   what no version needs; with --keep also old versions

Exit status: 0 done, 1 something is wrong or was refused (in words on stderr), 2 the command line.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except PianissimoError as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m registry", description=__doc__, epilog=HOW, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = argparse.ArgumentParser(add_help=False)
    place = os.environ.get("PIANISSIMO_REGISTRY") or "artifacts/registry"
    shared.add_argument("--registry", default=place, help=f"a folder or s3://BUCKET/PREFIX; now {place}")
    shared.add_argument("--json", action="store_true", help="JSON instead of a table")
    named = argparse.ArgumentParser(add_help=False, parents=[shared])
    named.add_argument("model")
    moving = argparse.ArgumentParser(add_help=False, parents=[named])
    moving.add_argument("--why", required=True, type=_words, help="the reason; it is kept")
    moving.add_argument("--who", default=_user(), type=_words, help="default: %(default)s")
    added = parser.add_subparsers(metavar="COMMAND", required=True)
    _reading(added, shared, named)
    _moving(added, moving)
    _keeping(added, shared)
    return parser


Subparsers = argparse._SubParsersAction  # of argparse's own, which has no public name for it


def _reading(
    added: Subparsers[argparse.ArgumentParser], shared: argparse.ArgumentParser, named: argparse.ArgumentParser
) -> None:
    command = added.add_parser("list", parents=[shared], help="models, their newest version and channels")
    command.set_defaults(run=commands.list_models)
    command = added.add_parser("show", parents=[named], help="one model: versions, figures, every move of its channels")
    command.set_defaults(run=commands.show)
    command = added.add_parser("audit", parents=[shared], help="read everything again and name what is wrong")
    command.add_argument("--public-key", type=_public, help="ask its signature of every document")
    command.set_defaults(run=commands.audit)


def _moving(added: Subparsers[argparse.ArgumentParser], moving: argparse.ArgumentParser) -> None:
    command = added.add_parser("promote", parents=[moving], help="move a channel to another's version")
    command.add_argument("--version", type=int, help="this version, instead of a channel's")
    command.add_argument("--from", dest="origin", default="candidate", help="default: candidate")
    command.add_argument("--to", default="stable", help="default: stable")
    command.set_defaults(run=commands.promote)
    command = added.add_parser("rollback", parents=[moving], help="move a channel to the version it named before")
    command.add_argument("--channel", default="stable", help="default: stable")
    command.set_defaults(run=commands.rollback)
    command = added.add_parser("yank", parents=[moving], help="take a version out of use")
    command.add_argument("version", type=int)
    command.add_argument("--instead", type=int, help="which earlier version; default: what stable named before")
    command.set_defaults(run=commands.yank)


def _keeping(added: Subparsers[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    command = added.add_parser("collect", parents=[shared], help="remove what no version needs")
    command.add_argument("--keep", type=int, help="also remove versions but the newest N a model and those in use")
    command.add_argument("--hours", type=float, default=24.0, help="leave what is younger; default: %(default)g")
    command.add_argument("--dry-run", action="store_true", help="say what would be removed")
    command.set_defaults(run=commands.collect)
    command = added.add_parser("copy", parents=[shared], help="bring all of it to another place, or what is new since")
    command.add_argument("target", help="a folder or s3://BUCKET/PREFIX")
    command.set_defaults(run=commands.copy)
    command = added.add_parser("key", parents=[shared], help="make the signing key, or show its public half")
    command.add_argument("--out", type=Path, help="default: where PIANISSIMO_SIGNING_KEY says, or ~/.config/pianissimo")
    command.add_argument("--sign", action="store_true", help="sign every document of the registry with it")
    command.set_defaults(run=commands.key)


def _words(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("say it in words")
    return text


def _public(text: str) -> bytes:
    try:
        return signature.public(text, "--public-key")
    except PianissimoError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from fault


def _user() -> str:
    """The user's name, or number in a container that has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


if __name__ == "__main__":
    sys.exit(main())
