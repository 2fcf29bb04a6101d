"""Small networks and the folders and registries that hold them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest

LABELS = ["low", "middle", "high"]
SPEC = {
    "kind": "log_mel",
    "sample_rate": 16000,
    "seconds": 1.0,
    "frame": 480,
    "hop": 320,
    "fft": 512,
    "mels": 40,
    "fmin": 20.0,
    "fmax": 4000.0,
    "floor": 1e-6,
    "mean": -6.0,
    "deviation": 4.0,
}
CALIBRATION = range(100, 4000, 150)  # Hz
# variant -> (file of `networks`, backend, precision)
VARIANTS = {
    "float": ("float.tflite", "tflite", "float32"),
    "int8": ("int8.tflite", "tflite", "int8"),
    "inner": ("inner.tflite", "tflite", "int8"),
    "baked": ("baked.tflite", "tflite", "float32"),
    "onnx": ("float.onnx", "onnx", "float32"),
    "half": ("half.onnx", "onnx", "float16"),
    "single": ("single.onnx", "onnx", "float32"),
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "wheel: builds and installs the runtime's wheel; needs a package index")


@pytest.fixture(scope="session")
def weights() -> dict[str, np.ndarray]:
    """A convolution and a dense layer, the same in every form."""
    rng = np.random.default_rng(7)
    return {
        "kernel": rng.normal(0, 0.3, (5, 5, 1, 4)).astype(np.float32),
        "dense": rng.normal(0, 0.5, (4 * 2, 3)).astype(np.float32),
    }


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory, weights: dict[str, np.ndarray]) -> Path:
    """A folder with one network as TFLite (float, int8 throughout, int8 inside), and one as ONNX in three forms."""
    folder = tmp_path_factory.mktemp("networks")
    write_tflite(folder, weights)
    write_onnx(folder)
    return folder


def write_tflite(folder: Path, weights: dict[str, np.ndarray]) -> None:
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    import tensorflow as tf

    def network(batch: int | None) -> Any:
        @tf.function(input_signature=[tf.TensorSpec([batch, 49, 40, 1], tf.float32)])
        def call(features: tf.Tensor) -> tf.Tensor:
            hidden = tf.nn.relu(tf.nn.conv2d(features, weights["kernel"], 4, "SAME"))
            halves = tf.split(hidden, 2, axis=2)
            pooled = tf.concat([tf.reduce_mean(half, [1, 2]) for half in halves], 1)
            return tf.nn.softmax(tf.matmul(pooled, weights["dense"]))

        return call.get_concrete_function()

    def converter(batch: int | None) -> Any:
        return tf.lite.TFLiteConverter.from_concrete_functions([network(batch)], tf.Module())

    (folder / "float.tflite").write_bytes(converter(None).convert())
    (folder / "baked.tflite").write_bytes(converter(1).convert())
    front = pp.frontend.build(SPEC)
    for name, ends in [("int8.tflite", tf.int8), ("inner.tflite", tf.float32)]:
        quantized = converter(1)
        quantized.optimizations = [tf.lite.Optimize.DEFAULT]
        quantized.representative_dataset = lambda: ([front(tone(hertz))[None, ..., None]] for hertz in CALIBRATION)
        quantized.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        quantized.inference_input_type = quantized.inference_output_type = ends
        (folder / name).write_bytes(quantized.convert())


def write_onnx(folder: Path) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    dense = np.random.default_rng(5).normal(0, 0.02, (1960, 3))

    def write(name: str, batch: str | int, kind: int, dtype: type) -> None:
        graph = helper.make_graph(
            [
                helper.make_node("Flatten", ["features"], ["flat"], axis=1),
                helper.make_node("MatMul", ["flat", "dense"], ["logits"]),
                helper.make_node("Softmax", ["logits"], ["scores"], axis=1),
            ],
            "tiny",
            [helper.make_tensor_value_info("features", kind, [batch, 49, 40])],
            [helper.make_tensor_value_info("scores", kind, [batch, 3])],
            [numpy_helper.from_array(dense.astype(dtype), "dense")],
        )
        opset = [helper.make_opsetid("", 17)]
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), folder / name)

    write("float.onnx", "n", TensorProto.FLOAT, np.float32)
    write("half.onnx", "n", TensorProto.FLOAT16, np.float16)
    write("single.onnx", 1, TensorProto.FLOAT, np.float32)


def described(path: Path, name: str) -> dict[str, Any]:
    data = path.read_bytes()
    return {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def drafted(folder: Path, networks: Path, platforms: dict[str, list[str]]) -> dict[str, Any]:
    """A draft with its files and golden vectors in `folder`; platforms maps a name to its variants."""
    manifest: dict[str, Any] = {
        "schema": 1,
        "model": "tones",
        "version": None,
        "created": None,
        "least_runtime": "0.1.0",
        "task": "classify",
        "labels": LABELS,
        "frontend": SPEC,
        "input": {"max_seconds": 30.0},
        "platforms": {},
        "golden": None,
        "lineage": {"commit": "abc"},
        "rejected": {"phone": ["too slow"]},
    }
    for platform, names in platforms.items():
        variants = []
        for name in names:
            source, backend, precision = VARIANTS[name]
            target = folder / platform / source
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((networks / source).read_bytes())
            file = {**described(target, f"{platform}/{source}"), "role": "model"}
            variants.append(
                {
                    "name": name,
                    "backend": backend,
                    "precision": precision,
                    "files": [file],
                    "threshold": None,
                    "tolerance": {"features": 1e-4, "scores": 1e-5},
                }
            )
        manifest["platforms"][platform] = {"variants": variants, "figures": {"accuracy": 0.9}}
    write_manifest(folder, manifest)
    write_golden(folder, manifest)
    return manifest


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    (folder / "manifest.json").write_text(json.dumps(manifest))


def write_golden(folder: Path, manifest: dict[str, Any], **changes: Any) -> None:
    """Golden vectors as the runtime answers now, with arrays replaced or, when None, left out."""
    clips = np.stack([tone(300), tone(2500), np.zeros(16000, np.float32)])
    arrays: dict[str, Any] = {"audio": clips, "sample_rate": np.array(16000)}
    for platform, entry in manifest["platforms"].items():
        for variant in entry["variants"]:
            with pp.open_folder(folder, platform, variant["name"]) as model:
                arrays["features"] = np.concatenate([model.features(clip, 16000) for clip in clips])
                arrays[f"scores/{platform}/{variant['name']}"] = model.scores(arrays["features"])
    arrays |= changes
    np.savez(folder / "golden.npz", **{name: array for name, array in arrays.items() if array is not None})
    manifest["golden"] = described(folder / "golden.npz", "golden.npz")
    write_manifest(folder, manifest)


def tone(hertz: float, seconds: float = 1.0, rate: int = 16000) -> np.ndarray:
    """A pure tone, float32 (n,)."""
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.fixture
def draft(tmp_path: Path, networks: Path) -> Callable[..., Path]:
    """Make a build: `draft(edge=["int8", "onnx"])` gives its folder."""

    def make(**platforms: list[str]) -> Path:
        folder = tmp_path / "build"
        folder.mkdir()
        drafted(folder, networks, platforms)
        return folder

    return make


@pytest.fixture
def assemble(tmp_path: Path) -> Callable[..., Path]:
    """Make a build of one plain-array network: `assemble(spec, steps, arrays, task="transcribe", labels=["a"])`."""

    def make(spec: dict[str, Any], steps: list[dict[str, Any]], arrays: dict[str, np.ndarray], **changes: Any) -> Path:
        from pianissimo.backends import arrays as backend

        folder = tmp_path / f"build{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        backend.write(folder / "network.npz", steps, arrays)
        variant = {
            "name": "plain",
            "backend": "numpy",
            "precision": "float32",
            "files": [{**described(folder / "network.npz", "network.npz"), "role": "model"}],
            "threshold": changes.pop("threshold", None),
            "tolerance": {"features": 1e-4, "scores": 1e-5},
        }
        manifest = {
            "schema": 1,
            "model": "tones",
            "least_runtime": "0.2.0",
            "task": "classify",
            "labels": LABELS,
            "frontend": spec,
            "input": {"max_seconds": 30.0},
            "platforms": {"edge": {"variants": [variant]}},
        }
        write_manifest(folder, manifest | changes)
        return folder

    return make


@pytest.fixture
def published(draft: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Publish a build: `published(edge=["int8"])` gives the registry's folder."""

    def make(**platforms: list[str]) -> Path:
        import registry

        folder = draft(**platforms)
        root = tmp_path / "registry"
        publish_folder(registry.open_store(str(root)), folder)
        return root

    return make


def publish_folder(store: Any, folder: Path) -> Any:
    import registry

    manifest = json.loads((folder / "manifest.json").read_text())
    parsed = pp.manifest.parse(manifest)
    files = {file.name: folder / file.name for file in parsed.files()}
    return registry.publish(store, manifest, files, ["candidate", "stable"], "tester", "a test")


@pytest.fixture
def stocked(tmp_path: Path) -> Callable[..., Path]:
    """A registry of plain-array models that answer differently: `stocked("one", "two", variants=["plain", "spare"])`.

    `broken` variants overflow when they answer, `wrong` ones answer otherwise than the golden vectors say; there are
    golden vectors unless a variant is broken.
    """

    def make(*names: str, variants: Sequence[str] = ("plain",), broken: Any = (), wrong: Any = ()) -> Path:
        import registry

        root = tmp_path / "stock"
        store = registry.open_store(str(root))
        for seed, name in enumerate(names):
            folder = tmp_path / name
            folder.mkdir()
            entries = [plain_variant(folder, each, 10 * seed + at, each in broken) for at, each in enumerate(variants)]
            manifest = {
                "schema": 1,
                "model": name,
                "least_runtime": "0.1.0",
                "task": "classify",
                "labels": LABELS,
                "frontend": SPEC,
                "input": {"max_seconds": 30.0},
                "platforms": {"edge": {"variants": entries}},
            }
            write_manifest(folder, manifest)
            if not broken:
                changed = {f"scores/edge/{each}": np.full((3, 3), 0.5, np.float32) for each in wrong}
                write_golden(folder, manifest, **changed)
            publish_folder(store, folder)
        return root

    return make


def plain_variant(folder: Path, name: str, seed: int, broken: bool) -> dict[str, Any]:
    """A dense layer as plain arrays; a broken one has logits that overflow, and so no scores."""
    from pianissimo.backends import arrays as backend

    weight = np.random.default_rng(seed).normal(0, 0.02, (1960, 3)).astype(np.float32)
    scale = np.full(3, 1e38 if broken else 1, np.float32)
    arrays = {"w": weight * scale, "b": np.zeros(3, np.float32), "scale": scale}
    steps = [
        {"op": "input", "shape": [49, 40]},
        {"op": "flatten"},
        {"op": "dense", "arrays": {"weight": "w", "bias": "b"}},
        {"op": "affine", "arrays": {"scale": "scale", "shift": "b"}},
        {"op": "softmax"},
    ]
    backend.write(folder / f"{name}.npz", steps, arrays)
    return {
        "name": name,
        "backend": "numpy",
        "precision": "float32",
        "files": [{**described(folder / f"{name}.npz", f"{name}.npz"), "role": "model"}],
        "threshold": None,
        "tolerance": {"features": 1e-4, "scores": 1e-5},
    }
