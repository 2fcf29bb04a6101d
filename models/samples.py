"""One-shot music samples from a log-mel picture: a residual network (He et al. 2016), and separable convolutions for it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # torch takes seconds to import: only stages that train pay
    from torch import Tensor
    from torch.nn import Conv2d, Module, Sequential

FRAMEWORK = "torch"
TASK = "classify"
METRIC = "accuracy"

Shape = tuple[int | None, ...]


def teacher(
    shape: Shape, classes: int, *, width: int = 32, blocks: Sequence[int] = (1, 1, 1), dropout: float = 0.2
) -> "Module":
    """Residual stages over a picture (frames, bands), each twice as wide and half as large as the one before."""
    from torch import nn

    layers: list[Module] = [_picture(shape, 1), _normalised(nn.Conv2d(1, width, 7, 4, 3, bias=False))]
    channels = width
    for stage, count in enumerate(blocks):
        for number in range(count):
            stride = 2 if stage and not number else 1
            layers.append(_residual(channels, width * 2**stage, stride))
            channels = width * 2**stage
    return _answering(layers, channels, classes, dropout)


def student(
    shape: Shape,
    classes: int,
    *,
    widths: Sequence[int] = (48, 64, 64, 96, 96),
    strides: Sequence[int] = (1, 2, 1, 2, 1),
    stem: int = 32,
    group: int = 4,
    dropout: float = 0.1,
) -> "Module":
    """Depthwise-separable blocks (Howard et al. 2017), one a width and stride, on a picture a sixteenth as large: large maps
    are where the time goes. The stem sees `group` neighbouring bands as channels, which moves no memory; over one channel
    int8 took twice as long (ONNX Runtime, AVX-512)."""
    from torch import nn

    if len(widths) != len(strides):
        raise ValueError(f"{len(widths)} widths and {len(strides)} strides; allowed: one of each a block")
    channels = stem
    layers: list[Module] = [
        _picture(shape, group),
        _normalised(nn.Conv2d(group, channels, (6, 3), (4, 1), 1, bias=False)),
    ]
    for width, stride in zip(widths, strides, strict=True):
        layers += [
            _normalised(nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)),
            _normalised(nn.Conv2d(channels, width, 1, bias=False)),
        ]
        channels = width
    return _answering(layers, channels, classes, dropout)


def _picture(shape: Shape, group: int) -> "Module":
    """(n, frames, bands) to maps (n, group, frames, bands / group)."""
    from torch import nn

    if len(shape) != 2 or not all(shape):
        raise ValueError("a picture has a fixed number of frames and of bands")
    frames, bands = (int(size or 0) for size in shape)
    if bands % group:
        raise ValueError(f"group {group} does not divide the front end's {bands} bands")

    class Picture(nn.Module):
        """Neighbouring bands as channels."""

        def forward(self, features: "Tensor") -> "Tensor":
            """(n, frames, bands) to (n, group, frames, bands / group)."""
            return features.reshape(-1, frames, bands // group, group).permute(0, 3, 1, 2)

    return Picture()


def _answering(layers: "list[Module]", channels: int, classes: int, dropout: float) -> "Module":
    """The layers, the mean over the picture, and logits (n, classes)."""
    from torch import nn

    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels, classes)
    )


def _normalised(convolution: "Conv2d") -> "Sequential":
    from torch import nn

    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU())


def _residual(into: int, out: int, stride: int) -> "Module":
    from torch import nn

    class Residual(nn.Module):
        """Two convolutions beside a shortcut."""

        def __init__(self) -> None:
            super().__init__()
            self.first = _normalised(nn.Conv2d(into, out, 3, stride, 1, bias=False))
            self.second = nn.Sequential(nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out))
            whole = into == out and stride == 1
            self.shortcut = (
                nn.Identity()
                if whole
                else nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))
            )
            self.relu = nn.ReLU()

        def forward(self, maps: "Tensor") -> "Tensor":
            """(n, into, h, w) to (n, out, h / stride, w / stride)."""
            answer: Tensor = self.relu(self.second(self.first(maps)) + self.shortcut(maps))
            return answer

    return Residual()
