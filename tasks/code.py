"""Which code decides what a stage makes: a small file a stage and framework, on which the stage depends in dvc.yaml.

`python -m tasks.code DEST` follows the imports and writes DEST/<framework>/<stage>.txt, and DEST/corpora/<name>.txt for the
generated corpora: one line a module with the digest of what it does, so that a change re-runs just the stages it can reach,
and a new comment or docstring none.
"""

import argparse
import ast
import hashlib
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import grimp

from frameworks import FRAMEWORKS
from frameworks.recipe import STAGES

PACKAGES = ("tasks", "registry", "frameworks", "models", "corpora", "pianissimo")
# What words messages, shows progress, parses arguments or only names types decides nothing.
PLUMBING = {
    "corpora.errors", "corpora.progress", "frameworks", "frameworks.formats.chatter", "frameworks.params",
    "frameworks.progress", "models", "tasks.command", "tasks.records",
}  # fmt: skip
# A framework is chosen by name, so the import graph does not show what a stage calls in it.
CALLS = {
    "train": ("train", "files", "predict", "size"),
    "distill": ("distill", "files", "predict", "size"),
    "prune": ("prune", "files", "predict", "size"),
    "quantize": ("quantize", "files", "predict", "size"),
    "convert": ("convert", "files"),
    "validate": ("files", "predict"),
}
# A stand-in is made by another framework than the model's.
STAND_IN = {
    "distill": ("stand_in", "files", "predict"),
    "convert": ("convert", "files"),
    "validate": ("files", "predict"),
}
BACKENDS = ("pianissimo.backends.tflite", "pianissimo.backends.onnx", "pianissimo.backends.arrays")


def reach(graph: grimp.ImportGraph, roots: list[str]) -> list[str]:
    """The modules that `roots` import, directly or not, and they themselves, in order; plumbing left out.

    Backends are chosen by name too, so whoever opens a session may meet any of them.
    """
    present = [root for root in roots if root in graph.modules]
    found = set(present).union(*(graph.find_upstream_modules(root) for root in present))
    if "pianissimo.backends" in found:
        found |= {name for backend in BACKENDS for name in (backend, *graph.find_upstream_modules(backend))}
    return sorted(found - PLUMBING)


def roots(stage: str, framework: str) -> list[str]:
    """Where a stage begins: its task, and what it calls in the framework and in the stand-in's."""
    own = [f"frameworks.{framework}.{name}" for name in CALLS.get(stage, ())]
    return [f"tasks.{stage}", *own, *(f"frameworks.sklearn.{name}" for name in STAND_IN.get(stage, ()))]


def digest(module: str) -> str:
    """sha256 of what a module does: its syntax tree without docstrings; comments are not in it."""
    tree = ast.parse(_file(module).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _file(module: str) -> Path:
    """A module's file; found without importing it, since a framework takes seconds."""
    top, *parts = module.split(".")
    spec = find_spec(top)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"no package {top}; run from the project's root")
    place = Path(next(iter(spec.submodule_search_locations)), *parts)
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def write(dest: Path) -> int:
    """Writes every file into `dest`, which is made anew; answers how many."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    wanted = {f"{framework}/{stage}": roots(stage, framework) for framework in FRAMEWORKS for stage in STAGES}
    packages = sorted(module for module in graph.find_children("corpora") if f"{module}.__main__" in graph.modules)
    wanted |= {name.replace(".", "/"): [f"{name}.__main__"] for name in packages}
    digests: dict[str, str] = {}
    shutil.rmtree(dest, ignore_errors=True)
    for name, start in wanted.items():
        modules = reach(graph, start)
        lines = [f"{digests.setdefault(module, digest(module))}  {module}\n" for module in modules]
        file = dest / f"{name}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(lines), encoding="utf-8")
    return len(wanted)


def main() -> int:
    """`python -m tasks.code DEST`."""
    parser = argparse.ArgumentParser(prog="python -m tasks.code", description=__doc__)
    parser.add_argument("dest", type=Path, help="the folder to write")
    print(f"{write(parser.parse_args().dest)} lists of modules")
    return 0


if __name__ == "__main__":
    sys.exit(main())
