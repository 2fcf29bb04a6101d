"""A model proves itself against recorded answers, and says how far away it is when it does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest

Make = Callable[..., Path]


def recorded(folder: Path, **changes: Any) -> None:
    """Write the golden vectors again with some arrays replaced, and their new hash into the manifest."""
    import hashlib

    with np.load(folder / "golden.npz") as archive:
        arrays = {name.replace("/", "|"): archive[name] for name in archive.files}
    arrays = {name.replace("|", "/"): array for name, array in arrays.items()} | changes
    np.savez(folder / "golden.npz", **{name: array for name, array in arrays.items() if array is not None})
    described(folder, hashlib.sha256((folder / "golden.npz").read_bytes()).hexdigest())


def described(folder: Path, sha256: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["golden"] |= {"bytes": (folder / "golden.npz").stat().st_size, "sha256": sha256}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("variant", ["float", "int8", "onnx", "half"])
def test_a_true_model(published: Make, variant: str) -> None:
    with pp.load("tones", registry=published(edge=[variant])) as model:
        proof = model.verify()
    assert (proof.model, proof.variant, proof.clips) == ("tones", variant, 3)
    assert proof.features <= 1e-4
    assert proof.scores <= 1e-5


@pytest.mark.parametrize(("name", "far"), [("features", "features"), ("scores/edge/onnx", "scores")])
def test_a_model_that_drifted(draft: Make, name: str, far: str) -> None:
    folder = draft(edge=["onnx"])
    with np.load(folder / "golden.npz") as archive:
        array = archive[name].copy()
    array.flat[0] += 0.5
    recorded(folder, **{name: array})
    with pp.open_folder(folder) as model, pytest.raises(pp.VerificationError, match=f"{far} are 0.5 away") as caught:
        model.verify()
    assert caught.value.distances[far] == pytest.approx(0.5, abs=1e-3)
    assert caught.value.tolerances == {"features": 1e-4, "scores": 1e-5}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scores/edge/onnx": None}, "lack scores/edge/onnx"),
        ({"sample_rate": np.array([16000, 16000])}, "unequal shapes"),
        ({"audio": np.zeros((2, 16000), np.float32)}, "unequal shapes"),
        ({"audio": np.array(["a", "b", "c"], object)}, "cannot be read"),
    ],
)
def test_broken_vectors(draft: Make, changes: dict[str, Any], words: str) -> None:
    folder = draft(edge=["onnx"])
    recorded(folder, **changes)
    with pp.open_folder(folder) as model, pytest.raises(pp.VerificationError, match=words):
        model.verify()


def test_vectors_are_checked_before_they_are_read(draft: Make) -> None:
    folder = draft(edge=["onnx"])
    data = bytearray((folder / "golden.npz").read_bytes())
    data[100] ^= 1
    (folder / "golden.npz").write_bytes(data)
    with pp.open_folder(folder) as model, pytest.raises(pp.IntegrityError, match=r"golden\.npz: sha256"):
        model.verify()


def test_a_file_that_is_no_archive(draft: Make) -> None:
    import hashlib

    folder = draft(edge=["onnx"])
    (folder / "golden.npz").write_bytes(b"nothing")
    described(folder, hashlib.sha256(b"nothing").hexdigest())
    with pp.open_folder(folder) as model, pytest.raises(pp.VerificationError, match="cannot be read"):
        model.verify()


def test_a_model_without_vectors(draft: Make) -> None:
    folder = draft(edge=["onnx"])
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "golden": None}))
    with pp.open_folder(folder) as model, pytest.raises(pp.VerificationError, match="no golden vectors"):
        model.verify()
