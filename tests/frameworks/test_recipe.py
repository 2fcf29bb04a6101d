"""params.yaml at the door: what is refused, where, and what would be allowed there."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import models
from frameworks import params
from frameworks.params import RecipeError
from frameworks.recipe import STAGES, Recipe

Place = tuple[str | int, ...]
Edit = Callable[[Place, Any], Path]
GONE = object()


@pytest.fixture
def edit(project: Path, tmp_path: Path) -> Edit:
    """`edit(("train", "epochs"), 0)` gives the repository's params.yaml with that changed for `keywords`."""

    def change(place: Place, value: Any) -> Path:
        yaml = YAML(typ="safe")
        yaml.default_flow_style = False
        text = (project / "params.yaml").read_text(encoding="utf-8")
        tree = json.loads(json.dumps(yaml.load(text)))  # without anchors: a change stands in one place
        node = tree["models"]["keywords"]
        for part in place[:-1]:
            node = node[part]
        if value is GONE:
            del node[place[-1]]
        else:
            node[place[-1]] = value
        written = io.StringIO()
        yaml.dump(tree, written)
        file = tmp_path / "params.yaml"
        file.write_text(written.getvalue(), encoding="utf-8")
        return file

    return change


def refusal(file: Path, model: str = "keywords") -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        params.read(file, model)
    return caught.value


def line_of(file: Path, text: str) -> int:
    """The line, from 1, that holds `text`; there must be just one."""
    found = [number for number, line in enumerate(file.read_text().splitlines(), 1) if text in line]
    assert len(found) == 1, f"{text!r} stands on lines {found}"
    return found[0]


@pytest.mark.parametrize("name", models.names())
def test_the_repositorys_own_is_right_for_every_model(project: Path, name: str) -> None:
    recipe = params.read(project / "params.yaml", name)
    assert all(recipe.model_dump(by_alias=True)[stage] for stage in STAGES)
    assert set(recipe.gate.platforms) == set(recipe.convert.platforms), "a platform without limits is rejected"


def test_a_recipe_cannot_be_changed(project: Path) -> None:
    recipe = params.read(project / "params.yaml", "keywords")
    with pytest.raises(ValueError, match="frozen"):
        recipe.train.epochs = 1


SECTIONS: dict[Place, str] = {
    (): "convert, distill, framework",
    ("prepare",): "calibration, corpus, frontend, max_seconds, pieces, silent, split, unreadable",
    ("prepare", "split"): "test, train, validation",
    ("train",): "augment, balance, batch_size, epochs, frontend, import, learning_rate, network, start",
    ("train", "augment"): "gain, mask_bands, mask_frames, masks, noise",
    ("distill",): "alpha, augment, balance, batch_size, epochs, learning_rate, network, skip, stand_in, start, temperature",
    ("prune",): "attempts, augment, balance, batch_size, channels",
    ("quantize",): "aware, float_layers, max_drop, skip",
    ("quantize", "aware"): "batch_size, epochs, learning_rate",
    ("convert",): "platforms",
    ("convert", "platforms", "mcu"): "device, stand_in, variants",
    ("convert", "platforms", "mcu", "variants", 0): "backend, precision",
    ("validate",): "bootstrap, golden, rounds",
    ("gate",): "platforms",
    ("gate", "platforms", "edge"): "agreement, drop_type, faster, faster_than_float, floor",
    ("publish",): "channels, registry",
}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda place: ".".join(map(str, place)) or "model")
def test_an_unknown_key_is_named_with_the_known_ones(edit: Edit, section: Place) -> None:
    file = edit((*section, "colour"), 1)
    error = refusal(file)
    place = ".".join(map(str, ("models", "keywords", *section, "colour")))
    assert error.problems == [
        p for p in error.problems if p.startswith(f"line {line_of(file, 'colour: 1')}: {place}: ")
    ]
    assert f"unknown key; allowed here: {SECTIONS[section]}" in error.problems[0]
    assert str(file) in str(error)


IMPOSSIBLE: list[tuple[Place, Any, str]] = [
    (("seed",), -1, "greater than or equal to 0"),
    (("seed",), 2**31, "less than or equal to 2147483647"),
    (("prepare", "calibration"), 15, "greater than or equal to 16"),
    (("prepare", "max_seconds"), 0, "greater than 0"),
    (("prepare", "unreadable"), "ignore", "'refuse' or 'leave_out'"),
    (("prepare", "silent"), "yes", "'refuse', 'leave_out' or 'allow'"),
    (("train", "epochs"), 0, "greater than or equal to 1"),
    (("train", "learning_rate"), 0, "greater than 0"),
    (("train", "learning_rate"), 1.5, "less than or equal to 1"),
    (("train", "augment", "shift"), -2, "greater than or equal to 0"),
    (("distill", "temperature"), 0.5, "greater than or equal to 1"),
    (("distill", "alpha"), 1.01, "less than or equal to 1"),
    (("distill", "skip"), "", "at least 1 character"),
    (("prune", "channels"), 0.95, "less than 0.95"),
    (("prune", "sparsity"), 0.99, "less than 0.99"),
    (("prune", "attempts"), 0, "greater than or equal to 1"),
    (("quantize", "max_drop"), -0.5, "greater than or equal to 0"),
    (("quantize", "aware", "epochs"), 0, "greater than or equal to 1"),
    (("quantize", "float_layers"), 101, "less than or equal to 100"),
    (("convert", "platforms", "edge", "variants", 0, "backend"), "onnxrt", "'tflite', 'onnx' or 'numpy'"),
    (("convert", "platforms", "edge", "variants", 0, "precision"), "int4", "'float32', 'float16' or 'int8'"),
    (("convert", "platforms", "mcu", "device"), "esp32", "'micro' or 'any'"),
    (("validate", "rounds"), 29, "greater than or equal to 30"),
    (("validate", "golden"), 65, "less than or equal to 64"),
    (("gate", "platforms", "edge", "floor"), 101, "less than or equal to 100"),
    (("gate", "platforms", "edge", "smaller"), 100, "less than 100"),
    (("gate", "platforms", "edge", "faster"), 0, "greater than 0"),
    (("gate", "platforms", "edge", "drop_type"), "percent", "'absolute' or 'relative'"),
    (("publish", "registry"), "", "at least 1 character"),
    # YAML has words for what no limit can be.
    (("gate", "platforms", "edge", "faster"), float("inf"), "finite"),
    (("gate", "platforms", "edge", "max_memory_mb"), float("nan"), "finite"),
    (("train", "learning_rate"), float("nan"), "finite"),
    # Types are strict: what looks nearly right is refused too.
    (("train", "epochs"), "ten", "valid integer"),
    (("train", "epochs"), 3.5, "valid integer"),
    (("train", "batch_size"), True, "valid integer"),
    (("train", "learning_rate"), "0.01x", "valid number"),
    (("framework",), 7, "valid string"),
]


@pytest.mark.parametrize(("place", "value", "words"), IMPOSSIBLE, ids=lambda part: str(part))
def test_an_impossible_value_is_named_with_the_possible(edit: Edit, place: Place, value: Any, words: str) -> None:
    file = edit(place, value)
    error = refusal(file)
    start = f"line {_line(file, place)}: {'.'.join(map(str, ('models', 'keywords', *place)))}: {value!r}: "
    assert len(error.problems) == 1, error.problems
    assert error.problems[0].startswith(start)
    assert words in error.problems[0]


def _line(file: Path, place: Place) -> int:
    """Where the key of `place` stands, as YAML itself tells."""
    node = YAML().load(file.read_text())["models"]["keywords"]
    for part in place[:-1]:
        node = node[part]
    return int(node.lc.key(place[-1])[0]) + 1


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("prepare", "split"), {"train": 0.7, "validation": 0.2, "test": 0.2}, "make 1.1; they must add up to 1"),
        (("convert", "platforms"), {}, "at least 1"),
        (("convert", "platforms", "edge", "variants"), [], "at least 1"),
        (
            ("convert", "platforms", "mcu"),
            {"device": "micro", "variants": [{"backend": "onnx", "precision": "float32"}]},
            "device micro takes variants of backend tflite and precision int8 only",
        ),
        (("train",), None, "valid dictionary"),
        (("train",), [1, 2], "valid dictionary"),
        (("convert", "platforms", "../edge"), {"variants": [{"backend": "tflite", "precision": "int8"}]}, "a-z"),
        (("publish", "channels"), ["Stable!"], "a-z"),
    ],
    ids=lambda part: str(part)[:40],
)
def test_sections_that_cannot_be(edit: Edit, place: Place, value: Any, words: str) -> None:
    error = refusal(edit(place, value))
    assert ".".join(map(str, ("models", "keywords", *place))) in error.problems[0]
    assert words in error.problems[0]


@pytest.mark.parametrize(
    "place",
    [
        ("framework",),
        ("prepare",),
        ("train",),
        ("distill",),
        ("prune",),
        ("quantize",),
        ("convert",),
        ("prepare", "frontend"),
        ("prepare", "corpus"),
        ("convert", "platforms"),
        ("quantize", "aware", "learning_rate"),
        ("convert", "platforms", "edge", "variants", 0, "precision"),
    ],
    ids=lambda place: ".".join(map(str, place)),
)
def test_a_missing_part_is_named(edit: Edit, place: Place) -> None:
    error = refusal(edit(place, GONE))
    assert len(error.problems) == 1
    assert error.problems[0].endswith(
        f"{'.'.join(map(str, ('models', 'keywords', *place)))}: missing, and it has no default"
    )
    assert error.problems[0].startswith("line ")


def test_only_some_frameworks_train_on_from_a_network(edit: Edit, project: Path) -> None:
    for stage in ("train", "distill"):
        (problem,) = refusal(edit((stage, "start"), "artifacts/keywords/train/network")).problems
        assert problem.endswith(
            f"{stage}.start is of no use to keras; allowed for: torch. train.import takes a trained network as it is"
        )
    recipe = params.read(project / "params.yaml", "phoneme").model_dump(by_alias=True)
    recipe["train"]["start"] = "artifacts/phoneme/train/network"
    assert Recipe.model_validate(recipe).train.start == "artifacts/phoneme/train/network"


def test_a_teacher_begins_in_one_way(edit: Edit) -> None:
    both = {"import": "teacher.h5", "start": "artifacts/keywords/train/network"}
    (problem,) = refusal(edit(("train",), both)).problems
    assert "import takes a network as it is, start trains on from one; allowed: one of them" in problem


def test_all_problems_are_told_at_once(edit: Edit) -> None:
    text = edit(("train", "epochs"), 0).read_text().replace("max_drop: ", "max_dorp: ")
    file = edit(("seed",), 1)
    file.write_text(text)
    told = "\n".join(refusal(file).problems)
    for place in ("train.epochs", "prune.max_dorp", "gate.platforms.edge.max_dorp", "gate.platforms.mcu.max_dorp"):
        assert f"models.keywords.{place}: " in told


@pytest.mark.parametrize("section", ["distill", "prune"])
def test_a_stage_may_say_why_it_does_not_apply(edit: Edit, section: str) -> None:
    recipe = params.read(edit((section, "skip"), "the student was small already"), "keywords")
    assert getattr(recipe, section).skip == "the student was small already"


@pytest.mark.parametrize("section", ["prepare", "train", "convert", "validate", "gate", "publish"])
def test_the_other_stages_always_apply(edit: Edit, section: str) -> None:
    assert "skip: unknown key" in refusal(edit((section, "skip"), "why not")).problems[0]


def test_a_model_that_is_not_there(project: Path) -> None:
    assert "models has no 'keyword'; it has: phoneme, keywords" in str(refusal(project / "params.yaml", "keyword"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("models:\n  keywords:\n    train: {epochs: 1\n", "not YAML"),
        ("models:\n  keywords:\n\tframework: keras\n", "not YAML"),
        ("models:\n  keywords: {framework: keras, framework: torch}\n", "not YAML"),
        ("", "expected a mapping with the key 'models'"),
        ("- models\n", "expected a mapping with the key 'models'"),
        ("model: {}\n", "models has no 'keywords'; it has: none"),
        ("models: [keywords]\n", "models has no 'keywords'; it has: none"),
        ("models:\n  keywords:\n", "line 2: models.keywords: "),
        ("models:\n  keywords: 3\n", "line 2: models.keywords: "),
    ],
    ids=[
        "open brace",
        "tab",
        "a key twice",
        "empty",
        "a list",
        "misspelt",
        "models a list",
        "a model of nothing",
        "a number",
    ],
)
def test_files_that_are_no_recipe(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(text)
    error = refusal(file)
    assert words in str(error)
    assert str(file) in str(error)


def test_an_absent_file_says_where_to_run_from(tmp_path: Path) -> None:
    assert "no such file; run from the project's root or give --params FILE" in str(refusal(tmp_path / "params.yaml"))


def test_stages_and_sections_are_the_same_words() -> None:
    assert set(STAGES) == {field.alias or name for name, field in Recipe.model_fields.items()} - {"framework", "seed"}
