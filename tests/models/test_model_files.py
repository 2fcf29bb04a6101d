"""What every file in models/ must be: declared, buildable at any size, and a student smaller than its teacher."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pianissimo as pp
import pytest

import frameworks
import models
from frameworks import metrics, params
from models import ModelError

NAMES = models.names()
KERAS = [name for name in NAMES if models.load(name).framework == "keras"]
TORCH = [name for name in NAMES if models.load(name).framework == "torch"]
LACKING = 'FRAMEWORK = "keras"\nTASK = "classify"\n\n\ndef student(shape, classes):\n    return None\n'


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """`added("name", source)` puts one more file into models/, as far as Python can tell."""

    def add(name: str, source: str) -> None:
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path)])

    return add


def front(name: str, project: Path) -> tuple[Any, Any]:
    """The recipe of a model in params.yaml, and its front end."""
    recipe = params.read(project / "params.yaml", name)
    return recipe, pp.frontend.build(recipe.prepare.frontend)


@pytest.mark.parametrize("name", NAMES)
def test_it_declares_what_it_is(name: str) -> None:
    model = models.load(name)
    assert model.name == name
    assert model.framework in frameworks.FRAMEWORKS
    assert metrics.choose(model.metric).name == model.metric


@pytest.mark.parametrize("name", NAMES)
def test_its_recipe_names_its_framework(name: str, project: Path) -> None:
    """dvc.yaml chooses code by the recipe's `framework`, Python by the model's: they must say the same."""
    assert front(name, project)[0].framework == models.load(name).framework


@pytest.mark.parametrize("name", NAMES)
def test_its_metric_is_one_of_its_task(name: str) -> None:
    model = models.load(name)
    assert metrics.choose(model.metric).task == model.task
    assert model.task in pp.manifest.TASKS


@pytest.mark.parametrize("name", KERAS)
@pytest.mark.parametrize("classes", [2, 12])
def test_both_keras_networks_fit_the_front_end(keras: Any, project: Path, name: str, classes: int) -> None:
    recipe, found = front(name, project)
    for make, section in (("teacher", recipe.train), ("student", recipe.distill)):
        network = getattr(models.load(name), make)(found.shape, classes, section.network)
        assert network.input_shape == (None, *found.shape), make
        assert network.output_shape == (None, classes), make


@pytest.mark.parametrize("name", KERAS)
def test_the_keras_student_is_the_smaller(keras: Any, project: Path, name: str) -> None:
    recipe, found = front(name, project)
    teacher = keras.size(models.load(name).teacher(found.shape, 12, recipe.train.network))
    student = keras.size(models.load(name).student(found.shape, 12, recipe.distill.network))
    assert student.parameters < teacher.parameters
    assert student.macs < teacher.macs
    assert student.bytes == 4 * student.parameters


@pytest.mark.parametrize("name", TORCH)
def test_the_torch_student_is_the_smaller(project: Path, name: str) -> None:
    recipe, found = front(name, project)
    own = pp.frontend.build(recipe.train.frontend) if recipe.train.frontend else found
    model = models.load(name)
    weights = [
        sum(parameter.numel() for parameter in network.parameters())
        for network in (
            model.teacher(own.shape, 12, recipe.train.network),
            model.student(found.shape, 12, recipe.distill.network),
        )
    ]
    assert weights[1] < weights[0]


@pytest.mark.parametrize("name", KERAS)
def test_batch_normalisation_keeps_up_with_short_training(keras: Any, project: Path, name: str) -> None:
    """Keras's default of 0.99 lags: its running mean is still that of the first epochs when training ends."""
    recipe, found = front(name, project)
    for make, section in (("teacher", recipe.train), ("student", recipe.distill)):
        network = getattr(models.load(name), make)(found.shape, 12, section.network)
        assert {layer.momentum for layer in network.layers if hasattr(layer, "momentum")} <= {0.9}


def test_a_model_file_imports_no_training_library(project: Path) -> None:
    code = (
        "import sys, models\n"
        "for name in models.names():\n    models.load(name)\n"
        "print(sorted({'tensorflow', 'tf_keras', 'torch', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ModelError) as caught:
        models.load("keyword")
    assert "'keyword'" in str(caught.value)
    assert all(name in str(caught.value) for name in NAMES)


@pytest.mark.parametrize("name", ["../keywords", "keywords.teacher", "", "__init__"])
def test_a_name_that_is_no_file_of_the_folder_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match=f"there is: {NAMES[0]}"):
        models.load(name)


def test_a_file_that_lacks_a_part_is_named_with_the_part(added: Callable[[str, str], None]) -> None:
    added("half_a_model", LACKING)
    with pytest.raises(
        ModelError, match=r"models/half_a_model\.py lacks METRIC, teacher; a model file declares FRAMEWORK"
    ):
        models.load("half_a_model")


def test_one_file_and_one_section_make_a_model(
    added: Callable[[str, str], None], project: Path, tmp_path: Path
) -> None:
    added("another", (project / "models/keywords.py").read_text(encoding="utf-8"))
    text = (project / "params.yaml").read_text(encoding="utf-8").replace("\n  keywords:", "\n  another:")
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    assert "another" in models.names()
    assert models.load("another").framework == params.read(tmp_path / "params.yaml", "another").framework


def test_a_student_says_which_groups_do_not_fit(keras: Any) -> None:
    with pytest.raises(ValueError, match="group 7 does not divide the front end's 40 bands"):
        models.load("keywords").module.student((49, 40), 12, group=7)
