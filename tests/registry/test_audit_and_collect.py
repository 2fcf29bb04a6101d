"""The audit names everything that is wrong; a collection removes only what no version needs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pianissimo as pp
import pytest
from pianissimo import layout

import registry
from registry.collect import Collected

Make = Callable[..., tuple[dict[str, Any], dict[str, Path]]]
WHO = ("tester", "a test")
BOTH = ("candidate", "stable")
MANIFEST = layout.manifest_key("keywords", 1)
STABLE = layout.channel_key("keywords", "stable")


@pytest.fixture
def filled(tmp_path: Path, draft: Make) -> registry.Store:
    store = registry.open_store(str(tmp_path / "registry"))
    for number in range(1, 4):
        registry.publish(store, *draft(f"weights {number}".encode()), BOTH, *WHO)
    return store


def rewrite(store: registry.Store, key: str, change: Callable[[Any], Any]) -> None:
    data = store.get(key)
    assert store.compare_and_swap(key, data, json.dumps(change(json.loads(data))).encode())


def weights(store: registry.Store, number: int = 1) -> str:
    manifest = pp.manifest.loads(store.get(layout.manifest_key("keywords", number)))
    return layout.blob_key(next(manifest.files()).sha256)


def test_a_sound_registry(filled: registry.Store) -> None:
    found = registry.audit(filled)
    assert found.problems == []
    assert (found.documents, found.blobs, found.unneeded, found.unsigned) == (5, 5, 0, 5)


def changed_blob(store: registry.Store) -> str:
    key = weights(store)
    assert store.compare_and_swap(key, store.get(key), b"Weights 1")
    return key


def lost_blob(store: registry.Store) -> str:
    store.delete(weights(store))
    return weights(store)


def broken_manifest(store: registry.Store) -> str:
    rewrite(store, MANIFEST, lambda text: {**text, "surprise": 1})
    return MANIFEST


def manifest_elsewhere(store: registry.Store) -> str:
    rewrite(store, MANIFEST, lambda text: {**text, "version": 2})
    return MANIFEST


def other_size(store: registry.Store) -> str:
    def change(text: Any) -> Any:
        text["platforms"]["edge"]["variants"][0]["files"][0]["bytes"] += 1
        return text

    rewrite(store, MANIFEST, change)
    return weights(store)


def channel_to_nowhere(store: registry.Store) -> str:
    step = {"version": 9, "from": 3, "who": "w", "when": "t", "why": "y"}
    rewrite(store, STABLE, lambda text: {**text, "version": 9, "history": [*text["history"], step]})
    return STABLE


def lost_move(store: registry.Store) -> str:
    rewrite(store, STABLE, lambda text: {**text, "history": [text["history"][0], text["history"][2]]})
    return STABLE


def broken_yank(store: registry.Store) -> str:
    key = layout.yank_key("keywords", 2)
    store.put_if_absent(key, b"[]")
    return key


@pytest.mark.parametrize(
    "harm",
    [
        changed_blob, lost_blob, broken_manifest, manifest_elsewhere, other_size, channel_to_nowhere, lost_move,
        broken_yank,
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(filled: registry.Store, harm: Callable[[registry.Store], str]) -> None:
    key = harm(filled)
    assert [place for place, _ in registry.audit(filled).problems] == [key]


def test_only_what_no_version_needs_is_collected(filled: registry.Store) -> None:
    filled.put_if_absent(layout.blob_key("0" * 64), b"left by a publisher that was killed")
    before = filled.list("")
    assert registry.collect(filled).blobs == []
    dry = registry.collect(filled, hours=0, dry=True)
    assert filled.list("") == before
    assert registry.collect(filled, hours=0) == dry == Collected(blobs=[layout.blob_key("0" * 64)])
    assert set(before) - set(filled.list("")) == {layout.blob_key("0" * 64)}
    assert registry.audit(filled).problems == []


def test_a_blob_becomes_old_by_the_stores_clock(filled: registry.Store) -> None:
    key = layout.blob_key("0" * 64)
    filled.put_if_absent(key, b"x")
    long_ago = time.time() - 3 * 3600
    os.utime(Path(filled.root, key), (long_ago, long_ago))
    assert registry.collect(filled, hours=4).blobs == []
    assert registry.collect(filled, hours=2).blobs == [key]


def test_retention_keeps_the_newest_and_whatever_is_in_use(filled: registry.Store, draft: Make) -> None:
    for number in range(4, 8):
        registry.publish(filled, *draft(f"weights {number}".encode()), ["candidate"], *WHO)
    registry.yank(filled, "keywords", 6, *WHO, instead=4)
    lost = weights(filled)
    # 7 is the newest, candidate names 7 and would go back to 5, stable names 3 and would go back to 2
    assert registry.collect(filled, keep=1, hours=0, dry=True).versions == [("keywords", n) for n in (1, 4, 6)]
    # with 6, what is used instead of it stays too
    done = registry.collect(filled, keep=2, hours=0)
    assert done.versions == [("keywords", 1)]
    assert done.blobs == [lost]
    assert registry.audit(filled).problems == []
    assert registry.rollback(filled, "keywords", "stable", *WHO).version == 2
    assert registry.publish(filled, *draft(b"weights 8"), ["candidate"], *WHO).version == 8


def test_signatures_of_documents_that_are_gone(tmp_path: Path, draft: Make) -> None:
    signer = registry.signing.make(tmp_path / "signing.pem")
    store = registry.open_store(str(tmp_path / "registry"))
    for number in range(3):
        registry.publish(store, *draft(f"weights {number}".encode()), BOTH, *WHO, signer)
    assert registry.collect(store, hours=0, dry=True).signatures == registry.collect(store, hours=0).signatures
    assert registry.audit(store, signer.public).problems == []
    assert len(store.list("signatures/")) == 5


def test_a_broken_document_stops_a_collection(filled: registry.Store) -> None:
    broken_manifest(filled)
    filled.put_if_absent(layout.blob_key("0" * 64), b"x")
    before = filled.list("")
    with pytest.raises(pp.ManifestError, match="surprise"):
        registry.collect(filled, keep=1, hours=0)
    assert filled.list("") == before


@pytest.mark.parametrize("wrong", [{"keep": 0}, {"hours": -1.0}, {"hours": float("nan")}])
def test_impossible_retention(filled: registry.Store, wrong: dict[str, Any]) -> None:
    with pytest.raises(pp.RegistryError, match="or more"):
        registry.collect(filled, **wrong)


class Meddled:
    """A store in which something else happens just before one operation, once."""

    def __init__(self, store: registry.Store, operation: str, happening: Callable[[], object]) -> None:
        self._store, self._operation, self._happening = store, operation, happening

    def __getattr__(self, name: str) -> Any:
        if name == self._operation:
            self._operation = ""
            self._happening()
        return getattr(self._store, name)


def test_a_version_that_comes_into_use_while_it_is_removed_is_put_back(filled: registry.Store) -> None:
    meddled = Meddled(filled, "delete", lambda: registry.promote(filled, "keywords", "beta", 1, *WHO))
    assert registry.collect(meddled, keep=1, hours=0).versions == []  # type: ignore[arg-type]
    assert registry.audit(filled).problems == []


def test_a_version_published_during_a_collection_keeps_its_blobs(filled: registry.Store, draft: Make) -> None:
    """Its blob was garbage when the collection began, and is needed when it comes to it."""
    orphan = draft(b"weights 9")
    files = {name: path for name, path in orphan[1].items() if name.startswith("edge")}
    key = layout.blob_key(orphan[0]["platforms"]["edge"]["variants"][0]["files"][0]["sha256"])
    filled.put_if_absent(key, *files.values())
    meddled = Meddled(filled, "age", lambda: registry.publish(filled, *orphan, BOTH, *WHO))
    assert registry.collect(meddled, hours=0).blobs == []  # type: ignore[arg-type]
    assert registry.audit(filled).problems == []


def test_a_collection_during_publishing_loses_nothing(filled: registry.Store, draft: Make) -> None:
    """Run before each of its steps: what publishing put and nobody needs yet is removed, and put again."""
    for operation in ("put_if_absent", "list", "compare_and_swap", "get"):
        meddled = Meddled(filled, operation, lambda: registry.collect(filled, hours=0))
        registry.publish(meddled, *draft(f"weights {operation}".encode()), BOTH, *WHO)  # type: ignore[arg-type]
        assert registry.audit(filled).problems == []
