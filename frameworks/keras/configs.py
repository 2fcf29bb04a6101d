"""The description of layers that Keras files carry: read without running anything, checked, and fitted to what is heard."""

import copy
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
from tensorflow import keras
from tf_keras.protobuf import saved_metadata_pb2

from frameworks import FrameworkError

NETWORKS = {"Functional", "Model", "Sequential"}
PLAIN = {"TensorShape", "DTypePolicy", "Policy", "__tuple__"}
OWN = {"pianissimo>Logarithm"}  # layers that are registered here
KNOWN = {
    name
    for place in (keras.layers, keras.initializers, keras.regularizers, keras.constraints)
    for name in dir(place)
    if isinstance(getattr(place, name), type)
} - {"Lambda"}
ENDS = ("softmax", "Softmax")


class LayersError(FrameworkError):
    """A file's layers are not of Keras's own, or were written by a Keras whose files this one does not read."""


def of_hdf5(file: Path) -> dict[str, Any]:
    """The network's description in an HDF5 file."""
    if not h5py.is_hdf5(file):
        raise LayersError(f"{file}: not an HDF5 file, or not a whole one")
    with h5py.File(file) as opened:
        if "model_config" not in opened.attrs:
            raise LayersError(f"{file}: holds weights without layers; save the whole network: network.save(file)")
        version, text = opened.attrs.get("keras_version", "2"), opened.attrs["model_config"]
    return _checked(file, str(version), json.loads(text, object_hook=_tuples))


def of_zip(file: Path) -> dict[str, Any]:
    """The network's description in a `.keras` file."""
    if not zipfile.is_zipfile(file):
        raise LayersError(f"{file}: not a Keras file, or not a whole one")
    with zipfile.ZipFile(file) as opened:
        lacking = {"config.json", "metadata.json"} - set(opened.namelist())
        if lacking:
            raise LayersError(f"{file}: no {', '.join(sorted(lacking))} in it; that is no Keras file")
        version = str(json.loads(opened.read("metadata.json"))["keras_version"])
        return _checked(file, version, json.loads(opened.read("config.json"), object_hook=_tuples))


def of_saved_model(folder: Path) -> dict[str, Any]:
    """The network's description beside a SavedModel's graph. Raises LayersError where there is none that can be rebuilt."""
    file = folder / "keras_metadata.pb"
    if not file.is_file():
        raise LayersError(f"{folder}: a graph without a description of layers")
    nodes = saved_metadata_pb2.SavedMetadata.FromString(file.read_bytes()).nodes
    root = next(node for node in nodes if node.node_path == "root")
    described = json.loads(root.metadata, object_hook=_tuples)
    if described.get("class_name") not in NETWORKS or "config" not in described:
        raise LayersError(f"{folder}: its network is a class of its author's, {described.get('class_name')}")
    return _checked(folder, "2", {name: described[name] for name in ("class_name", "config")})


def fitted(config: dict[str, Any], heard: tuple[int, ...], takes: tuple[int, ...]) -> dict[str, Any]:
    """A functional network's config with its input fixed to `heard`, and reshaped to `takes` where that is another shape."""
    config = copy.deepcopy(config)
    first = next(layer for layer in config["layers"] if layer["name"] == config["input_layers"][0][0])
    first["config"]["batch_input_shape"] = (None, *heard)
    if takes != heard:
        name = first["name"]
        first["name"] = first["config"]["name"] = config["input_layers"][0][0] = f"{name}_heard"
        reshape = {
            "class_name": "Reshape",
            "config": {"name": name, "target_shape": takes},  # under the input's name, so that what follows finds it
            "name": name,
            "inbound_nodes": [[[first["name"], 0, 0, {}]]],
        }
        config["layers"].insert(config["layers"].index(first) + 1, reshape)
    return config


def to_logits(config: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """A functional network's config without the softmax at its end, and whether there was one."""
    config = copy.deepcopy(config)
    last = next(layer for layer in config["layers"] if layer["name"] == config["output_layers"][0][0])
    if last["class_name"] == "Softmax":
        last |= {"class_name": "Activation", "config": {"name": last["name"], "activation": "linear"}}
        return config, True
    if last["config"].get("activation") not in ENDS:
        return config, False
    last["config"]["activation"] = "linear"
    return config, True


def _checked(place: Path, version: str, config: dict[str, Any]) -> dict[str, Any]:
    if version.split(".", maxsplit=1)[0] not in {"1", "2"}:
        raise LayersError(
            f"{place}: written by Keras {version}; allowed: files of Keras 2 (tf-keras), or what network.export(folder) writes"
        )
    strange = sorted(_strange(config))
    if strange:
        raise LayersError(
            f"{place}: holds {', '.join(strange)}, for which a file would have to bring code, and code in a file is not run; "
            "allowed: Keras's own layers, or a SavedModel, which carries its graph"
        )
    return config


def _strange(part: Any) -> set[str]:
    """Whatever in a description is not a plain value or one of Keras's own classes, by name."""
    if isinstance(part, (list, tuple)):
        return set().union(*map(_strange, part)) if part else set()
    if not isinstance(part, dict):
        return set()
    found = set().union(*map(_strange, part.values())) if part else set()
    name, module = str(part.get("class_name", "")), str(part.get("module") or "keras")
    own = str(part.get("registered_name") or name) in OWN
    known = name in KNOWN | NETWORKS | PLAIN and module.split(".", maxsplit=1)[0] in {"keras", "tf_keras"}
    if name and not own and not known:
        found.add(name)
    return found | ({"a Python function"} if "function_type" in part else set())


def _tuples(part: dict[str, Any]) -> Any:
    """SavedModels write (1, 2) as {"class_name": "__tuple__", "items": [1, 2]}."""
    return tuple(part["items"]) if part.get("class_name") == "__tuple__" else part
