"""The search for int8: each way is reached, told, saved, loaded, converted, and the file is what the scheme says."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from frameworks.examples import Examples, Part
from frameworks.formats import tflite
from frameworks.limit import Limit
from frameworks.recipe import Aware, Quantize

# No file loses less than this, so the search goes through every way; the recipe itself would refuse the number.
UNREACHABLE = Quantize.model_construct(skip=None, max_drop=-1e9, aware=None, float_layers=2)


@pytest.fixture(scope="module")
def mixed(keras: Any, examples: Examples, small: Any) -> Any:
    """A search that ends in float layers."""
    return keras.quantize(small, examples, UNREACHABLE)


@pytest.fixture(scope="module")
def aware(keras: Any, examples: Examples, small: Any) -> Any:
    """A search over calibration so wrong that only training with the rounding mends it."""
    wrong = dataclasses.replace(
        examples, calibration=Part(examples.calibration.features * np.float32(0.003), examples.calibration.labels)
    )
    keras.seed(1)
    recipe = Quantize(max_drop=5.0, aware=Aware(epochs=2, batch_size=16, learning_rate=0.001), float_layers=1)
    return keras.quantize(small, wrong, recipe)


def test_within_the_limit_the_nearest_post_training_form_is_taken(keras: Any, examples: Examples, small: Any) -> None:
    scheme = keras.quantize(small, examples, Quantize(max_drop=10.0))
    attempts = scheme.facts["attempts"]
    assert [attempt["method"] for attempt in attempts] == ["post_training", "fitted"]
    nearest = min(attempts, key=lambda attempt: attempt["distance"])["method"]
    assert scheme.plan["int8"] == scheme.plan["micro"] == {"method": nearest, "network": "network", "float_layers": []}
    assert list(scheme.networks) == ["network"]
    assert "within max_drop 10" in scheme.facts["why"]
    assert scheme.curve == []


def test_layers_are_ranked_by_what_they_cost(mixed: Any, small: Any) -> None:
    rows = mixed.facts["layers"]
    weighted = [layer.name for layer in small.layers if layer.weights and "norm" not in layer.name]
    assert len(rows) == len(weighted)
    assert [row["distance_without"] for row in rows] == sorted(row["distance_without"] for row in rows)


def test_over_the_limit_the_costliest_layers_stay_float(mixed: Any) -> None:
    ranked = [row["layer"] for row in mixed.facts["layers"]]
    tried = [(attempt["method"], list(attempt["float_layers"])) for attempt in mixed.facts["attempts"]]
    assert tried == [("post_training", []), ("fitted", []), ("mixed", ranked[:1]), ("mixed", ranked[:2])]
    assert "the best of all attempts; none was within max_drop" in mixed.facts["why"]


def test_the_best_attempt_is_kept(mixed: Any) -> None:
    best = min(mixed.facts["attempts"], key=lambda attempt: (attempt["drop"], attempt["distance"]))
    assert mixed.plan["int8"]["float_layers"] == list(best["float_layers"])
    assert mixed.facts["method"] == best["method"]


def test_a_form_that_answers_anew_is_not_taken_for_its_score(keras: Any) -> None:
    module = sys.modules[keras.quantize.__module__]  # the package's own name of it is the function
    search = object.__new__(module.Search)
    search.limit = Limit(0.3, 98.0)
    search.attempts = [
        module.Attempt("post_training", "network", (), 90.0, 0.4, 98.5, 0.004, 10),
        module.Attempt("aware", "aware", (), 91.0, -0.6, 97.0, 0.015, 10),
    ]
    assert search.best().method == "post_training", "0.1 over the limit is less than three of a hundred answers"
    assert not search.ended()
    search.attempts.append(module.Attempt("mixed", "network", ("stem",), 90.3, 0.1, 99.0, 0.003, 12))
    assert search.best().method == "mixed"
    assert search.best(integer=True).method == "post_training"


def test_a_microcontroller_never_gets_float_layers(mixed: Any, aware: Any) -> None:
    assert mixed.plan["micro"]["float_layers"] == aware.plan["micro"]["float_layers"] == []


def test_a_mixed_file_has_the_named_layers_in_float_and_no_other(
    mixed: Any, small: Any, convert: Callable[..., Path], examples: Examples, answer: Any, keras: Any
) -> None:
    layers = tuple(row["layer"] for row in mixed.facts["layers"][:2])
    file = convert(
        small, "tflite", "int8", target={"method": "mixed", "network": "network", "float_layers": list(layers)}
    )
    found = tflite.audit(file)
    assert set(found.floats) & set(tflite.layers(file)) == set(layers)
    assert found.problems("int8", layers) == []
    assert found.problems("int8", layers[:1])[0].startswith("an int8 file computes in float: ")
    scores = answer(file, examples.validation.features)
    assert np.abs(scores - keras.predict(small, examples.validation.features)).mean() < 0.02


def test_over_the_limit_training_goes_through_the_rounding(aware: Any) -> None:
    attempts = aware.facts["attempts"]
    assert [attempt["method"] for attempt in attempts] == ["post_training", "fitted", "aware"]
    assert min(attempts[0]["drop"], attempts[1]["drop"]) > 5.0 >= attempts[2]["drop"]
    assert aware.plan["int8"] == aware.plan["micro"] == {"method": "aware", "network": "aware", "float_layers": []}
    assert set(aware.networks) == {"network", "aware"}
    assert {row["phase"] for row in aware.curve} == {"quantize aware"}


@pytest.mark.parametrize("micro", [False, True], ids=["edge", "micro"])
def test_an_aware_network_is_the_same_after_it_was_saved(
    keras: Any, aware: Any, convert: Callable[..., Path], examples: Examples, answer: Any, tmp_path: Path, micro: bool
) -> None:
    keras.save(aware.networks["aware"], tmp_path / "aware")
    loaded = keras.load(tmp_path / "aware")
    files = [
        convert(network, "tflite", "int8", target=aware.plan["int8"], micro=micro, name=name)
        for name, network in (("before", aware.networks["aware"]), ("after", loaded))
    ]
    assert tflite.audit(files[1]).problems("int8", micro=micro) == []
    held = examples.validation
    before, after = (answer(file, held.features) for file in files)
    assert np.abs(before - after).max() <= 1 / 256, "one step of the output"
    score = 100 * np.mean(after.argmax(axis=1) == held.labels)
    assert score == pytest.approx(aware.facts["attempts"][2]["score"], abs=100 / len(held))


def test_pruned_weights_stay_zero_under_the_rounding(aware: Any) -> None:
    """Otherwise a file that compressed well would not any more."""
    found = {
        name: [w for layer in network.layers for w in layer.get_weights() if w.ndim > 1 and w.size > 64]
        for name, network in aware.networks.items()
    }
    share = {
        name: sum(np.sum(w == 0) for w in kernels) / sum(w.size for w in kernels) for name, kernels in found.items()
    }
    assert share["aware"] >= 0.95 * share["network"]
