"""The steps of a plain-array network: read strictly, shapes and all, and then computed in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import checks
from ..products import product
from .shapes import matches

Float32 = NDArray[np.float32]
Shape = tuple[int | None, ...]  # of one clip, without the batch axis
Held = Mapping[str, Float32]
TYPES = (np.dtype(np.float16), np.dtype(np.float32))
TINY = np.float32(1e-12)  # the least length a vector is divided by
LARGEST_AXIS = 2**31 - 1


@dataclass(frozen=True)
class Op:
    """An operation: the arrays it takes, the shape it makes of a shape (or ValueError), and what it computes."""

    arrays: tuple[str, ...]
    shape: Callable[[Shape, Held], Shape]
    compute: Callable[[Float32, Held], Float32]


class Program:
    """Steps in order; called with features (n, ...) it gives outputs (n, ...)."""

    def __init__(self, shape: Shape, steps: list[tuple[Op, Held]]) -> None:
        self.shape, self._steps = shape, steps

    def __call__(self, features: Float32) -> Float32:
        """Outputs (n, ...), float32; raises ValueError for features of another shape."""
        given = features.shape[1:]
        if not matches(given, self.shape):
            raise ValueError(f"features of shape {given} for an input of shape {self.shape}")
        values = features
        for op, arrays in self._steps:
            values = op.compute(values, arrays)
        return values


def compiled(steps: bytes | str | Sequence[object], arrays: Mapping[str, NDArray[Any]]) -> Program:
    """A program from its JSON (text or parsed) and its arrays; raises ValueError that names the step and the fault."""
    parsed = checks.document(steps, "program") if isinstance(steps, (bytes, str)) else steps
    first, *others = checks.list_of(checks.mapping, least=2)(parsed, "program")
    entries = checks.fields(first, "program[0]", {"op": checks.one_of("input"), "shape": _INPUT}, {})
    held = {name: _array(name, array) for name, array in arrays.items()}
    shape: Shape = entries["shape"]
    made: list[tuple[Op, Held]] = []
    unused = set(held)
    for at, step in enumerate(others, 1):
        op, names = _step(step, f"program[{at}]")
        absent = sorted(set(names.values()) - set(held))
        if absent:
            raise ValueError(f"program[{at}] names {', '.join(absent)}; there are {', '.join(sorted(held)) or 'none'}")
        taken = {role: held[name] for role, name in names.items()}
        try:
            shape = op.shape(shape, taken)
        except ValueError as fault:
            raise ValueError(f"program[{at}], {step['op']}: {fault}") from fault
        unused -= set(names.values())
        made.append((op, taken))
    if unused:
        raise ValueError(f"arrays no step names: {', '.join(sorted(unused))}")
    return Program(entries["shape"], made)


def _step(step: dict[str, Any], place: str) -> tuple[Op, dict[str, str]]:
    """The operation a step names, and the names of the arrays it takes by their role."""
    op = OPS[checks.one_of(*OPS)(step.get("op"), f"{place}.op")]
    wanted: dict[str, checks.Check[Any]] = {"op": checks.text}
    if op.arrays:
        wanted["arrays"] = lambda value, at: checks.fields(value, at, dict.fromkeys(op.arrays, checks.text), {})
    return op, checks.fields(step, place, wanted, {}).get("arrays", {})


def _array(name: str, array: NDArray[Any]) -> Float32:
    """An array as it is computed with: float32, contiguous, finite."""
    if array.dtype.newbyteorder("=") not in TYPES:
        raise ValueError(f"{name} is {array.dtype}; allowed: {', '.join(map(str, TYPES))}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity; allowed: finite numbers")
    return np.ascontiguousarray(array, np.float32)


def _same(shape: Shape, arrays: Held) -> Shape:  # noqa: ARG001
    return shape


def _last(shape: Shape) -> int:
    if not shape or shape[-1] is None:
        raise ValueError(f"an input of shape {shape}; allowed: a last axis of a known length")
    return shape[-1]


def _flat(shape: Shape, arrays: Held) -> Shape:  # noqa: ARG001
    known = [size for size in shape if size is not None]
    if len(known) != len(shape):
        raise ValueError(f"an input of shape {shape}; allowed: axes of known lengths")
    return (prod(known),)


def _scaled(shape: Shape, arrays: Held) -> Shape:
    allowed = ((), (1,), (_last(shape),))
    for name, array in arrays.items():
        if array.shape not in allowed:
            raise ValueError(
                f"{name} of shape {array.shape} for an input of shape {shape}; allowed: {allowed[2]} or ()"
            )
    return shape


def _product(shape: Shape, arrays: Held) -> Shape:
    weight, bias = arrays["weight"], arrays["bias"]
    if weight.ndim != 2 or weight.shape[0] != _last(shape) or not weight.shape[1]:
        raise ValueError(
            f"weight of shape {weight.shape} for an input of shape {shape}; allowed: ({_last(shape)}, outputs)"
        )
    if bias.shape != weight.shape[1:]:
        raise ValueError(
            f"bias of shape {bias.shape} for a weight of shape {weight.shape}; allowed: {weight.shape[1:]}"
        )
    return (*shape[:-1], weight.shape[1])


def _dense(x: Float32, arrays: Held) -> Float32:
    weight, bias = arrays["weight"], arrays["bias"]
    outputs: Float32 = product(x.reshape(-1, len(weight)), weight).reshape(*x.shape[:-1], -1)
    outputs += bias
    return outputs


def _softmax(x: Float32, arrays: Held) -> Float32:  # noqa: ARG001
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    shares: Float32 = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def _unit(x: Float32, arrays: Held) -> Float32:  # noqa: ARG001
    lengths = np.sqrt(np.square(x).sum(axis=-1, keepdims=True))
    unit: Float32 = x / np.maximum(lengths, TINY)
    return unit


OPS = {
    "flatten": Op((), _flat, lambda x, arrays: x.reshape(len(x), -1)),
    "affine": Op(("scale", "shift"), _scaled, lambda x, arrays: x * arrays["scale"] + arrays["shift"]),
    "dense": Op(("weight", "bias"), _product, _dense),
    "relu": Op((), _same, lambda x, arrays: np.maximum(x, np.float32(0))),
    "tanh": Op((), _same, lambda x, arrays: np.tanh(x)),
    "softmax": Op((), lambda shape, arrays: (_last(shape), shape)[1], _softmax),
    "l2": Op((), lambda shape, arrays: (_last(shape), shape)[1], _unit),
}
_INPUT = checks.list_of(checks.or_null(checks.whole(1, LARGEST_AXIS)), least=1)
