"""Loading checks every file first, takes the first variant that opens, and says what was wrong otherwise."""

from __future__ import annotations

import builtins
import json
import logging
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from pianissimo import backends

Make = Callable[..., Path]


def edited(folder: Path, **changes: Any) -> Path:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, **changes}))
    return folder


def blob(root: Path, model: pp.Model) -> Path:
    return root / "blobs" / "sha256" / model.info.files[0].sha256


def test_registry_and_folder_give_the_same_model(published: Make, tmp_path: Path) -> None:
    root = published(edge=["int8"])
    with pp.load("tones", "edge", registry=root) as loaded, pp.open_folder(tmp_path / "build", "edge") as opened:
        features = loaded.features(np.zeros(16000, np.float32), 16000)
        np.testing.assert_array_equal(loaded.scores(features), opened.scores(features))
        assert (loaded.info.version, opened.info.version) == (1, None)
        assert loaded.info.figures == {"accuracy": 0.9}


def test_the_environment_names_the_registry(published: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIANISSIMO_REGISTRY", str(published(edge=["onnx"])))
    assert pp.load("tones").info.backend == "onnx"


def test_without_a_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PIANISSIMO_REGISTRY", raising=False)
    monkeypatch.setenv("PIANISSIMO_CACHE", str(tmp_path))
    with pytest.raises(pp.RegistryError, match="PIANISSIMO_REGISTRY=FOLDER"):
        pp.load("tones")


@pytest.mark.parametrize("root", ["gs://bucket/models", "https://example.org", "/no/such/folder"])
def test_registries_that_cannot_be(root: str) -> None:
    with pytest.raises(pp.RegistryError, match=r"allowed: a .*folder"):
        pp.load("tones", registry=root)


def test_unknown_names_list_the_known(published: Make) -> None:
    root = published(edge=["onnx"], server=["half"])
    for wanted, known in [
        ({"name": "keywords"}, "known: tones"),
        ({"name": "tones", "channel": "beta"}, "known: candidate, stable"),
        ({"name": "tones", "version": 9}, "known: 1"),
    ]:
        with pytest.raises(pp.ModelNotFoundError, match=known):
            pp.load(**{"registry": root, "platform": "edge", **wanted})  # type: ignore[arg-type]
    with pytest.raises(pp.PlatformNotFoundError, match="there are several; known: edge, server"):
        pp.load("tones", registry=root)
    with pytest.raises(pp.PlatformNotFoundError, match="no platform phone; too slow; known: edge, server"):
        pp.load("tones", "phone", registry=root)
    with pytest.raises(pp.ManifestError, match="a-z"):
        pp.load("../tones", registry=root)


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(pp.RegistryError, match=r"manifest\.json"):
        pp.open_folder(tmp_path)


def test_a_named_variant_or_nothing(draft: Make) -> None:
    folder = draft(edge=["int8", "onnx"])
    assert pp.open_folder(folder, variant="onnx").info.variant == "onnx"
    with pytest.raises(pp.PlatformNotFoundError, match="known: int8, onnx"):
        pp.open_folder(folder, variant="float16")


def test_one_flipped_byte_is_found_before_anything_opens(published: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = published(edge=["int8", "onnx"])
    path = blob(root, pp.load("tones", registry=root))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    monkeypatch.setattr("pianissimo.loader.open_session", lambda *_: pytest.fail("a wrong file was opened"))
    with pytest.raises(pp.IntegrityError, match=r"edge/int8\.tflite: sha256") as caught:
        pp.load("tones", registry=root)
    assert caught.value.expected == path.name
    assert caught.value.found != path.name


@pytest.mark.parametrize("what", ["bytes", "the file"])
def test_a_short_or_missing_file(published: Make, what: str) -> None:
    root = published(edge=["onnx"])
    path = blob(root, pp.load("tones", registry=root))
    if what == "bytes":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    with pytest.raises(pp.IntegrityError, match=f"float.onnx: {what}"):
        pp.load("tones", registry=root)


def test_a_manifest_filed_under_another_version(published: Make) -> None:
    root = published(edge=["onnx"])
    versions = root / "models" / "tones" / "versions"
    (versions / "2").mkdir()
    (versions / "2" / "manifest.json").write_bytes((versions / "1" / "manifest.json").read_bytes())
    with pytest.raises(pp.ManifestError, match="filed under"):
        pp.load("tones", version=2, registry=root)


def test_a_document_of_many_gigabytes_is_not_read(published: Make) -> None:
    root = published(edge=["onnx"])
    os.truncate(root / "models/tones/versions/1/manifest.json", 2**38)
    with pytest.raises(pp.ManifestError, match="allowed: at most 16777216 bytes"):
        pp.load("tones", registry=root)


@pytest.mark.parametrize("name", ["two words", "größer/音", "back\\slash", "a;b&c $HOME 'd' %20", "-x"])
def test_a_registry_at_any_path(published: Make, tmp_path: Path, name: str) -> None:
    place = tmp_path / "moved" / name
    place.parent.mkdir(parents=True)
    published(edge=["onnx"]).rename(place)
    assert pp.load("tones", registry=place).info.version == 1
    assert pp.load("tones", registry=f"{place}/").info.version == 1


def test_a_model_for_a_later_runtime(draft: Make) -> None:
    with pytest.raises(pp.ManifestError, match="upgrade"):
        pp.open_folder(edited(draft(edge=["onnx"]), least_runtime="99.0"))


@pytest.mark.parametrize("threads", [0, -1, 1.5, True])
def test_threads(draft: Make, threads: Any) -> None:
    with pytest.raises(pp.BackendFailedError, match="1 or more"):
        pp.open_folder(draft(edge=["onnx"]), threads=threads)


@pytest.fixture
def no_tflite(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without ai-edge-litert, as the import system shows it."""
    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("ai_edge_litert"):
            raise ModuleNotFoundError("No module named 'ai_edge_litert'", name="ai_edge_litert")
        return real(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "pianissimo.backends.tflite", raising=False)
    monkeypatch.setattr(builtins, "__import__", refuse)


@pytest.mark.usefixtures("networks")
def test_the_next_variant_when_a_backend_is_missing(
    draft: Make, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    folder = draft(edge=["int8", "onnx"])
    request.getfixturevalue("no_tflite")
    with caplog.at_level(logging.WARNING, "pianissimo"):
        model = pp.open_folder(folder)
    assert model.info.variant == "onnx"
    assert [fallback.variant for fallback in model.info.fallbacks] == ["int8"]
    assert "pip install 'pianissimo[tflite]'" in caplog.text
    with pytest.raises(pp.BackendMissingError, match=r"pianissimo\[tflite\]"):
        pp.open_folder(folder, variant="int8")


def test_the_next_variant_when_a_file_does_not_open(draft: Make) -> None:
    folder = draft(edge=["int8", "onnx"])
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["platforms"]["edge"]["variants"][0]["backend"] = "onnx"
    edited(folder, **manifest)
    assert pp.open_folder(folder).info.variant == "onnx"
    with pytest.raises(pp.BackendFailedError, match="onnx failed"):
        pp.open_folder(folder, variant="int8")


def test_no_variant_opens(draft: Make) -> None:
    folder = draft(edge=["int8", "onnx"])
    manifest = json.loads((folder / "manifest.json").read_text())
    for variant in manifest["platforms"]["edge"]["variants"]:
        variant["backend"] = "abacus"
    edited(folder, **manifest)
    with pytest.raises(pp.BackendMissingError, match="this version knows tflite, onnx"):
        pp.open_folder(folder)


def test_each_backend_has_its_extra() -> None:
    assert {name: backend.extra for name, backend in backends.BACKENDS.items()} == {
        "tflite": "tflite",
        "onnx": "onnx",
        "numpy": None,
    }


@pytest.mark.parametrize(
    "error",
    [
        pp.AudioError("empty audio", "more"),
        pp.IntegrityError("f", "sha256", "a", "b"),
        pp.ModelNotFoundError("model a", ["b"], "/r"),
        pp.VerificationError("m", "far", {"scores": 1.0}, {"scores": 0.1}),
        pp.RegistryError("/r", "is full", "room"),
        pp.BackendFailedError("onnx", "f", "why"),
    ],
)
def test_errors_travel_between_processes(error: pp.PianissimoError) -> None:
    """A worker's error reaches its caller through multiprocessing with message and evidence."""
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
