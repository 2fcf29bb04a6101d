"""The search for int8 of a network that cannot be trained: ways to calibrate, then float nodes."""

from dataclasses import asdict

from frameworks import Scheme, metrics
from frameworks.examples import Examples
from frameworks.formats import onnx_search
from frameworks.onnx.distill import REASON
from frameworks.onnx.files import Network
from frameworks.onnx.predict import settings
from frameworks.recipe import Quantize


def quantize(network: Network, examples: Examples, recipe: Quantize) -> Scheme:
    """The scheme for int8; there is none for micro, which takes TFLite files."""
    metric = metrics.choose(examples.metric, examples.labels, settings(network))
    with network.as_file() as source:
        found = onnx_search.search(source, examples, metric, recipe)
    chosen = found.chosen
    target = {"method": chosen.method, "network": "network", "float_layers": list(chosen.float_layers)}
    facts = {
        "method": chosen.method,
        "why": found.why,
        "layers": found.layers,
        "attempts": [asdict(attempt) for attempt in found.attempts],
        **({"aware": f"left out: {REASON}"} if recipe.aware else {}),
    }
    return Scheme({"network": network}, {"int8": target}, facts)
