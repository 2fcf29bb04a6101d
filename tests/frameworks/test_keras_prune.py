"""Pruning narrows and zeroes as far as validation allows, and never ends with nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from frameworks.examples import Examples
from frameworks.recipe import Prune

CUT = Prune(
    channels=0.3, multiple=2, sparsity=0.4, epochs=2, batch_size=16, learning_rate=0.003, max_drop=100.0, attempts=3
)


def zeros(network: Any) -> float:
    """Percent of kernel weights that are zero."""
    kernels = [w for layer in network.layers for w in layer.get_weights() if w.ndim > 1]
    return float(100 * sum(np.sum(k == 0) for k in kernels) / sum(k.size for k in kernels))


@pytest.fixture(scope="module")
def whole(keras: Any, trained: Any) -> Any:
    return keras.load(trained.distill / "network")


def test_it_narrows_and_zeroes(keras: Any, examples: Examples, whole: Any) -> None:
    outcome = keras.prune(whole, examples, CUT)
    before, after = keras.size(whole), keras.size(outcome.network)
    assert after.macs < before.macs
    assert after.parameters < before.parameters
    assert after.compressed_bytes < before.compressed_bytes
    assert zeros(outcome.network) == pytest.approx(outcome.facts["zeros"])
    assert zeros(outcome.network) > 30, "tfmot leaves depthwise kernels whole, so a little less than 40"
    assert len(outcome.facts["attempts"]) == 1, "the first cut within max_drop is taken"
    assert "within max_drop 100" in outcome.facts["why"]
    assert {row["attempt"] for row in outcome.curve} == {1}


def test_what_comes_out_is_a_plain_network(keras: Any, examples: Examples, whole: Any, tmp_path: Any) -> None:
    """No wrapper of tfmot's is left, and a network narrowed from a frozen teacher still learns."""
    network = keras.prune(whole, examples, CUT.model_copy(update={"epochs": 1})).network
    assert {type(layer).__name__ for layer in network.layers} <= {type(layer).__name__ for layer in whole.layers}
    assert network.trainable_weights
    assert all(layer.trainable for layer in network.layers)
    keras.save(network, tmp_path)
    assert np.array_equal(
        keras.predict(keras.load(tmp_path), examples.validation.features),
        keras.predict(network, examples.validation.features),
    )


@pytest.mark.parametrize(("channels", "sparsity"), [(0.4, 0.0), (0.0, 0.5), (0.0, 0.0)])
def test_either_kind_of_pruning_may_be_left_out(
    keras: Any, examples: Examples, whole: Any, channels: float, sparsity: float
) -> None:
    recipe = CUT.model_copy(update={"channels": channels, "sparsity": sparsity, "epochs": 1})
    network = keras.prune(whole, examples, recipe).network
    assert (keras.size(network).macs < keras.size(whole).macs) == bool(channels)
    assert (zeros(network) > 30) == bool(sparsity)
    assert network is not whole


def test_what_costs_too_much_is_not_done(keras: Any, examples: Examples, whole: Any) -> None:
    before = [w.copy() for w in whole.get_weights()]
    recipe = CUT.model_copy(
        update={
            "channels": 0.94,
            "multiple": 1,
            "sparsity": 0.98,
            "max_drop": 0.0,
            "attempts": 2,
            "epochs": 1,
            "learning_rate": 1e-6,
        }
    )
    outcome = keras.prune(whole, examples, recipe)
    assert outcome.network is whole
    assert all(np.array_equal(a, b) for a, b in zip(before, whole.get_weights(), strict=True))
    assert outcome.facts["why"] == "kept whole: all 2 attempts lost more than max_drop 0 points"
    assert [attempt["channels"] for attempt in outcome.facts["attempts"]] == [0.94, 0.47], "each half the one before"
    assert [attempt["sparsity"] for attempt in outcome.facts["attempts"]] == [0.98, 0.49]
    assert all(attempt["drop"] > 0 for attempt in outcome.facts["attempts"])


def test_the_network_it_was_given_is_left_alone(keras: Any, examples: Examples, whole: Any) -> None:
    before = [w.copy() for w in whole.get_weights()]
    keras.prune(whole, examples, CUT.model_copy(update={"epochs": 1}))
    assert all(np.array_equal(a, b) for a, b in zip(before, whole.get_weights(), strict=True))
    assert whole.trainable
