"""Phones as they are said, by CTC: a small wav2vec 2.0 (Baevski et al. 2020) and a QuartzNet (Kriman et al. 2020) for it.

The teacher hears the wave: a strided encoder makes 50 frames a second of it, a Transformer with convolutional positions sets
them in context, a linear head answers phones and blank. wav2vec 2.0 learns its encoder from thousands of hours; minutes are
too few for that, so the encoder begins as a filter bank and learns on from there, as LEAF does (Zeghidour et al. 2021).
The student is convolutions alone, over log-mel frames. Both answer the same number of frames: a window of 400 samples,
every 320. No answer depends on how a clip is padded in its batch.
"""

from collections.abc import Callable, Sequence
from math import log10
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # torch takes seconds to import: only stages that train pay
    from torch import Tensor
    from torch.nn import Module

FRAMEWORK = "torch"
TASK = "transcribe"
METRIC = "phoneme_error_rate"

Shape = tuple[int | None, ...]
RATE = 16_000  # Hz, of the wave that the teacher hears
LOWEST, HIGHEST = 60.0, 7_600.0  # Hz, the range of the filter bank
WINDOW, STEP = 240, 40  # samples of a filter, and between two of its energies
POOLED, POOL_STEP = 5, 4  # energies in a frame: 240 + 4 x 40 = 400 samples, every 160
FLOOR = 1e-5  # added to energies of a wave of unit variance before the log


def teacher(
    shape: Shape,
    classes: int,
    *,
    filters: int = 64,
    kernels: Sequence[int] = (9, 9, 9, 9),
    channels: int = 224,
    width: int = 192,
    layers: int = 2,
    heads: int = 4,
    positions: int = 31,
    dropout: float = 0.1,
    mask_frames: int = 12,
    mask_bands: int = 12,
    shift_bands: int = 3,
) -> "Module":
    """wav2vec 2.0 in small, for (samples,) at 16 kHz, or for (frames, bands), which then stand for the filter bank's.

    The encoder: `filters` energies, then a separable block of `channels` a kernel. The context: `layers` of `width`, and
    `positions` frames of convolution for where they stand. While training, bands and frames of the filter bank are masked,
    as wav2vec 2.0 is fine-tuned, and moved along the frequency axis, as other throats move them.
    """
    from torch import nn

    bands = filters if len(shape) == 1 else _bands(shape)
    return _module(
        _in_context,
        energies=_filter_bank(filters) if len(shape) == 1 else nn.Identity(),
        scale=nn.BatchNorm2d(bands),
        disguise=_module(_disguised, mask_frames=mask_frames, mask_bands=mask_bands, shift_bands=shift_bands),
        encoder=_encoder(bands, channels, kernels),
        project=nn.Linear(channels, width),
        positions=nn.Conv2d(width, width, (positions, 1), padding=(positions // 2, 0), groups=width),
        activation=nn.GELU(),
        layers=nn.ModuleList(_module(_attended, **_attention(width, heads)) for _ in range(layers)),
        norm=nn.LayerNorm(width),
        dropout=nn.Dropout(dropout),
        head=nn.Linear(width, classes + 1),
    )


def student(
    shape: Shape, classes: int, *, width: int = 160, kernels: Sequence[int] = (9,) * 8, dropout: float = 0.1
) -> "Module":
    """Separable convolutions with shortcuts over (frames, bands), half as many frames out as in, one block a kernel.

    Time is the height of a picture one pixel wide: as `Conv2d` torch trains it in channels-last and ONNX Runtime computes it
    in float 1.5 times as fast as `Conv1d` (0.38 and 0.57 ms for 1.5 s of 128 channels); in int8 both take 0.15 ms.
    """
    from torch import nn

    encoder = _encoder(_bands(shape), width, kernels)
    return _module(_transcribed, encoder=encoder, dropout=nn.Dropout(dropout), head=nn.Conv2d(width, classes + 1, 1))


def _module(forward: Callable[..., Any], **parts: Any) -> "Module":
    """A module that owns `parts` and answers as `forward(module, …)` does. A class statement would need torch on import."""
    from torch import nn

    kind = type(forward.__name__.strip("_").title().replace("_", ""), (nn.Module,), {"forward": forward})
    module: Module = kind()
    for name, part in parts.items():
        setattr(module, name, part)
    return module


def _bands(shape: Shape) -> int:
    if len(shape) != 2 or shape[1] is None:
        raise ValueError(f"features of shape {shape}; allowed: (frames, bands)")
    return shape[1]


def _encoder(bands: int, channels: int, kernels: Sequence[int]) -> "Module":
    """(n, bands, frames, 1) to (n, channels, frames / 2, 1)."""
    from torch import nn

    if any(kernel % 2 == 0 for kernel in kernels):
        raise ValueError(f"kernels {list(kernels)}; allowed: odd numbers, so that a frame stays where it is")
    blocks = [_module(_separable, **_layers(channels, kernel)) for kernel in kernels]
    stem = nn.Sequential(
        nn.Conv2d(bands, channels, (5, 1), (2, 1), (2, 0), bias=False), nn.BatchNorm2d(channels), nn.ReLU()
    )
    return _module(_encoded, stem=stem, blocks=nn.ModuleList(blocks))


def _layers(channels: int, kernel: int) -> dict[str, "Module"]:
    from torch import nn

    depthwise = nn.Conv2d(channels, channels, (kernel, 1), padding=(kernel // 2, 0), groups=channels, bias=False)
    pointwise = nn.Conv2d(channels, channels, 1, bias=False)
    return {
        "depthwise": nn.Sequential(depthwise, nn.BatchNorm2d(channels)),
        "pointwise": nn.Sequential(pointwise, nn.BatchNorm2d(channels)),
        "activation": nn.ReLU(),
    }


def _attention(width: int, heads: int) -> dict[str, Any]:
    from torch import nn

    if width % heads:
        raise ValueError(f"width {width}, heads {heads}; allowed: heads that divide width")
    return {
        "heads": heads,
        "mixed": nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 3 * width)),
        "answer": nn.Linear(width, width),
        "further": nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        ),
    }


def _filter_bank(filters: int) -> "Module":
    """Quadrature pairs of Hann-windowed sinusoids, evenly on the mel scale, each as narrow as its neighbours are near."""
    import torch
    from torch import nn

    pairs = nn.Conv1d(1, 2 * filters, WINDOW, STEP, bias=False)
    pool = nn.Conv1d(filters, filters, POOLED, POOL_STEP, groups=filters, bias=False)
    mels = torch.linspace(_mel(LOWEST), _mel(HIGHEST), filters + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    place = torch.arange(WINDOW) - (WINDOW - 1) / 2
    # A Hann window of L samples is 2 RATE / L wide where it has lost 6 dB.
    longest = (4 * RATE / (edges[2:] - edges[:-2])).clamp(WINDOW / 5, WINDOW)[:, None]
    window = torch.where(place.abs() < longest / 2, 0.5 + 0.5 * torch.cos(2 * torch.pi * place / longest), 0)
    turns = 2 * torch.pi * edges[1:-1, None] * place / RATE
    hann = torch.hann_window(POOLED + 2, periodic=False)[1:-1]
    # The pool makes a sinusoid's energy the same in every band. Windows themselves are one at their middle: Adam moves every
    # weight by about the learning rate, and were they that small, the bank would be gone in ten steps.
    scale = 1 / (window.sum(dim=1, keepdim=True) ** 2 * hann.sum())
    with torch.no_grad():
        pairs.weight.copy_(torch.cat([window * turns.cos(), window * turns.sin()])[:, None])
        pool.weight.copy_((scale * hann)[:, None])
    pool.requires_grad_(False)  # a learned mean could turn negative, which has no log
    return _module(_log_energies, pairs=pairs, pool=pool)


def _mel(hertz: float) -> float:
    """O'Shaughnessy's scale."""
    return 2595 * log10(1 + hertz / 700)


def _log_energies(self: Any, waves: "Tensor") -> "Tensor":
    """(n, samples) to (n, frames, filters): squared modulus of each pair, its mean over a frame, the log."""
    real, imaginary = self.pairs(waves.unsqueeze(1)).chunk(2, dim=1)
    return (self.pool(real.square() + imaginary.square()) + FLOOR).log().transpose(1, 2)  # type: ignore[no-any-return]


def _in_context(self: Any, features: "Tensor", lengths: "Tensor") -> tuple["Tensor", "Tensor"]:
    """The teacher: (n, samples) or (n, frames, bands) to logits (n, frames, classes + 1), and frames that are no padding."""
    if features.ndim == 2:
        lengths = _whole(_whole(lengths, WINDOW, STEP), POOLED, POOL_STEP)
    x = self.scale(_picture(self.energies(features)))
    x, inside, lengths = self.encoder(self.disguise(x) if self.training else x, lengths)
    x = _silent_outside(self.dropout(self.project(x[..., 0].transpose(1, 2))), inside)
    x = x + self.activation(self.positions(_picture(x))[..., 0].transpose(1, 2))
    for layer in self.layers:
        x = layer(x, inside)
    return self.head(self.norm(x)), lengths


def _transcribed(self: Any, features: "Tensor", lengths: "Tensor") -> tuple["Tensor", "Tensor"]:
    """The student: (n, frames, bands) to logits (n, frames / 2, classes + 1), and frames that are no padding."""
    x, _, lengths = self.encoder(_picture(features), lengths)
    return self.head(self.dropout(x))[..., 0].transpose(1, 2), lengths


def _encoded(self: Any, x: "Tensor", lengths: "Tensor") -> tuple["Tensor", "Tensor | None", "Tensor"]:
    """(n, bands, frames, 1) to half as many frames of channels, which of them are no padding, and how many."""
    x = self.stem(_silent_outside(x, _inside(lengths, x.shape[2])))
    lengths = (lengths + 1) // 2
    inside = _inside(lengths, x.shape[2])
    for block in self.blocks:
        x = block(x, inside)
    return x, inside, lengths


def _separable(self: Any, x: "Tensor", inside: "Tensor | None") -> "Tensor":
    """A shortcut beside a convolution over time within channels, then one over channels within a frame."""
    mixed = self.pointwise(self.depthwise(_silent_outside(x, inside)))
    return self.activation(x + mixed)  # type: ignore[no-any-return]


def _attended(self: Any, x: "Tensor", inside: "Tensor | None") -> "Tensor":
    """A Transformer layer over (n, frames, width), normalised before each part, so that it needs no long warm-up (Xiong et
    al. 2020). Written out, as torch's own has a fast path that ONNX does not know."""
    count, frames, width = x.shape
    parts = self.mixed(x).view(count, frames, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
    asked, offered, held = parts.unbind(0)
    fitting = asked @ offered.transpose(2, 3) / (width // self.heads) ** 0.5
    if inside is not None:
        fitting = fitting.masked_fill(~inside[:, None, None, :], -1e9)
    x = x + self.answer((fitting.softmax(dim=-1) @ held).transpose(1, 2).reshape(count, frames, width))
    return x + self.further(x)  # type: ignore[no-any-return]


def _disguised(self: Any, x: "Tensor") -> "Tensor":
    """Band energies (n, bands, frames, 1) moved along the frequency axis, one run of bands and one of frames silenced."""
    import torch

    count, bands, frames, _ = x.shape
    offset = torch.randint(-self.shift_bands, self.shift_bands + 1, (count, 1))
    place = (torch.arange(bands)[None, :] + offset).clamp(0, bands - 1)
    x = x.gather(1, place[:, :, None, None].expand(-1, -1, frames, -1))
    x = x * _hole(count, bands, self.mask_bands)[:, :, None, None]
    return x * _hole(count, frames, self.mask_frames)[:, None, :, None]


def _hole(count: int, size: int, longest: int) -> "Tensor":
    """(count, size) of ones with one run of zeros, up to `longest`; zero is the mean of what is normalised."""
    import torch

    length, start = torch.randint(0, longest + 1, (count, 1)), torch.randint(0, size, (count, 1))
    place = torch.arange(size)[None, :]
    return ((place < start) | (place >= start + length)).float()


def _picture(features: "Tensor") -> "Tensor":
    """(n, frames, bands) as (n, bands, frames, 1), which is channels-last as it lies in memory."""
    return features.unsqueeze(2).permute(0, 3, 1, 2)


def _whole(samples: "Tensor", window: int, step: int) -> "Tensor":
    """How many windows fit."""
    return (samples - window) // step + 1


def _inside(lengths: "Tensor", frames: int) -> "Tensor | None":
    """(n, frames), true where a frame is no padding; None where nothing is, so that what ships has no masks to compute."""
    import torch

    return None if int(lengths.min()) >= frames else torch.arange(frames)[None, :] < lengths[:, None]


def _silent_outside(x: "Tensor", inside: "Tensor | None") -> "Tensor":
    """Zeros where (n, channels, frames, 1) or (n, frames, channels) is padding: what a clip alone has beyond its end."""
    if inside is None:
        return x
    return x * (inside[:, None, :, None] if x.ndim == 4 else inside[:, :, None])
