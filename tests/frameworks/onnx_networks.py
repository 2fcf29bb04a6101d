"""Small ONNX networks made by hand, and examples that they are right about: no training library is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

from frameworks.examples import Examples, Features, Part
from frameworks.formats.sessions import answers

SHAPE = (24, 16)
LABELS = ("one", "two", "three", "four")
ENDINGS = {"probabilities": "Softmax", "log-probabilities": "LogSoftmax"}


class Graph:
    """Nodes and their constants, one after another; `value` is the name of what the last node gives."""

    def __init__(self, seed: int = 0) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.value, self.rng = "features", np.random.default_rng(seed)

    def constant(self, values: np.ndarray) -> str:
        name = f"a_rather_long_name_of_a_constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def weight(self, *shape: int) -> str:
        spread = np.sqrt(2 / np.prod(shape[1:] if len(shape) > 2 else shape[:1]))
        return self.constant(self.rng.normal(0, spread, shape).astype(np.float32))

    def node(self, kind: str, *operands: str, **attributes: Any) -> Graph:
        out = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [self.value, *operands], [out], name=f"{out}_node", **attributes))
        self.value = out
        return self

    def normalise(self, channels: int) -> Graph:
        near = [self.rng.uniform(0.5, 1.5, channels), self.rng.normal(0, 0.1, channels)]
        scale, shift, mean, variance = (
            self.constant(v.astype(np.float32)) for v in (near[0], near[1], near[1], near[0])
        )
        return self.node("BatchNormalization", scale, shift, mean, variance)

    def write(self, file: Path, takes: list[Any], gives: list[Any], opset: int = 17) -> Path:
        ports = (("features", takes), (self.value, gives))
        entry, end = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ports)
        graph = helper.make_graph(self.nodes, "network", [entry], [end], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        checker.check_model(model)
        save(model, file)
        return file


def picture(
    file: Path,
    *,
    shape: tuple[int, int] = SHAPE,
    classes: int = len(LABELS),
    ends_in: str = "probabilities",
    width: int = 16,
    blocks: int = 1,
    batch: int | str = "n",
) -> Path:
    """A depthwise-separable network over features (n, frames, bands), which it folds into channels: (n, classes)."""
    graph = Graph()
    graph.node("Reshape", graph.constant(np.array([-1, shape[0], shape[1] // 4, 4])))
    graph.node("Transpose", perm=[0, 3, 1, 2]).node("Conv", graph.weight(width, 4, 3, 3), pads=[1] * 4, strides=[2, 1])
    graph.normalise(width).node("Relu")
    for _ in range(blocks):
        graph.node("Conv", graph.weight(width, 1, 3, 3), pads=[1] * 4, group=width).normalise(width).node("Relu")
        graph.node("Conv", graph.weight(width, width, 1, 1)).normalise(width).node("Relu")
    graph.node("GlobalAveragePool").node("Flatten")
    graph.node("Gemm", graph.weight(width, classes), graph.weight(classes))
    if ends_in in ENDINGS:
        graph.node(ENDINGS[ends_in], axis=-1)
    return graph.write(file, [batch, *shape], [batch, classes])


def sequence(file: Path, *, bands: int = 12, classes: int = len(LABELS) + 1, ends_in: str = "probabilities") -> Path:
    """A network over features of any length (n, frames, bands): (n, frames / 2, classes)."""
    graph = Graph(1)
    graph.node("Transpose", perm=[0, 2, 1]).node("Conv", graph.weight(16, bands, 5), pads=[2, 2], strides=[2]).node(
        "Relu"
    )
    graph.node("Transpose", perm=[0, 2, 1]).node("MatMul", graph.weight(16, classes)).node("Add", graph.weight(classes))
    if ends_in in ENDINGS:
        graph.node(ENDINGS[ends_in], axis=-1)
    return graph.write(file, ["n", "frames", bands], ["n", "steps", classes])


def pictures(file: Path, *, shape: tuple[int, int] = SHAPE, count: int = 40, seed: int = 3) -> Examples:
    """Noise, labelled as the network of `file` answers it: its float score is 100 %."""
    rng = np.random.default_rng(seed)

    def part(size: int) -> Part:
        features = (rng.normal(size=(size, *shape)) * rng.uniform(0.3, 2, (size, 1, 1))).astype(np.float32)
        return Part(features, answers(file, "onnx", features).argmax(axis=1))

    return Examples(LABELS, "classify", "accuracy", part(count), part(16), part(count))


def sequences(file: Path, *, bands: int = 12, seed: int = 4) -> Examples:
    """Noise of several lengths, labelled with what CTC's greedy path makes of the network's own answers."""
    from pianissimo.decode import greedy

    rng = np.random.default_rng(seed)

    def part(lengths: tuple[int, ...]) -> Part:
        features: Features = [rng.normal(size=(length, bands)).astype(np.float32) for length in lengths]
        said = [list(greedy(output)) for output in answers(file, "onnx", features)]
        labels = np.full((len(said), max(map(len, said))), -1, np.int64)
        for row, phonemes in zip(labels, said, strict=True):
            row[: len(phonemes)] = phonemes
        return Part(features, labels)

    lengths = (40, 25, 33, 64, 50, 47)
    return Examples(LABELS, "transcribe", "phoneme_error_rate", part(lengths), part(lengths), part(lengths[::-1]))
