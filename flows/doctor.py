"""`python -m flows.doctor` looks at what the pipeline stands on: what is fine, what is not, and what to do about it.

Exit status 1 when something is not fine. What is merely not set up (a remote, a key, a server) is told and is no fault.
"""

import configparser
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
from pianissimo.errors import PianissimoError
from rich.console import Console
from rich.table import Table

import models
import registry
from corpora import CorpusError
from flows import notices, stale
from frameworks import params

LEAST_MB, LEAST_DISK_GB = 4000, 10  # two trainings side by side; data, artifacts and DVC's cache of all models
LOCK = Path("requirements.lock")
QUOTES = " '\""  # DVC writes its sections as ['remote "storage"']


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `fine` is None where it is merely not set up; `advice` says what to do."""

    what: str
    fine: bool | None
    found: str
    advice: str = ""


def main() -> int:
    """Prints every finding; 1 when one is not fine."""
    findings = [finding for check in CHECKS for finding in check()]
    table = Table("", "what", "found", "what to do", box=None, pad_edge=False)
    signs = {True: "[green]fine", False: "[red]not fine", None: "[yellow]not set up"}
    for one in findings:
        table.add_row(signs[one.fine], one.what, one.found, one.advice)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    return int(any(one.fine is False for one in findings))


def _python() -> Iterator[Finding]:
    fine = sys.version_info[:2] == (3, 11)
    yield Finding("Python", fine, sys.version.split()[0], "" if fine else "Python 3.11; make setup PYTHON=python3.11")


def packages() -> Iterator[Finding]:
    """What is installed against requirements.lock: other versions give other bytes."""
    wanted = (
        dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", LOCK.read_text(encoding="utf-8"), re.M)) if LOCK.is_file() else {}
    )
    if not wanted:
        yield Finding("packages", False, f"no {LOCK} here", "run it from the project's root")
        return
    other = [f"{name} {found or 'absent'} (wanted {version})" for name, version in wanted.items()
             if (found := _installed(name)) is None or found.partition("+")[0] != version]  # fmt: skip
    found = f"{len(wanted)} as locked" if not other else "; ".join(other[:4]) + (" …" if len(other) > 4 else "")
    yield Finding("packages", not other, found, "make setup" if other else "")


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _machine() -> Iterator[Finding]:
    yield Finding("cores", True, f"{os.cpu_count()}, load {os.getloadavg()[0]:.1f}")
    free = psutil.virtual_memory().available // 10**6
    fine = free >= LEAST_MB
    yield Finding("memory", fine, f"{free:,} MB free", "" if fine else f"{LEAST_MB:,} MB, or PIANISSIMO_TRAININGS=1")
    left = shutil.disk_usage(Path()).free / 1e9
    fine = left >= LEAST_DISK_GB
    yield Finding(
        "disk", fine, f"{left:.0f} GB free here", "" if fine else f"{LEAST_DISK_GB} GB; dvc gc --workspace frees some"
    )
    tools = [name for name in ("git", "gcc") if not shutil.which(name)]
    yield Finding(
        "tools", not tools, "git, gcc" if not tools else f"no {', '.join(tools)}", "install them" if tools else ""
    )


def _recipes() -> Iterator[Finding]:
    """params.yaml is right, and every corpus it names is here or can be made."""
    try:
        names = stale.listed()
        stale.needed(names)
    except (models.ModelError, params.RecipeError, CorpusError) as error:
        yield Finding("params.yaml", False, str(error).splitlines()[0], "mend what it names")
    else:
        yield Finding("params.yaml", True, f"{len(names)} models, every corpus here or made here")


def _remotes() -> Iterator[Finding]:
    config = configparser.ConfigParser()
    config.read([".dvc/config", ".dvc/config.local"], encoding="utf-8")
    remotes = {name: config[name]["url"] for name in config.sections() if "remote" in name and "url" in config[name]}
    if not remotes:
        yield Finding(
            "DVC remote", None, "none: results stay on this machine", "dvc remote add -d storage s3://BUCKET/PREFIX"
        )
    for name, url in remotes.items():
        fine = "://" in url or Path(".dvc", url).exists()
        found = f"{name.strip(QUOTES).removeprefix('remote').strip(QUOTES)}: {url}"
        yield Finding("DVC remote", fine, found, "" if fine else "a folder that exists, or s3://BUCKET/PREFIX")


def _registries() -> Iterator[Finding]:
    """Each registry that params.yaml publishes to can be read, and a folder can be written."""
    try:
        places = {params.read("params.yaml", name).publish.registry for name in stale.listed()}
    except (models.ModelError, params.RecipeError):
        return  # told above
    for place in sorted(places):
        try:
            held = {key.split("/")[1] for key in registry.open_store(place).list("models/")}
        except PianissimoError as error:
            yield Finding("registry", False, str(error), "see python -m registry --help")
            continue
        nearest = next(one for one in (Path(place), *Path(place).absolute().parents) if one.exists() or "://" in place)
        fine = "://" in place or os.access(nearest, os.W_OK)
        found = f"{place}: {', '.join(sorted(held)) or 'empty'}"
        yield Finding("registry", fine, found, "" if fine else f"{nearest} is not writable by this user")


def _keys() -> Iterator[Finding]:
    from registry import signing

    place = signing.place()
    if not place.is_file():
        yield Finding("signing key", None, f"none at {place}: versions are not signed", "python -m registry key")
        return
    try:
        signing.read(place)
    except PianissimoError as error:
        yield Finding("signing key", False, str(error), "see python -m registry --help")
    else:
        yield Finding("signing key", True, str(place))


def _server() -> Iterator[Finding]:
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        yield Finding("Prefect server", None, "none named: each run starts its own", "make serve, or PREFECT_API_URL")
        return
    try:
        with urlopen(f"{address}/health", timeout=5) as answer:  # noqa: S310 (the user's own address)
            fine = answer.status == 200
            yield Finding("Prefect server", fine, f"{address} answers", "")
    except (URLError, TimeoutError, ConnectionError, ValueError) as error:
        yield Finding("Prefect server", False, f"{address}: {error}", "start it (make serve), or unset PREFECT_API_URL")


def _notices() -> Iterator[Finding]:
    try:
        place = notices.address()
    except notices.NoticeError as error:
        yield Finding("notices", False, str(error), notices.ALLOWED)
        return
    found = f"go to {notices.shown(place)}" if place else "go nowhere: who is not looking is not told"
    advice = "" if place else f"{notices.ADDRESS}={notices.ALLOWED}, then make serve or make schedule"
    yield Finding("notices", True if place else None, found, advice)


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python, packages, _machine, _recipes, _remotes, _registries, _keys, _server, _notices,
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
