"""Channel pruning: what is cut is really gone, what was not cut is exactly as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from frameworks.examples import Part

SHAPE = (12, 8)
CLASSES = 3


@pytest.fixture(scope="module")
def channels(keras: Any) -> Any:
    from frameworks.keras import channels

    return channels


@pytest.fixture(scope="module")
def part() -> Part:
    rng = np.random.default_rng(4)
    return Part(rng.normal(size=(64, *SHAPE)).astype(np.float32), rng.integers(0, CLASSES, 64))


@pytest.fixture(scope="module")
def build(keras: Any) -> Callable[..., Any]:
    """`build(middle)` is a network of two normalised convolutions with `middle(layers, x)` between them.

    Its weights and its normalisation's statistics are random: a fresh normalisation would hide what is mixed up.
    """
    from tensorflow.keras import Input, Model, layers

    def block(x: Any, width: int, name: str) -> Any:
        x = layers.Conv2D(width, 3, padding="same", name=name)(x)
        return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_norm")(x))

    def make(middle: Callable[[Any, Any], Any], width: int = 8) -> Any:
        inputs = Input(SHAPE, name="features")
        x = block(layers.Reshape((*SHAPE, 1))(inputs), width, "first")
        x = middle(layers, x)
        if len(x.shape) == 4:
            x = layers.GlobalAveragePooling2D()(block(x, width, "last"))
        network = Model(inputs, layers.Dense(CLASSES, name="logits")(x))
        rng = np.random.default_rng(3)
        for layer in network.layers:
            layer.set_weights(
                [
                    rng.uniform(0.5, 1.5, w.shape)
                    if "variance" in v.name or "gamma" in v.name
                    else rng.normal(0, 0.5, w.shape)
                    for v, w in zip(layer.weights, layer.get_weights(), strict=True)
                ]
            )
        return network

    return make


def residual(layers: Any, x: Any) -> Any:
    """x + f(x), a depthwise filter, and a pooling: everything the models are made of."""
    side = layers.BatchNormalization(name="side_norm")(layers.Conv2D(x.shape[-1], 3, padding="same", name="side")(x))
    x = layers.ReLU(name="joined")(layers.Add(name="sum")([x, side]))
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    return layers.MaxPooling2D(name="pool")(layers.BatchNormalization(name="depthwise_norm")(x))


def silenced(network: Any, found: dict[str, Any], share: float = 0.5) -> dict[int, np.ndarray]:
    """Gives a share of every free space's channels no effect (gamma = beta = 0); what each space then keeps."""
    keep = {}
    for space in {id(s): s for s in found.values()}.values():
        norms = [layer for layer in space.layers if type(layer).__name__ == "BatchNormalization"]
        if not space.free or not norms:
            continue
        kept = np.sort(np.random.default_rng(space.width).permutation(space.width)[: round(space.width * (1 - share))])
        for norm in norms:
            weights = norm.get_weights()
            for parameter in weights[:2]:
                parameter[np.setdiff1d(np.arange(space.width), kept)] = 0
            norm.set_weights(weights)
        keep[id(space)] = kept
    return keep


def logits(network: Any, part: Part) -> np.ndarray:
    return np.asarray(network(part.features, training=False))


def test_nothing_cut_is_nothing_changed(channels: Any, build: Any, part: Part) -> None:
    network = build(residual)
    same = channels.narrowed(network, {}, channels.spaces(network))
    assert np.abs(logits(same, part) - logits(network, part)).max() == 0
    assert [w.shape for w in same.get_weights()] == [w.shape for w in network.get_weights()]


def test_a_cut_network_has_the_widths_chosen(channels: Any, build: Any, part: Part, keras: Any) -> None:
    network = build(residual)
    found = channels.spaces(network)
    keep = {id(found["first"]): np.array([0, 2, 5]), id(found["last"]): np.array([1, 7])}
    small = channels.narrowed(network, keep, found)
    widths = {
        name: small.get_layer(name).output_shape[-1] for name in ("first", "side", "depthwise", "sum", "last", "logits")
    }
    assert widths == {"first": 3, "side": 3, "depthwise": 3, "sum": 3, "last": 2, "logits": CLASSES}
    assert keras.size(small).macs < keras.size(network).macs
    assert keras.size(small).parameters < keras.size(network).parameters


def test_channels_without_effect_can_go(channels: Any, build: Any, part: Part) -> None:
    network = build(residual)
    found = channels.spaces(network)
    keep = silenced(network, found)
    small = channels.narrowed(network, keep, found)
    assert small.count_params() < network.count_params()
    assert np.abs(logits(small, part) - logits(network, part)).max() < 1e-5


def test_both_sides_of_an_addition_are_one_space(channels: Any, build: Any) -> None:
    found = channels.spaces(build(residual))
    assert (
        len({id(found[name]) for name in ("first", "first_norm", "side", "side_norm", "sum", "joined", "depthwise")})
        == 1
    )
    assert found["first"] is not found["last"]


def test_the_output_and_the_input_stay_as_they_are(channels: Any, build: Any) -> None:
    found = channels.spaces(build(residual))
    assert not found["logits"].free
    assert not found["features"].free
    assert found["first"].free
    assert found["last"].free


MIDDLES: dict[str, Callable[[Any, Any], Any]] = {
    "Flatten": lambda layers, x: layers.Flatten()(x),
    "LayerNormalization": lambda layers, x: layers.LayerNormalization()(x),
    "Concatenate": lambda layers, x: layers.Concatenate()([x, layers.Conv2D(4, 1)(x)]),
    "PReLU": lambda layers, x: layers.PReLU(shared_axes=[1, 2])(x),
    "Permute": lambda layers, x: layers.Permute((1, 3, 2))(x),
    "grouped convolution": lambda layers, x: layers.Conv2D(8, 3, groups=4)(x),
    "depth multiplier": lambda layers, x: layers.DepthwiseConv2D(3, depth_multiplier=2)(x),
    "separable": lambda layers, x: layers.SeparableConv2D(8, 3)(x),
    "transposed": lambda layers, x: layers.Conv2DTranspose(6, 3, strides=2)(x),
    "gate": lambda layers, x: layers.Multiply()([x, layers.Conv2D(8, 1, activation="sigmoid")(x)]),
    "squeeze": lambda layers, x: layers.Multiply()(
        [x, layers.Reshape((1, 1, 8))(layers.Dense(8, activation="sigmoid")(layers.GlobalAveragePooling2D()(x)))]
    ),
}


@pytest.mark.parametrize("middle", MIDDLES)
def test_an_unknown_layer_costs_savings_never_correctness(channels: Any, build: Any, part: Part, middle: str) -> None:
    network = build(MIDDLES[middle])
    found = channels.spaces(network)
    small = channels.narrowed(network, silenced(network, found), found)
    assert np.abs(logits(small, part) - logits(network, part)).max() < 1e-5


@pytest.mark.parametrize("middle", ["Flatten", "LayerNormalization", "Concatenate", "Permute", "grouped convolution"])
def test_an_unknown_layer_freezes_what_it_reads(channels: Any, build: Any, middle: str) -> None:
    assert not channels.spaces(build(MIDDLES[middle]))["first"].free


def test_a_channel_that_matters_more_ranks_higher(channels: Any, build: Any, part: Part, keras: Any) -> None:
    from frameworks.keras.train import labels_loss

    network = build(residual)
    dense = network.get_layer("logits")
    kernel, bias = dense.get_weights()
    kernel[np.arange(8) != 5] = 0  # only channel 5 of `last` reaches the answer
    dense.set_weights([kernel, bias])
    scores = channels.importance(network, part, labels_loss)
    assert set(scores) == {"first_norm", "side_norm", "depthwise_norm", "last_norm"}
    assert scores["last_norm"].argmax() == 5
    assert scores["last_norm"][5] == pytest.approx(1.0)
    assert np.count_nonzero(scores["last_norm"]) == 1


def test_importance_does_not_depend_on_the_batch(channels: Any, build: Any, part: Part, keras: Any) -> None:
    """Sums over batches of equal size, so one batch twice ranks as that batch once."""
    from frameworks.keras.train import labels_loss

    network, twice = build(residual), Part(np.tile(part.features, (2, 1, 1)), np.tile(part.labels, 2))
    once = channels.importance(network, part, labels_loss, batch_size=64)
    again = channels.importance(network, twice, labels_loss, batch_size=64)
    assert all(np.allclose(once[name], again[name], atol=1e-5) for name in once)


@pytest.mark.parametrize(("fraction", "multiple"), [(0.0, 1), (0.3, 4), (0.6, 2), (0.94, 1), (0.94, 4)])
def test_what_is_kept_are_the_best_in_whole_vectors(channels: Any, build: Any, fraction: float, multiple: int) -> None:
    network = build(residual, width=16)
    found = channels.spaces(network)
    rng = np.random.default_rng(1)
    scores = {layer.name: rng.uniform(0.1, 1, 16) for layer in network.layers if "norm" in layer.name}
    kept = channels.choose(found, scores, fraction, multiple)
    for space in {id(s): s for s in found.values() if s.free}.values():
        mine = kept[id(space)]
        total = np.sum([scores[layer.name] for layer in space.layers if layer.name in scores], axis=0)
        assert len(mine) >= multiple
        assert len(mine) % multiple == 0
        assert list(mine) == sorted(mine)
        assert total[mine].min() >= np.delete(total, mine).max(initial=0)


def test_a_network_without_normalisation_is_refused_in_words(channels: Any, build: Any) -> None:
    network = build(residual)
    with pytest.raises(ValueError, match="no channel can be removed"):
        channels.choose(channels.spaces(network), {}, 0.5, 4)


@pytest.mark.parametrize("left_out", ["scale", "center"])
def test_channels_that_cannot_be_judged_stay(channels: Any, part: Part, keras: Any, left_out: str) -> None:
    """A scale before ReLU is often left out, since the next convolution can carry it."""
    from tensorflow.keras import Input, Model, layers

    from frameworks.keras.train import labels_loss

    inputs = x = Input((*SHAPE, 1))
    for name, settings in (("judged", {}), ("unjudged", {left_out: False})):
        x = layers.ReLU()(layers.BatchNormalization(name=f"{name}_norm", **settings)(layers.Conv2D(4, 3, name=name)(x)))
    network = Model(inputs, layers.Dense(CLASSES)(layers.GlobalAveragePooling2D()(x)))
    found = channels.spaces(network)
    scores = channels.importance(network, Part(part.features[..., None], part.labels), labels_loss)
    kept = channels.choose(found, scores, 0.5, 1)
    assert list(kept) == [id(found["judged"])]
    assert channels.narrowed(network, kept, found).get_layer("unjudged").output_shape[-1] == 4
