"""Brings a trained network in: a Keras file or a SavedModel, as layers where they can be rebuilt, else as one graph."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tensorflow import keras

from frameworks import FrameworkError
from frameworks.examples import Examples
from frameworks.keras import configs, graph
from frameworks.keras.answers import checked, fixed

ALLOWED = "a Keras file (.h5, .hdf5, .keras) or a SavedModel folder"
LOOKED_AT = 64  # examples by which probabilities are told from logits, and layers from the graph they came with
SAME = 1e-4  # how far rebuilt layers may stray from their graph


class BringError(FrameworkError):
    """`train.import` names what cannot be brought in."""


def bring(name: str, examples: Examples) -> tuple[Any, dict[str, Any]]:
    """The network at `name`, ending in logits and taking the examples' features, and what was found out about it.

    Raises FrameworkError for what is not there, not readable, not safe to load, or does not fit: both sides are named.
    """
    place = Path(name)
    features = fixed(examples.train.features, "train.import")[:LOOKED_AT]
    found, facts = _reader(place)(place)
    network = _one_in_one_out(place, found)
    network, changes = _fitted(place, network, features.shape[1:])
    network, ends = _to_logits(network, features)
    checked(network, examples, str(place))
    facts |= {"imported": name, **changes, "ends_in": ends, "labels": list(examples.labels)}
    return network, facts


def _reader(place: Path) -> Callable[[Path], tuple[Any, dict[str, Any]]]:
    if (place / "saved_model.pb").is_file():
        return _saved_model
    if not place.is_file():
        raise BringError(f"train.import: {place} is not there, or holds no saved_model.pb; allowed: {ALLOWED}")
    if place.suffix not in READERS:
        raise BringError(f"train.import: {place} ends in {place.suffix or 'nothing'}; allowed: {ALLOWED}")
    return READERS[place.suffix]


def _hdf5(file: Path) -> tuple[Any, dict[str, Any]]:
    configs.of_hdf5(file)  # refuses what is not safe, before Keras reads a word of it
    return keras.models.load_model(file, compile=False), {"form": "hdf5"}


def _zip(file: Path) -> tuple[Any, dict[str, Any]]:
    configs.of_zip(file)
    return keras.models.load_model(file, compile=False, safe_mode=True), {"form": "keras"}


def _saved_model(folder: Path) -> tuple[Any, dict[str, Any]]:
    graph.refuse_unsafe(folder)
    try:
        config = configs.of_saved_model(folder)
    except configs.LayersError as why:  # no fault: a graph says all that predicting, teaching and converting need
        return _wrapped(folder, str(why))
    kind = keras.Sequential if config["class_name"] == "Sequential" else keras.Model
    network = kind.from_config(config["config"])
    network.load_weights(str(folder)).expect_partial()
    whole, _ = _wrapped(folder, "")
    apart = _apart(network, whole)
    if apart > SAME:
        return _wrapped(folder, f"{folder}: rebuilt layers answer up to {apart:.2g} from its graph")
    return network, {"form": "saved_model", "rebuilt": True}


def _wrapped(folder: Path, why: str) -> tuple[Any, dict[str, Any]]:
    return graph.wrap(graph.GraphLayer(folder)), {"form": "saved_model", "rebuilt": False, "why": why}


def _apart(network: Any, whole: Any) -> float:
    """Largest difference of two networks' answers to noise, any free axis being 16 long."""
    shape = [size or 16 for size in network.input_shape[1:]]
    noise = np.random.default_rng(0).normal(size=(4, *shape)).astype(np.float32)
    return float(np.abs(network(noise, training=False) - whole(noise, training=False)).max())


def _one_in_one_out(place: Path, network: Any) -> Any:
    """A functional network. What Keras calls Sequential becomes one, since tfmot loses weights of the other."""
    if len(network.inputs or ()) != 1 or len(network.outputs or ()) != 1:
        raise BringError(
            f"{place}: {len(network.inputs or ())} inputs and {len(network.outputs or ())} outputs; one of each is allowed"
        )
    return keras.Model(network.inputs[0], network.outputs[0])


def _fitted(place: Path, network: Any, heard: tuple[int, ...]) -> tuple[Any, dict[str, Any]]:
    """The network with its input fixed to what is heard; axes of one may be missing on either side."""
    takes = tuple(network.input_shape[1:])
    if takes == heard:
        return network, {}
    inner, outer = ([size for size in shape if size != 1] for shape in (takes, heard))
    if len(inner) != len(outer) or any(a not in {None, b} for a, b in zip(inner, outer, strict=True)):
        raise BringError(f"{place} takes features of shape {takes}; the front end gives {heard}")
    sizes = iter(outer)
    target = tuple(1 if size == 1 else next(sizes) for size in takes)
    facts = {"takes": [size or "any" for size in takes]}
    layer = graph.of(network)
    if layer is not None:
        return graph.wrap(layer, heard, target), facts
    made = keras.Model.from_config(configs.fitted(network.get_config(), heard, target))
    made.set_weights(network.get_weights())
    return made, facts


def _to_logits(network: Any, features: np.ndarray) -> tuple[Any, str]:
    """The network without softmax at its end, and what it ended in."""
    if graph.of(network) is None:
        config, cut = configs.to_logits(network.get_config())
        if cut:
            made = keras.Model.from_config(config)
            made.set_weights(network.get_weights())
            return made, "softmax"
    answers = np.asarray(network(features, training=False))
    if answers.min() < 0 or np.abs(answers.sum(axis=-1) - 1).max() > 1e-3:
        return network, "logits"
    return keras.Model(network.input, graph.Logarithm(name="logits")(network.output)), "probabilities"


READERS = {".h5": _hdf5, ".hdf5": _hdf5, ".keras": _zip}
