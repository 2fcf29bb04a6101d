"""Where a machine stands: the commit whose code it runs, the registry it publishes to. What differs from the others is refused.

`move` is also a step that a worker takes before it loads any code: it brings the clone to the commit that is asked for.
"""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from flows import doctor
from frameworks import params

COMMIT = "PIANISSIMO_COMMIT"  # set for each errand: the commit its worker has to stand at
OWN = ":!dvc.lock"  # says what was made here, and is handed over by itself


class StandingError(RuntimeError):
    """This machine would make something else than the others."""


def commit() -> str:
    """The commit that this clone is, to the letter. Raises StandingError where a file that git knows was changed."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", OWN)
    if changed:
        names = ", ".join(line.split()[-1] for line in changed.splitlines())
        raise StandingError(f"{Path.cwd()} differs from its commit in {names}; workers get what is committed and pushed")
    return _git("rev-parse", "HEAD")


def move(commit: str) -> None:
    """Brings a clone without changes of its own to `commit`; where that cannot be, leaves it for `check` to say why."""
    if _git("rev-parse", "HEAD") == commit or _git("status", "--porcelain", "--untracked-files=no", "--", ".", OWN):
        return
    if not _knows(commit):
        subprocess.run(["git", "fetch", "--quiet", "origin"], check=False)
    if _knows(commit):
        _git("checkout", "--quiet", "--force", "--detach", commit)


def check(wanted: str) -> None:
    """Raises StandingError unless this clone is that commit, and its packages are the locked ones."""
    found = commit()
    if found != wanted:
        why = "which its origin does not have: git push it" if not _knows(wanted) else "which was not checked out"
        raise StandingError(f"{Path.cwd()} is at {found[:12]} and the models are asked for at {wanted[:12]}, {why}")
    for finding in doctor.packages() if doctor.LOCK.is_file() else ():
        if finding.fine is False:
            raise StandingError(f"packages here are not those of {doctor.LOCK}: {finding.found}; {finding.advice}")


def registries(models: Iterable[str]) -> None:
    """Raises StandingError for a registry that other machines do not see: each would keep its own."""
    for model in models:
        place = params.read("params.yaml", model).publish.registry
        if "://" in place:
            continue
        if not Path(place).is_absolute():
            wanted = "s3://BUCKET/PREFIX, or the absolute path of a folder that every machine mounts"
            raise StandingError(
                f"models.{model}.publish.registry is {place!r}, which lies within each clone; many machines want {wanted}"
            )
        if not Path(place).is_dir():
            raise StandingError(f"{place}, the registry of {model}, is no folder on this machine: mount it, or name a bucket")


def _knows(commit: str) -> bool:
    return not subprocess.run(["git", "cat-file", "-e", f"{commit}^{{commit}}"], capture_output=True, check=False).returncode


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StandingError(f"git {words[0]} in {Path.cwd()}: {done.stderr.strip()}")
    return done.stdout.strip()
