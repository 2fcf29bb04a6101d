"""The plain-array backend computes what its program says, and refuses a file that does not fit itself."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pianissimo.backends import arrays, open_session

STEPS: list[dict[str, Any]] = [
    {"op": "input", "shape": [4, 3]},
    {"op": "flatten"},
    {"op": "affine", "arrays": {"scale": "scale", "shift": "shift"}},
    {"op": "dense", "arrays": {"weight": "w0", "bias": "b0"}},
    {"op": "relu"},
    {"op": "dense", "arrays": {"weight": "w1", "bias": "b1"}},
    {"op": "softmax"},
]
RNG = np.random.default_rng(11)
ARRAYS: dict[str, np.ndarray] = {
    "scale": RNG.normal(1, 0.1, 12).astype(np.float32),
    "shift": RNG.normal(0, 0.1, 12).astype(np.float32),
    "w0": RNG.normal(0, 0.5, (12, 8)).astype(np.float16),
    "b0": RNG.normal(0, 0.5, 8).astype(np.float32),
    "w1": RNG.normal(0, 0.5, (8, 5)).astype(np.float32),
    "b1": np.zeros(5, np.float32),
}
FEATURES = RNG.normal(0, 1, (6, 4, 3)).astype(np.float32)


def expected(features: np.ndarray) -> np.ndarray:
    """The same network in double precision."""
    held = {name: array.astype(np.float64) for name, array in ARRAYS.items()}
    hidden = np.maximum((features.reshape(-1, 12) * held["scale"] + held["shift"]) @ held["w0"] + held["b0"], 0)
    powers = np.exp(hidden @ held["w1"] + held["b1"])
    return powers / powers.sum(axis=1, keepdims=True)


def saved(path: Path, program: Any, members: dict[str, Any]) -> Path:
    """Written past `arrays.write`, which would refuse."""
    text = program if isinstance(program, str) else json.dumps(program)
    np.savez(path, program=np.frombuffer(text.encode(), np.uint8), **members)
    return path


def test_computes_its_program(tmp_path: Path) -> None:
    arrays.write(tmp_path / "net.npz", STEPS, ARRAYS)
    session = open_session("numpy", tmp_path / "net.npz", 1)
    outputs = session.run(FEATURES)
    assert (outputs.dtype, outputs.shape) == (np.float32, (6, 5))
    np.testing.assert_allclose(outputs, expected(FEATURES), atol=1e-6)
    with ThreadPoolExecutor(8) as pool:
        for run in [pool.submit(session.run, FEATURES) for _ in range(50)]:
            np.testing.assert_array_equal(run.result(), outputs)
    session.close()
    with pytest.raises(pp.BackendFailedError, match="closed"):
        session.run(FEATURES)


@pytest.mark.parametrize(
    ("op", "compute"),
    [
        ("relu", lambda x: np.maximum(x, 0)),
        ("tanh", np.tanh),
        ("softmax", lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
        ("l2", lambda x: x / np.sqrt((x**2).sum(-1, keepdims=True))),
        ("flatten", lambda x: x.reshape(len(x), -1)),
    ],
)
def test_each_operation(tmp_path: Path, op: str, compute: Any) -> None:
    arrays.write(tmp_path / "net.npz", [STEPS[0], {"op": op}], {})
    outputs = open_session("numpy", tmp_path / "net.npz", 1).run(FEATURES)
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs, compute(FEATURES.astype(np.float64)), rtol=1e-5, atol=1e-6)


def test_extremes_stay_finite(tmp_path: Path) -> None:
    arrays.write(tmp_path / "soft.npz", [{"op": "input", "shape": [2]}, {"op": "softmax"}], {})
    arrays.write(tmp_path / "unit.npz", [{"op": "input", "shape": [2]}, {"op": "l2"}], {})
    soft, unit = (open_session("numpy", tmp_path / name, 1) for name in ("soft.npz", "unit.npz"))
    np.testing.assert_array_equal(soft.run(np.array([[1e4, -1e4]], np.float32)), [[1, 0]])
    np.testing.assert_array_equal(unit.run(np.zeros((1, 2), np.float32)), [[0, 0]])


def test_an_axis_of_any_length(tmp_path: Path) -> None:
    """A frame-wise network: dense over the last axis of (frames, 3)."""
    steps = [{"op": "input", "shape": [None, 3]}, {"op": "dense", "arrays": {"weight": "w", "bias": "b"}}]
    members = {"w": np.eye(3, 2, dtype=np.float32), "b": np.ones(2, np.float32)}
    arrays.write(tmp_path / "net.npz", steps, members)
    session = open_session("numpy", tmp_path / "net.npz", 1)
    for frames in (1, 7):
        features = RNG.normal(0, 1, (1, frames, 3)).astype(np.float32)
        np.testing.assert_allclose(session.run(features), features[..., :2] + 1, rtol=1e-6)
    with pytest.raises(ValueError, match=r"features of shape \(7, 4\) for an input of shape \(None, 3\)"):
        session.run(np.zeros((1, 7, 4), np.float32))


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    arrays.write(tmp_path / "a.npz", STEPS, ARRAYS)
    mixed = dict(reversed([(name, np.asfortranarray(array)) for name, array in ARRAYS.items()]))
    arrays.write(tmp_path / "b.npz", [dict(reversed(step.items())) for step in STEPS], mixed)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as stored:
        assert {member.date_time for member in stored.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    with np.load(tmp_path / "a.npz", allow_pickle=False) as loaded:
        np.testing.assert_array_equal(loaded["w0"], ARRAYS["w0"])
        assert loaded["w0"].dtype == np.float16


def test_a_program_may_be_text(tmp_path: Path) -> None:
    np.savez(tmp_path / "net.npz", program=np.array(json.dumps(STEPS)), **ARRAYS)
    np.testing.assert_allclose(
        open_session("numpy", tmp_path / "net.npz", 1).run(FEATURES), expected(FEATURES), atol=1e-6
    )


def replaced(at: int, step: Any) -> list[Any]:
    return [*STEPS[:at], step, *STEPS[at + 1 :]]


DENSE = {"op": "dense", "arrays": {"weight": "w0", "bias": "b0"}}
BAD_PROGRAMS: list[tuple[Any, str]] = [
    (replaced(4, {"op": "gelu"}), r"program\[4\]\.op: found 'gelu'; allowed: flatten, affine, dense"),
    (replaced(4, {}), r"program\[4\]\.op"),
    (replaced(4, "relu"), r"program\[4\]"),
    (replaced(4, {"op": "relu", "alpha": 0.1}), r"program\[4\]\.alpha: found an unknown key"),
    (replaced(4, {"op": "relu", "arrays": {}}), r"program\[4\]\.arrays"),
    (replaced(3, {"op": "dense"}), r"program\[3\]\.arrays"),
    (replaced(3, {"op": "dense", "arrays": {"weight": "w0"}}), r"program\[3\]\.arrays\.bias"),
    (
        replaced(3, {"op": "dense", "arrays": {"weight": "w9", "bias": "b0"}}),
        r"program\[3\] names w9; there are b0, b1",
    ),
    (replaced(3, {"op": "dense", "arrays": {"weight": 7, "bias": "b0"}}), r"weight"),
    (replaced(5, DENSE), r"program\[5\], dense: weight of shape \(12, 8\) for an input of shape \(8,\)"),
    (replaced(3, {"op": "dense", "arrays": {"weight": "w0", "bias": "b1"}}), r"bias of shape \(5,\)"),
    (replaced(2, {"op": "affine", "arrays": {"scale": "b0", "shift": "shift"}}), r"scale of shape \(8,\)"),
    (replaced(0, {"op": "input", "shape": [5, 3]}), r"program\[3\]|program\[2\]"),
    (replaced(0, {"op": "input", "shape": [None, 3]}), r"program\[1\], flatten"),
    (replaced(0, {"op": "input", "shape": [0, 3]}), r"program\[0\]\.shape\[0\]"),
    (replaced(0, {"op": "input", "shape": []}), r"program\[0\]\.shape"),
    (STEPS[1:], r"program\[0\]"),
    (STEPS[:1], r"program: .*at least 2"),
    (STEPS[:5] + STEPS[6:], "arrays no step names: b1, w1"),
    ({"steps": STEPS}, "an array of at least 2"),
    ("[", "no JSON"),
    ('[{"op": NaN}]', "finite numbers"),
]


@pytest.mark.parametrize(("program", "words"), BAD_PROGRAMS)
def test_refuses_a_program(tmp_path: Path, program: Any, words: str) -> None:
    saved(tmp_path / "net.npz", program, ARRAYS)
    with pytest.raises(pp.BackendFailedError, match=words):
        open_session("numpy", tmp_path / "net.npz", 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"w0": ARRAYS["w0"].astype(np.float64)}, "w0 is float64; allowed: float16, float32"),
        ({"w0": ARRAYS["w0"].astype(np.int8)}, "w0 is int8"),
        ({"b0": np.full(8, np.nan, np.float32)}, "b0 holds NaN"),
        ({"b0": np.full(8, np.inf, np.float16)}, "b0 holds NaN or infinity"),
        ({"w0": ARRAYS["w0"][:, :, None]}, r"weight of shape \(12, 8, 1\)"),
        ({"b0": np.array([None] * 8)}, "b0.npy is no plain array"),
    ],
)
def test_refuses_arrays(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    saved(tmp_path / "net.npz", STEPS, ARRAYS | changes)
    with pytest.raises(pp.BackendFailedError, match=words):
        open_session("numpy", tmp_path / "net.npz", 1)


def test_refuses_what_it_would_not_read(tmp_path: Path) -> None:
    for steps, members in [
        (STEPS, {"w0": ARRAYS["w0"]}),
        (STEPS[:5], ARRAYS),
        (STEPS, ARRAYS | {"program": ARRAYS["b0"]}),
    ]:
        with pytest.raises(ValueError, match=r"allowed|there are|no step"):
            arrays.write(tmp_path / "net.npz", steps, members)
    assert not (tmp_path / "net.npz").exists()


def test_files_that_are_no_archive(tmp_path: Path) -> None:
    np.savez(tmp_path / "bare.npz", **ARRAYS)
    np.save(tmp_path / "one.npy", ARRAYS["w0"])
    (tmp_path / "text.npz").write_bytes(b"no archive")
    np.savez(tmp_path / "odd.npz", program=np.zeros(3))
    for name, words in [
        ("bare.npz", "no program among b0"),
        ("one.npy", "not a readable"),
        ("text.npz", "not a readable"),
        ("odd.npz", "a program of float64"),
        ("absent.npz", "not a readable"),
    ]:
        with pytest.raises(pp.BackendFailedError, match=words):
            open_session("numpy", tmp_path / name, 1)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_refused_or_harmless(tmp_path: Path, data: st.DataObject) -> None:
    content = io.BytesIO()
    np.savez(content, program=np.frombuffer(json.dumps(STEPS).encode(), np.uint8), **ARRAYS)
    damaged = bytearray(content.getvalue())
    at = data.draw(st.integers(0, len(damaged) - 1))
    damaged[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
    (tmp_path / "net.npz").write_bytes(damaged)
    with contextlib.suppress(pp.BackendFailedError):
        outputs = open_session("numpy", tmp_path / "net.npz", 1).run(FEATURES)
        np.testing.assert_allclose(outputs, expected(FEATURES), atol=1e-6)
