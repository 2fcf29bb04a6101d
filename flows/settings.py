"""What a sweep tries: settings of one model, a grid of them or a list, all of them checked before anything runs."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

import models
from frameworks import params
from frameworks.params import RecipeError
from frameworks.recipe import STAGES, Recipe

PARAMS = Path("params.yaml")
MOST = 200  # trials of one sweep: more is a slip of the pen sooner than a wish
MAKING = STAGES[: STAGES.index("convert") + 1]  # what may be swept; limits and measuring are no matter of trying
Settings = dict[str, Any]  # "prune.channels": 0.4, and the like


def grid(words: Sequence[str]) -> dict[str, list[Any]]:
    """`prune.channels=0.2,0.4` as {"prune.channels": [0.2, 0.4]}; the values are YAML. Raises RecipeError for what is not."""
    found: dict[str, list[Any]] = {}
    for word in words:
        key, sign, values = word.partition("=")
        try:
            found[key.strip()] = YAML(typ="safe").load(f"[{values}]") if sign else []
        except YAMLError:
            raise RecipeError("sweep", [f"{word!r} is not KEY=VALUE,VALUE,… with values as in YAML"]) from None
    return found


def single(words: Sequence[str]) -> Settings:
    """`prune.channels=0.4 seed=3` as one combination. Raises RecipeError where a key has no value, or several."""
    found = grid(words)
    for key, values in found.items():
        if len(values) != 1:
            raise RecipeError("sweep", [f"{key}: one value in a combination; -S {key}=VALUE,… tries several"])
    return {key: values[0] for key, values in found.items()}


def trials(model: str, grid: Mapping[str, Sequence[Any]], listed: Sequence[Settings] = ()) -> list[Settings]:
    """Every setting to try, each once: the project's own first ({}), then the product of `grid`, then `listed`.

    Raises ModelError for no such model, and RecipeError with every key that is unknown and every value that cannot be.
    """
    models.load(model)
    empty = [key for key, values in grid.items() if not isinstance(values, Sequence) or not values]
    if empty:
        raise RecipeError("sweep", [f"{key}: no values to try; say {key}=VALUE,VALUE,…" for key in empty])
    product = [dict(zip(grid, chosen, strict=True)) for chosen in itertools.product(*grid.values())] if grid else []
    wanted = [{_short(key, model): value for key, value in one.items()} for one in ({}, *product, *listed)]
    if len(wanted) < 2:
        raise RecipeError(
            "sweep", [f"nothing to try; say -S KEY=VALUE,… with a key of: {', '.join(('seed', *MAKING))}"]
        )
    if len(wanted) - 1 > MOST:
        raise RecipeError("sweep", [f"{len(wanted) - 1} trials; at most {MOST} in one sweep"])
    unique: dict[str, Settings] = {}
    for one, recipe in _judged(model, wanted):
        unique.setdefault(recipe.model_dump_json(), one)
    return list(unique.values())


def written(model: str, settings: Settings, file: Path = PARAMS) -> Any:
    """The whole of `file` with these settings in it, comments and all."""
    tree = params.load(file)
    params.put(tree, model, settings, file)
    return tree


def _short(key: str, model: str) -> str:
    """`models.keywords.prune.channels`, DVC's own way to say it, is taken too."""
    return key.removeprefix(f"models.{model}.")


def _judged(model: str, wanted: list[Settings]) -> list[tuple[Settings, Recipe]]:
    found, problems = [], list[str]()
    for one in wanted:
        try:
            found.append((one, _recipe(model, one)))
        except RecipeError as error:
            problems += error.problems
        except models.ModelError as error:
            problems.append(str(error))
    if problems:
        raise RecipeError("sweep", list(dict.fromkeys(problems)))
    return found


def _recipe(model: str, settings: Settings) -> Recipe:
    strange = [key for key in settings if key.partition(".")[0] not in ("seed", *MAKING)]
    if strange:
        known = ", ".join(("seed", *MAKING))
        raise RecipeError("sweep", [f"{key}: a sweep changes what is made; allowed: {known}" for key in strange])
    recipe = params.judge(written(model, settings), model, PARAMS)
    own = models.load(model)
    for part, section in (("teacher", recipe.train), ("student", recipe.distill)):
        if section.network and hasattr(own.module, part):
            own.check(part, section.network)
    return recipe
