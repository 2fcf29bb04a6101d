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


def unequal(assemble: Make, tmp_path: Path, count: int = 3) -> tuple[Path, dict[str, Any]]:
    """A model of clips of any length, and what its golden vectors are written from."""
    spec = {
        "kind": "log_mel_sequence",
        "sample_rate": 16000,
        "frame": 400,
        "hop": 160,
        "fft": 512,
        "mels": 4,
        "fmin": 20.0,
        "fmax": 8000.0,
    }
    folder = assemble(spec, [{"op": "input", "shape": [None, 4]}, {"op": "softmax"}], {}, task="transcribe")
    clips = [np.random.default_rng(n).normal(0, 0.1, 3000 + 700 * n).astype(np.float32) for n in range(count)]
    with pp.open_folder(folder) as model:
        features = [model.features(clip, 16000)[0] for clip in clips]
        scores = {"edge/plain": model.scores(features)}
    return folder, {"clips": clips, "rate": 16000, "features": features, "scores": scores}


def golden(folder: Path, content: dict[str, Any]) -> None:
    import hashlib

    pp.golden.write(folder / "golden.npz", **content)
    data = (folder / "golden.npz").read_bytes()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["golden"] = {"name": "golden.npz", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("count", [1, 3])
def test_clips_of_any_length(assemble: Make, tmp_path: Path, count: int) -> None:
    """One clip alone is of one shape and stored with the others' layout; either is replayed."""
    folder, content = unequal(assemble, tmp_path, count)
    golden(folder, content)
    with np.load(folder / "golden.npz", allow_pickle=False) as stored:
        assert ("audio" in stored.files, "audio/0" in stored.files) == (count == 1, count > 1)
        assert "scores/edge/plain" + "/2" * (count > 1) in stored.files
    with pp.open_folder(folder) as model:
        assert model.verify().clips == count


@pytest.mark.parametrize("far", ["features", "scores"])
def test_one_clip_of_several_that_drifted(assemble: Make, tmp_path: Path, far: str) -> None:
    folder, content = unequal(assemble, tmp_path)
    rows = content["features"] if far == "features" else content["scores"]["edge/plain"]
    rows[2] = rows[2] + np.float32(0.25)
    golden(folder, content)
    with pp.open_folder(folder) as model, pytest.raises(pp.VerificationError, match=f"{far} are 0.25 away"):
        model.verify()


def test_a_clip_with_other_frames_is_infinitely_far(assemble: Make, tmp_path: Path) -> None:
    folder, content = unequal(assemble, tmp_path)
    content["features"][1] = content["features"][1][:-1]
    golden(folder, content)
    with pp.open_folder(folder) as model, pytest.raises(pp.VerificationError, match="features are inf away"):
        model.verify()


def test_written_by_the_runtime_a_window_is_stacked(draft: Make) -> None:
    folder = draft(edge=["onnx"])
    with np.load(folder / "golden.npz") as stored:
        old = {name: stored[name] for name in stored.files}
    content = {"clips": list(old["audio"]), "rate": 16000, "features": old["features"]}
    golden(folder, content | {"scores": {"edge/onnx": old["scores/edge/onnx"]}})
    with np.load(folder / "golden.npz") as stored:
        assert set(stored.files) == set(old)
    with pp.open_folder(folder) as model:
        assert model.verify().clips == 3


def test_the_same_content_gives_the_same_bytes(assemble: Make, tmp_path: Path) -> None:
    _, content = unequal(assemble, tmp_path)
    for name in ("a", "b"):
        pp.golden.write(tmp_path / name, **content)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("name", ["clips", "features", "scores"])
def test_one_clip_too_few(assemble: Make, tmp_path: Path, name: str) -> None:
    _, content = unequal(assemble, tmp_path)
    content[name] = {"edge/plain": content[name]["edge/plain"][:2]} if name == "scores" else content[name][:2]
    with pytest.raises(ValueError, match="as many of each"):
        pp.golden.write(tmp_path / "golden.npz", **content)
