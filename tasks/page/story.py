"""Everything the records tell about one model, gathered once for all chapters."""

import csv
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pianissimo import layout
from pianissimo.errors import RegistryError
from pydantic import ValidationError
from ruamel.yaml import YAML

import models
import registry
from frameworks import metrics, params
from frameworks.recipe import STAGES, Recipe
from registry import lineage
from tasks import records, report
from tasks.records import Record
from tasks.report import Artifact

Row = dict[str, str]
TRAINED = ("train", "distill", "prune", "quantize")


@dataclass(frozen=True)
class Story:
    """One model. `better` is +1 where a higher score is better; `manifest` is of the version this run published ({} when it
    published none), `earlier` of the last one before it; `silent` says why the registry could not be read."""

    model: str
    metric: str
    better: int
    records: dict[str, Record]
    curves: dict[str, list[Row]]
    artifacts: list[Artifact]
    verdict: dict[str, Any]
    mistakes: dict[str, Any]
    manifest: dict[str, Any]
    earlier: dict[str, Any]
    lineage: dict[str, Any]
    silent: str = ""
    reasons: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool | None:
        """What the gate said; None before it spoke."""
        return bool(self.verdict["passed"]) if self.verdict else None

    def forms(self) -> list[Artifact]:
        """The artifacts with equal files told once, under all their platforms: `mobile, edge`."""
        merged: dict[tuple[Any, ...], list[Artifact]] = {}
        for one in self.artifacts:
            merged.setdefault((one.form, one.figures["bytes"], one.figures["score"]), []).append(one)
        found = []
        for (form, _, _), same in merged.items():
            platforms, passed = ", ".join(one.platform for one in same), all(one.passed for one in same)
            found.append(Artifact(self.model, platforms, form, same[0].figures, passed))
        return found

    def interval(self, form: str) -> tuple[float, float] | None:
        """95 % interval of the score of `teacher` or of `mobile tflite-int8`; None where the record has none."""
        found = self.mistakes.get(form, {}).get("interval")
        return (found[0], found[1]) if found else None


def read(model: str, root: Path) -> Story:
    """What lies in `root`/`model` and, beside `root`, in data/`model`; stages that have not run are left out."""
    folders = {stage: root / model / stage for stage in STAGES} | {"prepare": root.parent / "data" / model}
    found = {stage: records.read(folder) for stage, folder in folders.items() if (folder / records.FILE).is_file()}
    metric = metrics.choose(models.load(model).metric)
    verdict = folders["gate"] / "verdict.json"
    manifest, earlier, silent = _versions(model, root, found)
    validate = found.get("validate")
    return Story(
        model,
        metric.name.replace("_", " "),
        metric.better,
        found,
        {stage: rows for stage in TRAINED if (rows := _curve(folders[stage] / "curve.csv"))},
        report.artifacts(model, root),
        records.read_json(verdict) if verdict.is_file() else {},
        dict(validate.facts.get("mistakes", {})) if validate else {},
        manifest,
        earlier,
        manifest.get("lineage") or _lineage(model, root, folders["prepare"]),
        silent,
        report.reasons(model, root),
    )


def _curve(file: Path) -> list[Row]:
    if not file.is_file():
        return []
    with open(file, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _versions(model: str, root: Path, found: dict[str, Record]) -> tuple[dict[str, Any], dict[str, Any], str]:
    """(this run's manifest, the last before it, why there is neither)."""
    facts = found["publish"].facts if "publish" in found else {}
    own = facts.get("version")
    place = facts.get("registry") or _registry(model, root)
    if "://" not in place and not Path(place).is_absolute():
        place = str(root.parent / place)
    try:
        store, prefix = registry.open_store(place), layout.versions_prefix(model)
        parts = [key.removeprefix(prefix).split("/") for key in store.list(prefix)]
        numbers = sorted(int(number) for number, *rest in parts if rest == ["manifest.json"])
        before = [number for number in numbers if own is None or number < own][-1:]
        read = {
            n: records.parse(store.get(layout.manifest_key(model, n)), f"version {n}")
            for n in numbers
            if n in (own, *before)
        }
    except RegistryError as error:  # a bucket out of reach, say: the rest of the page stands without it
        return {}, {}, str(error)
    return read.get(own or 0, {}), read[before[0]] if before else {}, ""


def _registry(model: str, root: Path) -> str:
    """Where the model would be published, by the recipe."""
    file = root.parent / "params.yaml"
    return _recipe(file, model).publish.registry if file.is_file() else "artifacts/registry"


def _lineage(model: str, root: Path, data: Path) -> dict[str, Any]:
    """Where a model that was not published comes from, as the project stands now."""
    file, prepared = root.parent / "params.yaml", data / "clips" / "prepared.json"
    known = _recipe(file, model).model_dump(mode="json", by_alias=True) if file.is_file() else {}
    corpus = records.read_json(prepared)["corpus"] if prepared.is_file() else {}
    return lineage.collect(model, known, corpus, root.parent)


def _recipe(file: Path, model: str) -> Recipe:
    """The model's recipe, from a file that is parsed once for all of them and by the quicker parser, which keeps no lines."""
    try:
        return Recipe.model_validate(_sections(file)[model])
    except (KeyError, TypeError, ValidationError):
        return params.read(file, model)  # whose error names the line and what is allowed


@cache
def _sections(file: Path) -> Any:
    return YAML(typ="safe").load(file.read_text(encoding="utf-8"))["models"]
