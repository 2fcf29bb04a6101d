"""Files answer as scikit-learn does, and the same network gives the same bytes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pianissimo.backends import open_session

from frameworks import sklearn
from frameworks.examples import Examples, Part
from frameworks.formats import onnx
from frameworks.recipe import Variant
from frameworks.sklearn.convert import ConvertError
from frameworks.sklearn.projector import Choice, Projector, fit

TOLERANCE = {"float32": 1e-5, "float16": 2e-3}
FORMS = [("numpy", "float32"), ("numpy", "float16"), ("onnx", "float32")]
FEATURES = (np.random.default_rng(0).normal(3, 2, (60, 40)) * np.geomspace(0.01, 100, 40)).astype(np.float32)


@pytest.fixture(scope="module")
def projector() -> Projector:
    return fit(Part(FEATURES, np.arange(60) // 6), Choice(16, "within", 0.3, True, 0.5, 0.1, 3, 2))


@pytest.fixture(scope="module")
def examples() -> Examples:
    part = Part(FEATURES, np.arange(60) // 6)
    return Examples(("a",), "verify", "eer", part, part, part)


@pytest.fixture
def convert(examples: Examples, tmp_path: Path) -> Callable[..., Path]:
    def make(network: Any, backend: str, precision: str, name: str = "model", **more: Any) -> Path:
        file = tmp_path / f"{name}-{precision}.{backend}"
        sklearn.convert(network, {}, Variant(backend=backend, precision=precision), examples, file, **more)
        return file

    return make


def answer(file: Path, backend: str, features: np.ndarray) -> np.ndarray:
    session = open_session(backend, file, 1)
    try:
        return session.run(features)
    finally:
        session.close()


@pytest.mark.parametrize(("backend", "precision"), FORMS)
@pytest.mark.parametrize("normalise", [True, False])
def test_files_answer_as_the_network(
    projector: Projector, convert: Callable[..., Path], backend: str, precision: str, normalise: bool
) -> None:
    choice = Choice(16, "within", 0.3, normalise, 0.5, 0.1, 3, 2)
    network = fit(Part(FEATURES, np.arange(60) // 6), choice)
    wanted = sklearn.predict(network, FEATURES)
    found = answer(convert(network, backend, precision), backend, FEATURES)
    assert found.shape == wanted.shape == (60, 16)
    np.testing.assert_allclose(found, wanted, atol=TOLERANCE[precision] * np.abs(wanted).max())
    one = answer(convert(network, backend, precision), backend, FEATURES[:1])
    np.testing.assert_allclose(one, wanted[:1], atol=TOLERANCE[precision] * np.abs(wanted).max())


def test_float16_is_half(projector: Projector, convert: Callable[..., Path]) -> None:
    single, half = (convert(projector, "numpy", form).stat().st_size for form in ("float32", "float16"))
    assert half < 0.7 * single


def test_the_onnx_file_is_what_it_says(projector: Projector, convert: Callable[..., Path]) -> None:
    audit = onnx.audit(convert(projector, "onnx", "float32"))
    assert audit.problems("float32") == []
    assert set(audit.weights) == {"float32"}


def test_the_same_bytes_in_another_process(projector: Projector, convert: Callable[..., Path], tmp_path: Path) -> None:
    sklearn.save(projector, tmp_path / "network")
    code = """
import sys, pathlib
from frameworks import sklearn
from frameworks.recipe import Variant
folder = pathlib.Path(sys.argv[1])
for backend, precision in (("numpy", "float32"), ("numpy", "float16"), ("onnx", "float32")):
    variant = Variant(backend=backend, precision=precision)
    sklearn.convert(sklearn.load(folder / "network"), {}, variant, None, folder / f"again-{precision}.{backend}")
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    for backend, precision in FORMS:
        here = convert(projector, backend, precision)
        assert here.read_bytes() == (tmp_path / f"again-{precision}.{backend}").read_bytes()


@pytest.mark.parametrize(
    ("backend", "precision", "micro"),
    [("tflite", "int8", True), ("numpy", "int8", False), ("onnx", "float16", False), ("numpy", "float32", True)],
)
def test_forms_there_are_not(
    projector: Projector, convert: Callable[..., Path], backend: str, precision: str, micro: bool
) -> None:
    with pytest.raises(ConvertError, match="it has: numpy float32, numpy float16, onnx float32"):
        convert(projector, backend, precision, micro=micro)


def test_features_that_do_not_fit(projector: Projector) -> None:
    with pytest.raises(ValueError, match=r"shape \(3, 41\) for a projector of 40"):
        sklearn.predict(projector, np.zeros((3, 41), np.float32))


def test_the_fastest_call_is_the_same_answer(projector: Projector) -> None:
    call = sklearn.caller(projector)
    np.testing.assert_allclose(call(FEATURES[:1]), sklearn.predict(projector, FEATURES)[:1], atol=1e-6)
