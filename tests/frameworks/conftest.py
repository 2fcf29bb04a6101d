"""Networks and files for the tests of how models are made small."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

INT8 = {"method": "post_training", "network": "network", "float_layers": []}


@pytest.fixture(scope="session")
def teacher(trained: Any, keras: Any) -> Any:
    """The trained teacher of the smoke pipeline."""
    return keras.load(trained.train / "network")


@pytest.fixture(scope="session")
def small(trained: Any, keras: Any) -> Any:
    """The pruned student of the smoke pipeline: small, and right about nearly every tone."""
    return keras.load(trained.prune / "network")


@pytest.fixture
def convert(keras: Any, examples: Any, tmp_path: Path) -> Callable[..., Path]:
    """`convert(network, "tflite", "int8", micro=True)` gives the file."""
    from frameworks.recipe import Variant

    def make(
        network: Any,
        backend: str,
        precision: str,
        *,
        target: dict[str, Any] | None = None,
        micro: bool = False,
        name: str = "model",
    ) -> Path:
        file = tmp_path / f"{name}-{precision}-{micro}.{backend}"
        variant = Variant(backend=backend, precision=precision)
        keras.convert(network, target or INT8, variant, examples, file, micro=micro)
        return file

    return make


@pytest.fixture(scope="session")
def answer() -> Callable[..., np.ndarray]:
    """`answer(file, features)`: scores through the runtime's own backend, by the file's suffix."""
    from pianissimo.backends import open_session

    def run(file: Path, features: np.ndarray) -> np.ndarray:
        session = open_session(file.suffix[1:], file, 1)
        try:
            return np.asarray(session.run(features))
        finally:
            session.close()

    return run


@pytest.fixture(scope="session")
def made(trained: Any) -> Callable[[str], Path]:
    """`made("mcu")` is the first file that the smoke pipeline converted for a platform; `made("mobile", 1)` its second."""
    files = trained.convert / "files"
    manifest = json.loads((files / "manifest.json").read_text())

    def find(platform: str, variant: int = 0) -> Path:
        return Path(files / manifest["platforms"][platform]["variants"][variant]["files"][0]["name"])

    return find
