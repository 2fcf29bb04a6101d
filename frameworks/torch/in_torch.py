"""What torch itself makes of a network on this machine, measured beside what ships: dynamic int8, and torch.compile.

Neither can ship: the runtime has no torch.
"""

import contextlib
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from frameworks.examples import Examples
from frameworks.metrics import Metric
from frameworks.torch.export import WithScores
from frameworks.torch.predict import predict

Call = Callable[[], Any]


@dataclass(frozen=True)
class Forms:
    """Torch's own forms: a call of each on one clip, and what is known of them."""

    calls: dict[str, Call]
    facts: dict[str, Any]


def forms(network: Any, examples: Examples, metric: Metric, example: np.ndarray) -> Forms:
    """Eager, dynamic int8 and, where there is a C++ compiler, compiled, to be called on `example` (a batch of one); the
    score and the bytes of the int8 form."""
    held, small = examples.validation, dynamic(network)
    before, after = (metric.measure(held.labels, predict(each, held.features)) for each in (network, small))
    facts: dict[str, Any] = {"dynamic": {"score": after, "drop": metric.drop(before, after), "bytes": weight(small)}}
    one = torch.from_numpy(example)
    calls = {"torch": _call(WithScores(network).eval(), one), "torch_dynamic": _call(WithScores(small).eval(), one)}
    with one_thread():
        compiled, facts["compile"] = _compiled(network, one)
    return Forms({**calls, **compiled}, facts)


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


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """torch computes on one thread inside, as the runtime does when it is measured."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _call(whole: Any, example: Tensor) -> Call:
    def call() -> Any:
        with torch.inference_mode():
            return whole(example)

    return call


def _compiled(network: Any, example: Tensor) -> tuple[dict[str, Call], dict[str, Any]]:
    """The compiled form and how long compiling took; no form, and the reason, where there is no C++ compiler."""
    from torch._inductor import config as inductor  # half of what torch takes to start, and no other stage compiles
    from torch._inductor.exc import InductorError, InvalidCxxCompiler

    torch.compiler.reset()
    torch._logging.set_logs(dynamo=logging.ERROR)  # type: ignore[attr-defined]  # two graphs cost time; that is measured
    call = _call(torch.compile(WithScores(network).eval()), example)
    started = time.monotonic()
    try:
        with inductor.patch(compile_threads=1):  # in this process: others take longer to start than there is to do
            call()
    except InductorError as error:
        if not isinstance(error.inner_exception, InvalidCxxCompiler):
            raise
        return {}, {"skipped": "torch.compile needs a C++ compiler, and there is none here"}
    return {"torch_compiled": call}, {"seconds": round(time.monotonic() - started, 1)}
