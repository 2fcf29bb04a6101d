"""Fetch one commit of a git repository: its id is a checksum of every file in it, and git checks it on the way."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from corpora.errors import CorpusError

SECONDS = 900
# Nothing of the person's own settings may change a byte of a file or run a program.
SETTINGS = (
    "core.autocrlf=false",
    "core.hooksPath=/dev/null",
    "advice.detachedHead=false",
)


def checkout(url: str, commit: str, folder: Path) -> Path:
    """Put the files of `commit` (40 hex digits) of the repository `url` into the empty `folder` and return it.

    Only this commit is fetched. git computes the id of each object it receives, and follows them from the commit
    down; so bytes other than those the id stands for are an error. Raises CorpusError when git is absent or fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _git(folder, "init", "--quiet")
    _git(folder, "fetch", "--quiet", "--depth=1", "--no-tags", url, commit)
    _git(folder, "checkout", "--quiet", "FETCH_HEAD")
    found = _git(folder, "rev-parse", "HEAD").strip()
    if found != commit:
        raise CorpusError(f"commit {found}", place=url, allowed=commit)
    return folder


def _git(folder: Path, *arguments: str) -> str:
    settings = [word for setting in SETTINGS for word in ("-c", setting)]
    outside = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *settings, "-C", str(folder), *arguments],
            env=outside | {"GIT_TERMINAL_PROMPT": "0"}, capture_output=True, text=True, timeout=SECONDS, check=True,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise CorpusError("git is not installed", place="git", allowed="git on the path, or --from FOLDER") from error
    except subprocess.TimeoutExpired as error:
        raise CorpusError(f"git {arguments[0]} took over {SECONDS} s", place=folder, allowed="--from FOLDER") from error
    except subprocess.CalledProcessError as error:
        problem = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CorpusError(f"git {arguments[0]} failed: {problem}", place=arguments[-1],
                          allowed="a network that reaches it, or --from FOLDER") from error  # fmt: skip
    return done.stdout
