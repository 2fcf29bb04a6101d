"""Reads params.yaml: one model's recipe, or every problem in it with its line, its place and what is allowed there."""

from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, get_args

import pydantic
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

import models
from frameworks.recipe import Recipe, Section


class RecipeError(ValueError):
    """Something in params.yaml cannot be used; `problems` lists each place with what is allowed there."""

    def __init__(self, file: Path | str, problems: list[str]) -> None:
        self.file, self.problems = str(file), problems
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))


def read(file: Path | str, model: str) -> Recipe:
    """The recipe of `model` in `file` (params.yaml). Raises RecipeError with every problem, its line and what is allowed."""
    return judge(load(Path(file)), model, file)


def judge(tree: Mapping[str, Any], model: str, file: Path | str) -> Recipe:
    """The recipe of `model` in what was loaded from `file`. Raises as `read` does."""
    sections = tree.get("models")
    if not isinstance(sections, Mapping) or model not in sections:
        known = ", ".join(sections) if isinstance(sections, Mapping) else "none"
        raise RecipeError(file, [f"models has no {model!r}; it has: {known}"])
    try:
        recipe = Recipe.model_validate(_plain(sections[model]))
    except pydantic.ValidationError as error:
        raise RecipeError(file, [_words(problem, sections, model) for problem in error.errors()]) from None
    _check_framework(file, model, recipe)
    return recipe


def _check_framework(file: Path | str, name: str, recipe: Recipe) -> None:
    """The section and the model's file must mean the same library; a section without a file is refused later, by name."""
    if name in models.names():
        declared = models.load(name).framework
        if recipe.framework != declared:
            place = f"models.{name}.framework: {recipe.framework!r}"
            raise RecipeError(file, [f"{place}, but models/{name}.py declares {declared!r}"])


def load(file: Path) -> Mapping[str, Any]:
    """The whole file. Raises RecipeError when it is absent or no YAML mapping."""
    try:
        tree = YAML().load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(file, ["no such file; run from the project's root or give --params FILE"]) from None
    except YAMLError as error:
        raise RecipeError(file, [f"not YAML: {error}"]) from None
    if not isinstance(tree, Mapping):
        raise RecipeError(file, ["expected a mapping with the key 'models'"])
    return tree


def put(tree: Any, model: str, settings: Mapping[str, Any], file: Path | str) -> None:
    """Sets `prune.channels` and the like of `model` in a loaded file; whether they may be so is for `judge` to say.

    Raises RecipeError where a setting would lie inside a number or a word.
    """
    for key, value in settings.items():
        node, (*parts, last) = tree["models"][model], key.split(".")
        for part in parts:
            node = node.setdefault(part, {}) if isinstance(node, MutableMapping) else None
        if not isinstance(node, MutableMapping):
            raise RecipeError(file, [f"models.{model}.{key}: {'.'.join(parts)} holds no settings"])
        node[last] = value


def _plain(node: Any) -> Any:
    """ruamel's commented containers and scalars as plain Python, so that strict types are judged by value."""
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    return next((kind(node) for kind in (bool, int, float, str) if isinstance(node, kind)), node)


def _words(problem: Any, tree: Any, model: str) -> str:
    """One pydantic problem as a sentence: line, dotted place, what is wrong, what is allowed."""
    place = [str(part) for part in problem["loc"]]
    text = f"line {_line(tree, (model, *problem['loc']))}: {'.'.join(['models', model, *place])}: "
    if problem["type"] == "extra_forbidden":
        return text + f"unknown key; allowed here: {', '.join(_known(problem['loc'][:-1]))}"
    if problem["type"] == "missing":
        return text + "missing, and it has no default"
    shown = problem["input"]
    message = problem["msg"].removeprefix("Value error, ")
    return text + (message if isinstance(shown, Mapping) else f"{shown!r}: {message}")


def _known(place: tuple[Any, ...]) -> list[str]:
    """The keys a section at `place` may have."""
    section: type[Section] = Recipe
    for part in place:
        field = next((f for name, f in section.model_fields.items() if part in (name, f.alias)), None)
        section = (
            _section_in(field.annotation) if field else section
        )  # a platform's name or a list's index stays inside
    return sorted(field.alias or name for name, field in section.model_fields.items())


def _section_in(annotation: Any) -> type[Section]:
    """The Section inside `X`, `X | None`, `dict[str, X]` or `tuple[X, ...]`."""
    inner = [annotation, *get_args(annotation)]
    return next(kind for kind in inner if isinstance(kind, type) and issubclass(kind, Section))


def _line(tree: Any, place: tuple[Any, ...]) -> int:
    """The line (from 1) of the deepest part of `place` that is in the file."""
    node: Any = tree
    line = int(node.lc.line)
    for part in place:
        if not hasattr(node, "lc"):
            break
        if hasattr(node, "keys") and part in node and part in (node.lc.data or {}):  # not one that `put` added
            line = int(node.lc.key(part)[0])
        elif not (isinstance(node, list) and isinstance(part, int)):
            break
        node = node[part]
    return line + 1
