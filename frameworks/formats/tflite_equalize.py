"""Channels of one loudness in a float TFLite file, so that int8's one range a tensor suits them all.

Where ReLU or nothing stands between two layers, a channel may be made louder by the first and softer by the second; answers
stay. (Cross-layer equalization: Nagel et al. 2019, there by the ranges of weights; here by what calibration shows of
activations, since each channel of weights has its own scale.)
"""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from frameworks.formats.tflite_views import Views, options

MOST = 32.0  # a channel that hardly ever speaks is not blown up beyond this
HOMOGENEOUS = (schema.ActivationFunctionType.NONE, schema.ActivationFunctionType.RELU)


def equalize(file: Views, layer: Any, reader: Any, calibration: np.ndarray) -> None:
    """Scales the channels that `layer` writes on `calibration` and `reader` alone reads; both are operators of LAYERS.

    A depthwise reader has a scale for each channel and takes the whole; another has one for all that an output multiplies, so
    that half of the way (the square root) is what costs activations and weights least.
    """
    kind, reads = file.kind(layer), file.kind(reader)
    if options(layer, kind).FusedActivationFunction() not in HOMOGENEOUS:
        return
    values = np.abs(file.held(int(layer.Outputs(0)), calibration))
    loudest = values.reshape(-1, values.shape[-1]).max(axis=0)
    louder = np.minimum(loudest.max() / np.maximum(loudest, 1e-9), MOST)
    louder = np.where(loudest > 0, louder if reads == "DEPTHWISE_CONV_2D" else np.sqrt(louder), 1.0).astype(np.float32)
    weights, bias, following = (
        file.values(int(i), np.float32) for i in (layer.Inputs(1), layer.Inputs(2), reader.Inputs(1))
    )
    if following.shape[-1] % len(louder) or (following.shape[-1] != len(louder) and reads != "DEPTHWISE_CONV_2D"):
        return  # the input was flattened: a column is no channel
    weights *= louder if kind == "DEPTHWISE_CONV_2D" else louder.reshape(-1, *[1] * (weights.ndim - 1))
    bias *= louder
    following /= np.repeat(louder, following.shape[-1] // len(louder))  # a depthwise reader may have several outputs a channel
