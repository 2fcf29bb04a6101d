"""Keras networks on disk: one HDF5 file a folder, structure and weights, no pickle.

HDF5, because Keras's newer zip holds the time of day, so that the same weights never make the same bytes, and because it
cannot restore tfmot's quantization-aware layers, which own their variables twice.
"""

import contextlib
import warnings
from pathlib import Path
from typing import Any

import h5py
from tensorflow import keras

FILE = "network.h5"


def save(network: Any, folder: Path) -> None:
    """Writes `network` into `folder`, made when absent."""
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="You are saving your model as an HDF5 file")
        network.save(folder / FILE, include_optimizer=False)


def load(folder: Path) -> Any:
    """The network in `folder`. Raises FileNotFoundError that names the folder."""
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
