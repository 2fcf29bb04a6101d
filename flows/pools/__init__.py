"""Templates of the pool whose workers carry the models: Prefect's own for each type, with what this project sets in it."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path(__file__).parent
NAME = "pianissimo-models"
# Prefect ships the templates of every type of worker; a server would ask the network for newer ones first.
SHIPPED = "api/collections_data/views/aggregate-worker-metadata.json"


class PoolError(ValueError):
    """A template cannot be made: an unknown type, or a variable that its type does not have."""


def types() -> list[str]:
    """The types there is a file for."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def template(kind: str) -> dict[str, Any]:
    """The base job template of one type. Raises PoolError with what is allowed."""
    if kind not in types():
        raise PoolError(f"no pool type {kind!r}; there is: {', '.join(types())}")
    made = shipped(kind)
    known = made["variables"]["properties"]
    for name, value in YAML(typ="safe").load((FOLDER / f"{kind}.yaml").read_text(encoding="utf-8")).items():
        if name not in known:
            raise PoolError(f"flows/pools/{kind}.yaml: no variable {name!r}; Prefect's template has: {', '.join(known)}")
        known[name]["default"] = value
    return made


def shipped(kind: str) -> dict[str, Any]:
    """Prefect's own template of one type, as installed here."""
    text = resources.files("prefect.server").joinpath(SHIPPED).read_text(encoding="utf-8")
    workers = {name: worker for package in json.loads(text).values() for name, worker in package.items()}
    return dict(workers[kind]["default_base_job_configuration"])
