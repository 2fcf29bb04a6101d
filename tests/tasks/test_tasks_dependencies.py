"""Every module that decides what a stage makes is a dependency of that stage in dvc.yaml: a stale result is a wrong one."""

from pathlib import Path

import grimp
import pytest
from ruamel.yaml import YAML

from frameworks.recipe import STAGES

ROOT = Path(__file__).parents[2]
PACKAGES = ("tasks", "registry", "frameworks", "models", "corpora", "pianissimo")
# What words messages, shows progress, parses arguments or only names types decides nothing.
PLUMBING = {
    "corpora", "corpora.errors", "frameworks", "frameworks.formats.chatter", "frameworks.params", "frameworks.progress",
    "models", "tasks.command", "tasks.records",
}  # fmt: skip
# A framework is chosen by name, so the import graph does not show what a stage calls in it.
CALLS = {
    "train": ("train", "files", "predict"),
    "distill": ("distill", "files", "predict"),
    "prune": ("prune", "files", "predict"),
    "quantize": ("quantize", "files", "predict"),
    "convert": ("convert", "files"),
    "validate": ("files", "predict"),
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_imports_is_what_it_depends_on(stage: str, graph: grimp.ImportGraph) -> None:
    stages = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
    deps = [dep.replace("${item.framework}", "keras") for dep in stages[stage]["do"]["deps"]]
    roots = [f"tasks.{stage}", *(f"frameworks.keras.{name}" for name in CALLS.get(stage, ()))]
    used = set(roots).union(*(graph.find_upstream_modules(root) for root in roots)) - PLUMBING
    if stage not in ("prepare", "publish", "validate"):
        used = {module for module in used if not module.startswith("corpora.")}
    files = {module.replace(".", "/") for module in used if not module.startswith("pianissimo")}
    missing = [
        file for file in sorted(files)
        if not any(f"{file}.py" == dep or file == dep or file.startswith(f"{dep}/") for dep in deps)
    ]  # fmt: skip
    allowed = {"publish": {"frameworks/examples", "frameworks/metrics"}, "gate": {"frameworks/examples"}}
    validate = {
        "corpora/assignment",
        "corpora/corpus",
        "corpora/labels",
        "corpora/splits",
    }  # only audio is called there
    assert set(missing) <= allowed.get(stage, set()) | (validate if stage == "validate" else set())


def test_no_yaml_aliases_in_params() -> None:
    """`dvc exp run -S` on one of two places that share a mapping would change both, or neither."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert not [line for line in text.splitlines() if ": &" in line or ": *" in line or "- *" in line]
