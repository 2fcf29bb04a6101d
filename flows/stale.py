"""What there is to do: asked of DVC once and without a server, so that with nothing to do nothing is started."""

import json
import subprocess
import time
from pathlib import Path

import models
from corpora import CorpusError
from flows.environment import BUSY, DVC, LOCKED, environment
from frameworks import params
from frameworks.recipe import STAGES
from tasks import brought, records

CODE, BROUGHT = "code", "brought"


class StatusError(RuntimeError):
    """DVC could not say what is stale."""


def stale() -> set[str]:
    """Names of stages DVC would run (`train@keywords`, `runtime`). Raises StatusError with DVC's own words.

    Which stages a changed module or a changed network from elsewhere reaches are themselves stages (a second each), so they
    are run before anything is judged. DVC runs the latter every time; here it is run when something changed.
    """
    found = _status()
    first = [CODE] if CODE in found else []
    if BROUGHT in found and not brought.is_current(Path("artifacts", BROUGHT)):
        first.append(BROUGHT)
    if first:
        _asked("repro", "--quiet", "--single-item", *first)
        found = _status()
    return found - {BROUGHT}


def cache() -> str:
    """The folder of DVC's cache, as a whole path."""
    return str(Path(_asked("cache", "dir").strip()).resolve())


def _status() -> set[str]:
    return set(json.loads(_asked("status", "--json") or "{}"))


def _asked(*words: str) -> str:
    """What a DVC command prints; while another one is at work it waits, the one failure that gets better by that."""
    command = [*DVC, *words]
    for wait in (1, 2, 4, 8, 0):
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
        if not done.returncode:
            return done.stdout
        if LOCKED not in done.stderr and BUSY not in done.stderr:
            break
        time.sleep(wait)
    told = f"dvc {words[0]} ended with status {done.returncode}:\n{done.stderr.strip()}"
    if BUSY in done.stderr:
        told += "\nanother run is at work in this folder; wait until it has ended, or run this one in a clone of its own"
    raise StatusError(told)


def listed(file: Path = Path("params.yaml")) -> list[str]:
    """All models, in the order of params.yaml: the first start first, so the longest should lead there."""
    sections = list(params.load(file).get("models") or {})
    return [*sections, *(name for name in models.names() if name not in sections)]


def needed(names: list[str], file: Path = Path("params.yaml")) -> list[str]:
    """The stages these models share: the runtime's wheel, and the corpora that are generated for them.

    Raises ModelError, RecipeError, and CorpusError that names the command for a corpus that has to be brought.
    """
    generated = params.load(file).get("corpora") or {}
    shared = ["runtime"]
    for name in names:
        models.load(name)
        folder = Path(params.read(file, name).prepare.corpus)
        if folder.parent == Path("data/corpora") and folder.name in generated:
            shared.append(f"corpus@{folder.name}")
        elif not (folder / "labels.csv").is_file():
            raise CorpusError(f"{name} wants a corpus that is not here", place=str(folder), allowed=_how(folder))
    return list(dict.fromkeys(shared))


def busy(names: list[str], shared: list[str]) -> tuple[list[str], list[str]]:
    """Of models and of the stages they share, those for which there is something to do, in their order.

    A model whose corpus is stale is, too: DVC says so only once the corpus was made anew.
    """
    waiting = stale()
    at_work = [name for name in names if waiting & {*needed([name]), *targets(name)} or not is_published(name)]
    return at_work, [target for target in shared if target in waiting]


def _how(folder: Path) -> str:
    if folder.parent == Path("data/corpora") and Path("corpora", f"{folder.name}.py").is_file():
        return f"bring it with: python -m corpora.{folder.name} --from FOLDER"
    return "a folder with labels.csv and WAV or FLAC files"


def is_published(model: str, root: Path = Path()) -> bool:
    """Whether the version that publish recorded is in the registry: DVC does not watch the registry, which may be a bucket."""
    record = root / "artifacts" / model / "publish" / records.FILE
    if not record.is_file():
        return False
    facts = records.read_json(record)["facts"]
    if "version" not in facts:
        return True  # nothing passed, so nothing is missing
    place = Path(facts["registry"]) / "models" / model / "versions" / str(facts["version"]) / "manifest.json"
    return "://" in facts["registry"] or (root / place).is_file()


def targets(model: str) -> list[str]:
    """The model's stages in order, as DVC names them."""
    return [f"{stage}@{model}" for stage in STAGES]
