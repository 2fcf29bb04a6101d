"""Unloading gives memory back, and answering takes none: watched from inside processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

WIDE = 2600  # 1960 x 2600 weights: about 20 MB
MEGABYTE = 2**20
HUNDRED_TIMES = """
import json, sys
import numpy as np
import pianissimo as pp
from pianissimo import memory
clip = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
with pp.Library(sys.argv[1], sys.argv[2], keep=False) as library:
    seen = []
    for _ in range(100):
        library.predict("wide", clip, 16000)
        loaded = memory.resident()
        library.unload()
        seen.append((loaded, memory.resident()))
print(json.dumps(seen))
"""
MANY_ANSWERS = """
import json, sys
import numpy as np
import pianissimo as pp
from pianissimo import memory
rng = np.random.default_rng(0)
clips = rng.normal(0, 0.1, (50, 16000)).astype(np.float32)
with pp.Library(sys.argv[1], sys.argv[2], keep=False, prediction_cache=float(sys.argv[3])) as library:
    seen = []
    for turn in range(6):
        for number in range(1000):
            loudness = np.float32(1 + number / 1000 if turn % 2 else 1)  # all different, and all known to the cache
            library.predict("one", clips[number % 50] * loudness, 16000)
        library.sweep()
        seen.append(memory.resident())
print(json.dumps(seen))
"""


def run(program: str, *arguments: object) -> Any:
    done = subprocess.run([sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def wide(stocked: Callable[..., Path], tmp_path: Path) -> Path:
    """A registry with one large network, as plain arrays for edge and as ONNX for server."""
    import hashlib

    import onnx
    import pianissimo as pp
    from onnx import TensorProto, helper, numpy_helper
    from pianissimo.backends import arrays as backend

    import registry

    root = stocked("one")
    document = json.loads((tmp_path / "one" / "manifest.json").read_text())
    folder = tmp_path / "wide"
    folder.mkdir()
    rng = np.random.default_rng(1)
    inner = rng.normal(0, 0.02, (1960, WIDE)).astype(np.float32)
    outer = rng.normal(0, 0.02, (WIDE, 3)).astype(np.float32)
    steps = [
        {"op": "input", "shape": [49, 40]},
        {"op": "flatten"},
        {"op": "dense", "arrays": {"weight": "inner", "bias": "none"}},
        {"op": "dense", "arrays": {"weight": "outer", "bias": "last"}},
        {"op": "softmax"},
    ]
    arrays = {"inner": inner, "outer": outer, "none": np.zeros(WIDE, np.float32), "last": np.zeros(3, np.float32)}
    backend.write(folder / "wide.npz", steps, arrays)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["features"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "inner"], ["hidden"]),
            helper.make_node("MatMul", ["hidden", "outer"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["scores"], axis=1),
        ],
        "wide",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 49, 40])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(inner, "inner"), numpy_helper.from_array(outer, "outer")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), folder / "wide.onnx")
    (variant,) = document["platforms"]["edge"]["variants"]

    def described(name: str, backend_name: str) -> dict[str, Any]:
        data = (folder / name).read_bytes()
        file = {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "role": "model"}
        return {"variants": [{**variant, "backend": backend_name, "files": [file]}]}

    platforms = {"edge": described("wide.npz", "numpy"), "server": described("wide.onnx", "onnx")}
    document |= {"model": "wide", "platforms": platforms, "golden": None}
    files = {file.name: folder / file.name for file in pp.manifest.parse(document).files()}
    registry.publish(registry.open_store(str(root)), document, files, ["candidate", "stable"], "tester", "a test")
    return root


@pytest.mark.parametrize("platform", ["edge", "server"])
def test_a_hundred_loads_and_unloads(wide: Path, platform: str) -> None:
    """Each time nearly all of the 20 MB goes back to the system, and nothing is left over in the long run."""
    seen = run(HUNDRED_TIMES, wide, platform)
    loaded, unloaded = zip(*seen[5:], strict=True)  # the first few set the process up
    assert min(loaded) - max(unloaded) > 15 * MEGABYTE
    # Single readings come and go by more than two megabytes where the machine is busy: what stays is in the middle of twenty.
    assert median(unloaded[-20:]) - median(unloaded[:20]) < 1.5 * MEGABYTE


@pytest.mark.parametrize("cache", [0, 1])
def test_thousands_of_answers_take_no_memory(stocked: Callable[..., Path], cache: int) -> None:
    seen = run(MANY_ANSWERS, stocked("one"), "edge", cache)
    assert max(seen[2:]) - seen[1] < 2 * MEGABYTE
