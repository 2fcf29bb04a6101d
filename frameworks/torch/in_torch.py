"""What torch itself makes of a network on this machine, measured beside what ships: dynamic int8, and torch.compile.

Neither can ship: the runtime has no torch.
"""

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch._inductor import config as inductor
from torch._inductor.exc import InductorError, InvalidCxxCompiler
from torch.nn import Module

from frameworks.examples import Features
from frameworks.torch.export import WithScores
from frameworks.torch.predict import predict

Call = Callable[[], Any]


def typical(features: Features) -> np.ndarray:
    """The clip of median length, with a batch axis of one."""
    order = np.argsort([len(clip) for clip in features], kind="stable")
    return np.asarray(features[int(order[len(order) // 2])], np.float32)[None]


def compare(search: Any, chosen: Any, allowed: float) -> dict[str, Any]:
    """Score, bytes and time of torch's dynamic int8, times of eager and compiled torch, beside the ONNX files in one run on
    one thread, and what follows from them in words."""
    small = dynamic(search.network)
    score = search.metric.measure(search.held.labels, predict(small, search.held.features))
    drop = search.metric.drop(search.before, score)
    example = torch.from_numpy(search.example)
    with _single():
        quick, facts = _compiled(search.network, example)
        calls = {"torch": caller(search.network, example), "torch_dynamic": caller(small, example), **quick}
        taken = search.milliseconds(calls, chosen)
    better = drop <= allowed and taken["torch_dynamic"] < taken["int8"]
    return {
        "milliseconds": taken,
        "dynamic": {"score": score, "drop": drop, "bytes": weight(small)},
        "compile": facts,
        "why": "torch's dynamic int8 would be the faster one, but the runtime has no torch"
        if better
        else f"{chosen.method} in ONNX is the faster one, or torch's dynamic int8 loses more than {allowed:g} points",
    }


def dynamic(network: Any) -> Any:
    """A copy whose linear and recurrent layers hold int8 weights; activations get their range at each call. Convolutions
    stay float: torch has no dynamic kernel for them."""
    with warnings.catch_warnings():  # torch advises torchao, which is a package of its own
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*quantize_per_tensor.*deprecated")
        return torch.ao.quantization.quantize_dynamic(network, dtype=torch.qint8)  # type: ignore[no-untyped-call]


def weight(value: Any) -> int:
    """Bytes of all tensors in a network, also of those that torch packs for its kernels."""
    if isinstance(value, Module):
        return sum(weight(part) for part in value.state_dict().values())
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, list | tuple):
        return sum(weight(part) for part in value)
    return weight(value.__getstate__()) if isinstance(value, torch.ScriptObject) else 0


def caller(network: Any, example: Tensor) -> Call:
    """One call of the network, probabilities included, as what ships makes it."""
    whole = WithScores(network).eval()

    def call() -> Any:
        with torch.inference_mode():
            return whole(example)

    return call


def _compiled(network: Any, example: Tensor) -> tuple[dict[str, Call], dict[str, Any]]:
    """The compiled call and how long compiling took; no call, and the reason, where there is no C++ compiler."""
    torch.compiler.reset()
    whole = torch.compile(WithScores(network).eval())

    def call() -> Any:
        with torch.inference_mode():
            return whole(example)

    started = time.monotonic()
    try:
        with inductor.patch(compile_threads=1):  # in this process: starting others takes longer than a small network does
            call()
    except InductorError as error:
        if not isinstance(error.inner_exception, InvalidCxxCompiler):
            raise
        return {}, {"skipped": "torch.compile needs a C++ compiler, and there is none here"}
    return {"torch_compiled": call}, {"seconds": round(time.monotonic() - started, 1)}


@contextlib.contextmanager
def _single() -> Iterator[None]:
    """torch computes on one thread inside, as the runtime does when it is measured."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
