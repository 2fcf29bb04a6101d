"""Brings an ONNX file in: checked against the front end and the labels, and written as a network that answers what ships."""

from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, version_converter
from pianissimo.backends.shapes import fitted, worded
from pianissimo.errors import BackendFailedError

from frameworks import FrameworkError
from frameworks.examples import Examples, Features
from frameworks.formats import onnx as file_format
from frameworks.formats import onnx_quantize
from frameworks.formats.onnx_files import RUNTIME_ERRORS
from frameworks.formats.sessions import answers
from frameworks.onnx.files import Network

OPSET = 13  # the first whose quantized operators have a scale a channel
LOOKED_AT = 64  # clips by which probabilities are told from logits
SUMS = 1e-3  # how far the sum of probabilities may be from one


class BringError(FrameworkError):
    """`train.import` names what cannot be brought in."""


def bring(name: str, examples: Examples) -> tuple[Network, dict[str, Any]]:
    """The network at `name`, ending in probabilities (in vectors for verify), and what was found out about it.

    Raises BringError for what is not there, is no float ONNX file of one input and one output, or does not fit the
    features or the labels: both sides are named.
    """
    place = Path(name)
    model = _one_in_one_out(place, _read(place))
    features = examples.calibration.features[:LOOKED_AT]
    takes = _takes(place, model, features)
    with TemporaryDirectory() as folder:
        brought, made = Path(folder) / "brought.onnx", Path(folder) / "network.onnx"
        onnx.save(model, brought)
        ends_in = _ends_in(examples, _answers(place, brought, features, examples))
        if ends_in == "logits":
            onnx.save(_with_softmax(model), brought)
        onnx_quantize.float32(brought, made)
        _is_float(place, made)
        network = Network(made.read_bytes(), _typical(features))
    facts = {"imported": name, "takes": takes, "ends_in": ends_in, "labels": list(examples.labels)}
    return network, facts


def _read(place: Path) -> Any:
    """The model with all its weights inside, whichever file they were in, in operators that can be quantized."""
    if place.suffix != ".onnx" or not place.is_file():
        what = "is not there" if place.suffix == ".onnx" else f"ends in {place.suffix or 'nothing'}"
        raise BringError(f"train.import: {place} {what}; allowed: an ONNX file (.onnx)")
    try:
        model = file_format.read(place, gather=True)
        old = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
        return version_converter.convert_version(model, OPSET) if old < OPSET else model
    except (ValueError, RuntimeError) as error:  # the converter's
        raise BringError(f"train.import: {error}") from error


def _one_in_one_out(place: Path, model: Any) -> Any:
    """The model without what older files list among the inputs, which is their weights."""
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [port for port in graph.input if port.name not in weights]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise BringError(
            f"{place}: {len(inputs)} inputs ({_names(inputs)}) and {len(graph.output)} outputs ({_names(graph.output)}); "
            "one of each is allowed"
        )
    for port in (inputs[0], graph.output[0]):
        kind = TensorProto.DataType.Name(port.type.tensor_type.elem_type).lower()
        if kind != "float":
            raise BringError(f"{place}: {port.name} is {kind}; allowed: float")
    del graph.input[:]
    graph.input.extend(inputs)
    return model


def _names(ports: Iterable[Any]) -> str:
    return ", ".join(port.name for port in ports)


def _takes(place: Path, model: Any, features: Features) -> list[int | str]:
    """What the input takes of one clip, after it was checked; axes whose size the front end fixes are fixed here too."""
    axes = model.graph.input[0].type.tensor_type.shape.dim
    declared = [axis.dim_value or None for axis in axes]
    given = tuple(features[0].shape)
    if not declared or declared[0] not in {None, 1}:
        raise BringError(f"{place}: a batch of {declared[0] if declared else 'no axis'}; allowed: 1, or a free one")
    try:
        fed = [fitted(clip[None], declared).shape for clip in features]
    except ValueError as error:
        wanted = worded(declared[1:])
        raise BringError(f"{place} takes features of shape ({wanted}); the front end gives {given}") from error
    if not isinstance(features, list):
        for axis, size in zip(axes[1:], fed[0][1:], strict=True):
            axis.dim_value = size
    return [size or "any" for size in declared[1:]]


def _answers(place: Path, file: Path, features: Features, examples: Examples) -> list[np.ndarray]:
    """What it answers to each clip, after shapes were checked against the labels."""
    try:
        rows = list(answers(file, "onnx", features))
    except BackendFailedError as error:
        raise BringError(f"{place}: ONNX Runtime does not open it: {error.reason}") from error
    except RUNTIME_ERRORS as error:
        given = tuple(features[0].shape)
        raise BringError(f"{place}: ONNX Runtime does not run it on features of shape {given}: {error}") from error
    fits, wanted = ANSWERS[examples.task]
    for row in rows:
        if not fits(row, len(examples.labels)):
            raise BringError(
                f"{place} answers {row.shape} a clip; {examples.task} wants {wanted}, and the corpus has "
                f"{len(examples.labels)} labels: {', '.join(examples.labels)}"
            )
        if not np.isfinite(row).all():
            raise BringError(f"{place} answers NaN or infinity to a clip of the corpus; allowed: finite numbers")
    return rows


ANSWERS: dict[str, tuple[Callable[[np.ndarray, int], bool], str]] = {
    "classify": (lambda row, labels: row.shape == (labels,), "(labels)"),
    "transcribe": (
        lambda row, labels: row.ndim == 2 and len(row) > 0 and row.shape[1] == labels + 1,
        "(frames, labels + 1), CTC's blank last",
    ),
    "verify": (lambda row, labels: row.ndim == 1, "one vector"),
}


def _ends_in(examples: Examples, rows: list[np.ndarray]) -> str:
    """`probabilities`, `logits` (log-probabilities are such) or, where nothing is chosen from labels, `vectors`."""
    if examples.task == "verify":
        return "vectors"
    scores = np.concatenate([row.reshape(-1, row.shape[-1]) for row in rows])
    sums = np.abs(scores.sum(axis=-1) - 1).max()
    return "probabilities" if scores.min() >= 0 and sums <= SUMS else "logits"


def _with_softmax(model: Any) -> Any:
    output = model.graph.output[0]
    taken = {name for node in model.graph.node for name in node.output}
    scores = next(name for name in ("scores", "probabilities", f"{output.name}_scores") if name not in taken)
    model.graph.node.append(helper.make_node("Softmax", [output.name], [scores], name=scores, axis=-1))
    output.name = scores
    return model


def _is_float(place: Path, made: Path) -> None:
    problems = file_format.audit(made).problems("float32")
    if problems:
        raise BringError(f"{place} is no float network: {'; '.join(problems)}")


def _typical(features: Features) -> tuple[int, ...]:
    """The shape of the clip of median length."""
    ordered = sorted(features, key=len)
    return tuple(int(size) for size in ordered[len(ordered) // 2].shape)
