"""Quantization-aware training (Jacob et al. 2018) with tfmot: int8's rounding in the forward pass, pruned weights kept zero."""

from typing import Any

from tensorflow import keras

from frameworks.examples import Examples
from frameworks.keras.distill import fit_with_teacher
from frameworks.recipe import Aware

RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional)


def trained(network: Any, examples: Examples, recipe: Aware) -> tuple[Any, list[dict[str, Any]]]:
    """A copy trained with the rounding, and a row an epoch. The float form teaches it, so that it learns to answer alike and
    not something new (temperature 1, no labels)."""
    import tensorflow_model_optimization as tfmot  # two more seconds of import, only when needed

    annotated = tfmot.quantization.keras.quantize_annotate_model(network)
    with tfmot.quantization.keras.quantize_scope():
        copy = tfmot.quantization.keras.quantize_apply(
            annotated, tfmot.experimental.combine.Default8BitPrunePreserveQuantizeScheme()
        )
    curve = fit_with_teacher(copy, network, examples, recipe, name="quantize aware", temperature=1.0, alpha=1.0)
    return copy, curve


def refusal(network: Any) -> str:
    """Why a network cannot be trained so; empty where it can."""
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import default_8bit_quantize_registry

    registry = default_8bit_quantize_registry.Default8BitQuantizeRegistry()
    # Normalisation is folded into its convolution before the registry is asked.
    known = (keras.layers.InputLayer, keras.layers.BatchNormalization)
    layers = [layer for layer in network.layers if not isinstance(layer, known)]
    strange = [
        layer.name for layer in layers if isinstance(layer, (keras.Model, *RECURRENT)) or not registry.supports(layer)
    ]
    return f"tfmot trains no rounding into the layers {', '.join(strange)}" if strange else ""
