"""Channel pruning: which channels matter least, and the same network rebuilt without them, so that it really narrows.

Tensors whose channels must stay alike (through normalisation, activation, depthwise filters, additions) form one *space*;
a channel is removed from a whole space or not at all. Spaces that touch an input, an output or a layer this file does not
know stay as they are, so an unknown layer costs savings, never correctness.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import keras

from frameworks import NotApplicableError
from frameworks.examples import Part
from frameworks.keras.train import Loss

L = keras.layers
MAKES = (L.Conv1D, L.Conv2D, L.Dense)
KEEPS = (
    L.BatchNormalization,
    L.ReLU,
    L.Activation,
    L.Dropout,
    L.MaxPooling2D,
    L.AveragePooling2D,
    L.GlobalAveragePooling2D,
    L.GlobalMaxPooling2D,
    L.GlobalAveragePooling1D,
    L.ZeroPadding2D,
)
JOINS = (L.Add, L.Multiply, L.Average)


@dataclass(eq=False)
class Space:
    """A set of channels removed together, and the layers whose outputs carry it."""

    width: int
    free: bool = True
    layers: list[Any] = field(default_factory=list)


def spaces(network: Any) -> dict[str, Space]:
    """The space of each layer's output, by layer name."""
    found: dict[str, Space] = {}
    for layer in network.layers:
        sources = [
            found[tensor.node.layer.name] for tensor in tf.nest.flatten(layer.input) if tensor.node.layer.name in found
        ]
        found[layer.name] = space = _space(layer, sources, found)
        space.layers.append(layer)
    for name in network.output_names:
        found[name].free = False
    return found


def _space(layer: Any, sources: list[Space], found: dict[str, Space]) -> Space:
    depthwise = isinstance(layer, L.DepthwiseConv2D)
    if isinstance(layer, KEEPS) or (depthwise and layer.depth_multiplier == 1):
        return sources[0]
    if (
        type(layer) in MAKES and getattr(layer, "groups", 1) == 1
    ):  # by type: a transposed convolution is a kind of Conv2D
        return Space(int(layer.output_shape[-1]))
    if isinstance(layer, JOINS):
        return _joined(sources, found)
    for source in sources:
        source.free = False
    shape = layer.output_shape[0] if isinstance(layer.output_shape, list) else layer.output_shape
    return Space(int(shape[-1]), free=False)


def _joined(sources: list[Space], found: dict[str, Space]) -> Space:
    """One space for all `sources`, put in their place wherever they stand."""
    whole = Space(
        sources[0].width,
        all(s.free and s.width == sources[0].width for s in sources),
        [layer for s in {id(s): s for s in sources}.values() for layer in s.layers],
    )
    for name, space in found.items():
        if any(space is source for source in sources):
            found[name] = whole
    return whole


def importance(network: Any, part: Part, loss: Loss, batch_size: int = 256) -> dict[str, np.ndarray]:
    """What the loss would change by if a channel were gone, first order: |gamma dL/dgamma + beta dL/dbeta|, summed over batches
    and normalised within a layer (Molchanov et al. 2019). By name of the batch normalisation; shape (channels,)."""
    norms = [
        layer for layer in network.layers if isinstance(layer, L.BatchNormalization) and layer.scale and layer.center
    ]
    totals = {layer.name: np.zeros(layer.input_shape[-1]) for layer in norms}
    weights = [weight for layer in norms for weight in (layer.gamma, layer.beta)]
    for start in range(0, len(part), batch_size):
        with tf.GradientTape() as tape:
            logits = network(part.features[start : start + batch_size], training=False)
            value = loss(part.labels[start : start + batch_size], logits)
        slopes = tape.gradient(value, weights)
        for layer, gamma, beta in zip(norms, slopes[::2], slopes[1::2], strict=True):
            totals[layer.name] += np.abs((layer.gamma * gamma + layer.beta * beta).numpy())
    return {name: total / (np.linalg.norm(total) or 1.0) for name, total in totals.items()}


def choose(
    found: dict[str, Space], scores: dict[str, np.ndarray], fraction: float, multiple: int
) -> dict[int, np.ndarray]:
    """Which channels each free space keeps (sorted indices, by id of the space) when `fraction` of all goes.

    Channels of all spaces compete; widths are rounded up to `multiple`, which is what vector units work in.
    """
    ranked = {}
    for space in {id(s): s for s in found.values()}.values():
        judged = [scores[layer.name] for layer in space.layers if layer.name in scores]
        if space.free and judged:
            ranked[id(space)] = np.sum(judged, axis=0)
    if not ranked:
        raise NotApplicableError(
            "prune.channels: no channel can be removed: no space ends in a known layer with batch normalisation"
        )
    cut = np.quantile(np.concatenate(list(ranked.values())), fraction)
    kept = {}
    for key, values in ranked.items():
        count = -(-int(np.sum(values > cut)) // multiple) * multiple
        count = min(max(count, multiple), len(values))
        kept[key] = np.sort(np.argsort(-values, kind="stable")[:count])
    return kept


def narrowed(network: Any, keep: dict[int, np.ndarray], found: dict[str, Space]) -> Any:
    """A new network with only the channels of `keep`, its weights cut from `network`'s."""

    def kept(name: str) -> np.ndarray:
        space = found[name]
        return keep.get(id(space), np.arange(space.width))

    def rebuilt(layer: Any) -> Any:
        settings = layer.get_config()
        for key in ("filters", "units"):
            if key in settings and isinstance(layer, MAKES) and not isinstance(layer, L.DepthwiseConv2D):
                settings[key] = len(kept(layer.name))
        return layer.__class__.from_config(settings)

    small = keras.models.clone_model(network, clone_function=rebuilt)
    for layer in network.layers:
        if layer.weights:
            source = tf.nest.flatten(layer.input)[0].node.layer.name
            touched = {id(found[source]), id(found[layer.name])} & keep.keys()
            cut = [
                _cut(weight, kept(source), kept(layer.name), layer) if touched else weight
                for weight in layer.get_weights()
            ]
            small.get_layer(layer.name).set_weights(cut)
    return small


def _cut(weight: np.ndarray, into: np.ndarray, out: np.ndarray, layer: Any) -> np.ndarray:
    """`weight` with the channels that stay: vectors by their output, depthwise kernels (h, w, c, 1) by c, others by both."""
    if weight.ndim == 1:
        return np.take(weight, out)
    if isinstance(layer, L.DepthwiseConv2D):
        return np.take(weight, into, axis=2)
    if isinstance(layer, MAKES):
        return np.take(np.take(weight, into, axis=-2), out, axis=-1)
    return weight
