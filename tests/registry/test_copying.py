"""A copy of a registry: the same to every consumer, whole at every moment, refused where somebody else publishes."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pianissimo as pp
import pytest
from pianissimo import layout, signature
from pianissimo import store as reading

import registry
from tests.registry.mortal import Killed, Mortal, complete

Make = Callable[..., tuple[dict[str, Any], dict[str, Path]]]
WHO = ("tester", "a test")
BOTH = ("candidate", "stable")


@pytest.fixture
def source(tmp_path: Path, draft: Make, signer: registry.Signer) -> registry.Store:
    store = registry.open_store(str(tmp_path / "source"))
    wheel = tmp_path / "pianissimo-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pianissimo/__init__.py", "")
    registry.put_runtime(store, wheel, signer=signer)
    for number in (1, 2):
        registry.publish(store, *draft(f"weights {number}".encode()), BOTH, *WHO, signer)
        registry.put_card(store, "keywords", number, f"# keywords {number}", signer)
    return store


def contents(store: registry.Store) -> dict[str, bytes]:
    """Without the page, which says where it lies, and the signatures, some of which are of channels before they moved."""
    return {key: store.get(key) for key in store.list("") if not key.startswith((layout.page_key(), "signatures/"))}


def test_it_is_the_same_to_consumers_and_later_only_what_is_new_is_written(
    source: registry.Store, root: str, draft: Make, signer: registry.Signer
) -> None:
    target = registry.open_store(root)
    done = registry.copy(source, target)
    assert (done.documents, done.blobs, done.there) == (7, 4, 0)  # a wheel, two cards, manifests and channels
    assert contents(target) == contents(source)
    assert registry.audit(target, signer.public).problems == []
    assert "keywords" in target.get(layout.page_key()).decode()
    registry.publish(source, *draft(b"weights 3"), BOTH, *WHO, signer)
    registry.rollback(source, "keywords", "stable", *WHO, signer)
    done = registry.copy(source, target)
    assert (done.documents, done.blobs) == (3, 1)
    assert contents(target) == contents(source)
    trusted = reading.open_registry(root, trust=signature.Trust((signer.public,)))
    assert trusted.manifest("keywords").version == 2
    assert registry.copy(source, target).documents == 0


def test_killed_at_every_write(source: registry.Store, tmp_path: Path) -> None:
    target = str(tmp_path / "target")
    for write in range(1, 100):
        try:
            registry.copy(source, Mortal(registry.open_store(target), write, write % 2 == 0))
        except Killed:
            complete(target)
        else:
            break
    assert write > 5
    assert contents(registry.open_store(target)) == contents(source)


def test_a_place_where_somebody_else_publishes_is_left_as_it_is(
    source: registry.Store, tmp_path: Path, draft: Make
) -> None:
    other = registry.open_store(str(tmp_path / "other"))
    registry.publish(other, *draft(b"others"), BOTH, *WHO)
    before = contents(other)
    with pytest.raises(pp.RegistryError, match=r"manifest\.json is another one there; allowed: an empty place"):
        registry.copy(source, other)
    assert contents(other) == before


def test_a_channel_that_was_moved_there_is_left_as_it_is(
    source: registry.Store, tmp_path: Path, signer: registry.Signer
) -> None:
    target = registry.open_store(str(tmp_path / "target"))
    registry.copy(source, target)
    registry.rollback(target, "keywords", "stable", *WHO, signer)
    with pytest.raises(pp.RegistryError, match=r"channels/stable\.json is another one there"):
        registry.copy(source, target)
    assert reading.open_registry(target.root).manifest("keywords").version == 1


def test_a_damaged_blob_goes_no_further(source: registry.Store, tmp_path: Path) -> None:
    key = next(key for key in source.list(layout.blob_key("")) if source.get(key) == b"weights 1")
    source.compare_and_swap(key, b"weights 1", b"Weights 1")
    target = registry.open_store(str(tmp_path / "target"))
    with pytest.raises(pp.IntegrityError, match="sha256"):
        registry.copy(source, target)
    assert not [key for key in target.list("") if not key.startswith(layout.blob_key(""))]
