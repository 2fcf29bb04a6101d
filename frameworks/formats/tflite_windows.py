"""What each place of a TFLite convolution sees, as rows: with them a convolution is a product of matrices."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.lib.stride_tricks import sliding_window_view

Pair = tuple[int, int]


def windows(options: Any, kernel: Pair, pictures: np.ndarray, most: int) -> np.ndarray:
    """(rows, height, width, channels) of `pictures` (n, height, width, channels): the windows of `kernel` at the convolution's
    places, evenly spread ones of every picture where there are more than `most` in all."""
    stride = (options.StrideH(), options.StrideW())
    dilation = (options.DilationHFactor(), options.DilationWFactor())
    spans = tuple((size - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True))
    if options.Padding() == schema.Padding.SAME:
        margins = [_margin(*sizes) for sizes in zip(pictures.shape[1:3], spans, stride, strict=True)]
        pictures = np.pad(pictures, ((0, 0), *margins, (0, 0)))
    seen = sliding_window_view(pictures, spans, axis=(1, 2))
    seen = seen[:, :: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]
    places = seen.shape[1] * seen.shape[2]
    chosen = np.linspace(0, places - 1, min(places, max(1, most // len(seen)))).astype(int)
    rows = seen[:, chosen // seen.shape[2], chosen % seen.shape[2]]
    return np.moveaxis(rows, 2, -1).reshape(-1, *kernel, pictures.shape[-1])


def _margin(size: int, span: int, stride: int) -> Pair:
    """Zeros before and after, as TensorFlow's SAME has them."""
    missing = max((-(-size // stride) - 1) * stride + span - size, 0)
    return missing // 2, missing - missing // 2
