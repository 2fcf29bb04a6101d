"""A SavedModel's own graph as one Keras layer: it predicts, teaches and converts where its layers cannot be rebuilt."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorflow import keras
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from frameworks import FrameworkError

# A graph is a program: one that computes scores opens no file but its own weights, and calls no Python.
FORBIDDEN = ("PyFunc", "File", "Dataset", "Record", "Rpc", "Summary")
ITS_OWN = ("ShardedFilename",)  # of the part that restores weights
SERVING = "serving_default"
LEAST = 1e-9  # a probability's logarithm must be finite


class GraphError(FrameworkError):
    """A SavedModel holds what is not run, or nothing that can be called."""


@keras.saving.register_keras_serializable(package="pianissimo")
class Logarithm(keras.layers.Layer):  # type: ignore[misc]
    """Logits of a network that answers in probabilities: softmax of a logarithm of probabilities is the probabilities."""

    def call(self, probabilities: Any) -> Any:
        """Keras calls this with (n, classes)."""
        return tf.math.log(tf.maximum(probabilities, LEAST))


class GraphLayer(keras.layers.Layer):  # type: ignore[misc]
    """The signature of the SavedModel in `folder`. Raises GraphError where it has none of one input and one output."""

    def __init__(self, folder: Path) -> None:
        super().__init__(name="graph")
        refuse_unsafe(folder)
        self.folder = folder
        self.loaded = tf.saved_model.load(str(folder))
        self.function = _signature(folder, self.loaded.signatures)
        (self.input_name, self.spec), *_ = self.function.structured_input_signature[1].items()
        self._non_trainable_weights += list(self.function.variables)

    def call(self, features: Any) -> Any:
        """Keras calls this with one batch of features."""
        (answer,) = self.function(**{self.input_name: features}).values()
        return answer

    def macs(self) -> int:
        """Multiply-accumulates of one example, read off the graph; what stands in a loop counts once."""
        example = tf.TensorSpec((1, *self.spec.shape[1:]), tf.float32)
        frozen = convert_variables_to_constants_v2(tf.function(self.call).get_concrete_function(example))
        return sum(_macs(operation) for operation in frozen.graph.get_operations())


def refuse_unsafe(folder: Path) -> None:
    """Raises GraphError that names operations which read or write files, or call Python."""
    try:
        stored = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    except DecodeError as error:
        raise GraphError(f"{folder}: its saved_model.pb is not whole") from error
    graphs = [meta.graph_def for meta in stored.meta_graphs]
    nodes = [node for graph in graphs for node in graph.node]
    nodes += [node for graph in graphs for function in graph.library.function for node in function.node_def]
    found = sorted({node.op for node in nodes if any(word in node.op for word in FORBIDDEN)} - set(ITS_OWN))
    if found:
        raise GraphError(f"{folder}: its graph holds {', '.join(found)}, which are not run: export the network alone")


def wrap(
    layer: GraphLayer,
    heard: tuple[int | None, ...] | None = None,
    takes: tuple[int, ...] | None = None,
    *,
    probabilities: bool = False,
) -> Any:
    """The graph as a network over `heard`, reshaped to `takes`, whose answers become logits if they are probabilities."""
    inputs = x = keras.Input(heard or tuple(layer.spec.shape[1:]), name="heard")
    if takes is not None and tuple(takes) != tuple(x.shape[1:]):
        x = keras.layers.Reshape(takes, name="reshaped")(x)
    x = layer(x)
    return keras.Model(inputs, Logarithm(name="logits")(x) if probabilities else x)


def around(network: Any) -> dict[str, Any]:
    """What `wrap` was told when it made `network`."""
    probabilities = any(isinstance(layer, Logarithm) for layer in network.layers)
    return {"heard": network.input_shape[1:], "takes": of(network).input_shape[1:], "probabilities": probabilities}


def of(network: Any) -> Any:
    """The graph that `network` only wraps; None for a network of layers."""
    return next((layer for layer in network.layers if isinstance(layer, GraphLayer)), None)


def _signature(folder: Path, signatures: Any) -> Any:
    names = sorted(signatures)
    chosen = SERVING if SERVING in names else names[0] if len(names) == 1 else None
    if chosen is None:
        raise GraphError(f"{folder}: its signatures are {', '.join(names) or 'none'}; one named {SERVING} is called")
    function = signatures[chosen]
    takes, gives = function.structured_input_signature[1], function.structured_outputs
    if len(takes) != 1 or len(gives) != 1:
        raise GraphError(
            f"{folder}: {chosen} takes {', '.join(takes)} and gives {', '.join(gives)}; one of each is what is called"
        )
    (spec,) = takes.values()
    if spec.dtype != tf.float32 or spec.shape.rank is None or spec.shape[0] is not None:
        raise GraphError(
            f"{folder}: {chosen} takes {spec.dtype.name} {spec.shape}; allowed: float32, any number at a time"
        )
    return function


def _macs(operation: Any) -> int:
    """A kernel's weights times the places it is applied at; matrix products have their kernel second, too."""
    if operation.type not in {"Conv2D", "DepthwiseConv2dNative", "MatMul"}:
        return 0
    kernel, places = operation.inputs[1].shape, operation.outputs[0].shape[1:-1]
    return int(np.prod(kernel.as_list())) * int(np.prod(places.as_list(), dtype=int))
