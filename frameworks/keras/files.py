"""Keras networks on disk: one HDF5 file a folder, structure and weights, no pickle; or the SavedModel that came as a graph.

HDF5, because Keras's newer zip holds the time of day, so that the same weights never make the same bytes, and because it
cannot restore tfmot's quantization-aware layers, which own their variables twice.
"""

import contextlib
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import h5py
from tensorflow import keras

from frameworks.keras import graph

FILE = "network.h5"
GRAPH = "graph"  # a SavedModel, copied: writing one anew never gives the same bytes
AROUND = "around.json"  # what stands before and after the graph


def save(network: Any, folder: Path) -> None:
    """Writes `network` into `folder`, made when absent."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = graph.of(network)
    if whole is not None:
        shutil.copytree(whole.folder, folder / GRAPH, dirs_exist_ok=True)
        (folder / AROUND).write_text(json.dumps(graph.around(network)) + "\n", encoding="utf-8")
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="You are saving your model as an HDF5 file")
        network.save(folder / FILE, include_optimizer=False)


def load(folder: Path) -> Any:
    """The network in `folder`. Raises FileNotFoundError that names the folder."""
    if (folder / AROUND).is_file():
        layer, around = graph.GraphLayer(folder / GRAPH), json.loads((folder / AROUND).read_text(encoding="utf-8"))
        return graph.wrap(layer, **around)
    file = folder / FILE
    if not file.is_file():
        raise FileNotFoundError(f"{folder}: no {FILE} here; run the stage before this one")
    with _scope(file):
        return keras.models.load_model(file, compile=False)


def _scope(file: Path) -> contextlib.AbstractContextManager[Any]:
    """tfmot's names for a file that needs them: importing tfmot takes two seconds."""
    with h5py.File(file) as opened:
        aware = "QuantizeLayer" in str(opened.attrs["model_config"])
    if not aware:
        return contextlib.nullcontext()
    import tensorflow_model_optimization as tfmot

    return tfmot.quantization.keras.quantize_scope()  # type: ignore[no-any-return]
