"""What a network weighs and costs: parameters as they ship, and multiply-accumulates counted by torch itself."""

import contextlib
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

import torch
from torch.nn import Module
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.flop_counter import FlopCounterMode

from frameworks import Size
from frameworks.torch import objectives
from frameworks.torch.build import example_shape


def size(network: Any) -> Size:
    """Parameters with batch normalisation folded into its convolution; multiply-accumulates of one example, of typical length
    where lengths differ."""
    parameters = _parameters(network)
    values = [value.contiguous() for value in network.state_dict().values() if value.is_floating_point()]
    content = b"".join(value.numpy().tobytes() for value in values)
    return Size(parameters, macs(network), 4 * parameters, len(zlib.compress(content, 9)))


def macs(network: Any) -> int:
    """Multiply-accumulates of matrix products and convolutions, wherever in the network they are written."""
    shape, counter = example_shape(network.spec), FlopCounterMode(display=False)
    network.eval()
    with _unfused(), torch.no_grad(), counter:
        objectives.of(network).call(network, torch.zeros(1, *shape), torch.full((1,), shape[0]))
    return int(counter.get_total_flops()) // 2


@contextlib.contextmanager
def _unfused() -> Iterator[None]:
    """Fused kernels (attention, oneDNN's recurrent layers) hide their products from the counter; inside there are none."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="TF32 acceleration")  # said whenever oneDNN is told anything
            with torch.backends.mkldnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH):
                yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _parameters(network: Module) -> int:
    """Folding a batch normalisation leaves one bias a channel."""
    folded = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    own = {id(weight) for module in folded for weight in module.parameters(recurse=False)}
    rest = sum(weight.numel() for weight in network.parameters() if id(weight) not in own)
    return rest + sum(module.num_features for module in folded)
