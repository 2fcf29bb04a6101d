"""Signatures: a key is made safely, what is published carries it, and a consumer that pins it takes nothing else."""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pianissimo as pp
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from pianissimo import layout, signature
from pianissimo import store as reading

import registry
from registry import signing

Make = Callable[..., tuple[dict[str, Any], dict[str, Path]]]
BOTH = ["candidate", "stable"]
MANIFEST = layout.manifest_key("keywords", 1)
STABLE = layout.channel_key("keywords", "stable")


@pytest.fixture
def store(tmp_path: Path) -> registry.Store:
    return registry.open_store(str(tmp_path / "registry"))


def consume(store: registry.Store, *keys: bytes, least: int | None = None, version: int | None = None) -> int | None:
    text = ",".join(map(signature.written, keys)) or None
    trust = signature.trust("keywords", text, least)
    return reading.open_registry(store.root, trust=trust).manifest("keywords", version=version).version


def overwrite(store: registry.Store, key: str, change: Callable[[Any], Any]) -> None:
    data = store.get(key)
    assert store.compare_and_swap(key, data, json.dumps(change(json.loads(data))).encode())


def test_a_key_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "signing.pem"
    made = signing.make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert signing.read(path).public == made.public
    with pytest.raises(pp.RegistryError, match="a key is there already"):
        signing.make(path)
    path.chmod(0o640)
    with pytest.raises(pp.RegistryError, match="others may read"):
        signing.read(path)


@pytest.mark.parametrize("mark", ["folder", "file"])
def test_no_key_in_a_git_work_tree(tmp_path: Path, mark: str, signer: signing.Signer) -> None:
    tree = tmp_path / "tree"
    (tree / "below").mkdir(parents=True)
    if mark == "folder":
        (tree / ".git").mkdir()
    else:
        (tree / ".git").write_text("gitdir: elsewhere\n")
    with pytest.raises(pp.RegistryError, match="git work tree"):
        signing.make(tree / "below" / "signing.pem")
    moved = tree / "signing.pem"
    (tmp_path / "keys" / "signing.pem").rename(moved)
    with pytest.raises(pp.RegistryError, match="git work tree"):
        signing.read(moved)
    link = tmp_path / "link.pem"
    link.symlink_to(moved)
    with pytest.raises(pp.RegistryError, match="git work tree"):
        signing.read(link)


def test_files_that_are_no_key(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    other = Ed448PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for content, words in ((b"nonsense", "no usable key"), (other, "of another kind")):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(pp.RegistryError, match=words):
            signing.read(path)
    with pytest.raises(pp.RegistryError, match="no usable key"):
        signing.read(tmp_path / "absent.pem")


def test_where_the_key_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(signing.ENVIRONMENT, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert signing.found() is None
    made = signing.make(signing.place())
    assert (tmp_path / "pianissimo" / "signing.pem").is_file()
    found = signing.found()
    assert found is not None
    assert found.public == made.public
    monkeypatch.setenv(signing.ENVIRONMENT, "")
    assert signing.found() is None
    monkeypatch.setenv(signing.ENVIRONMENT, str(tmp_path / "absent"))
    with pytest.raises(pp.RegistryError, match="no usable key"):
        signing.found()


def test_what_is_signed_is_believed(root: str, draft: Make, signer: signing.Signer) -> None:
    store = registry.open_store(root)
    registry.publish(store, *draft(), BOTH, "tester", "a test", signer)
    assert registry.audit(store, signer.public).problems == []
    if "://" not in root:
        assert consume(store, signer.public) == 1
        assert consume(store, signer.public, version=1) == 1


def test_publishing_again_signs_what_was_unsigned(store: registry.Store, draft: Make, signer: signing.Signer) -> None:
    registry.publish(store, *draft(), BOTH, "tester", "a test")
    with pytest.raises(pp.SignatureError, match="no signature"):
        consume(store, signer.public)
    assert registry.publish(store, *draft(), BOTH, "tester", "a test", signer) == registry.Published(
        "keywords", 1, False, []
    )
    assert consume(store, signer.public, version=1) == 1


def test_an_unsigned_registry_is_refused_and_taken_up(
    store: registry.Store, draft: Make, signer: signing.Signer
) -> None:
    registry.publish(store, *draft(), BOTH, "tester", "a test")
    assert consume(store) == 1
    for version in (None, 1):
        with pytest.raises(pp.SignatureError, match="no signature of its content"):
            consume(store, signer.public, version=version)
    assert len(signing.sign_everything(store, signer)) == 3
    assert signing.sign_everything(store, signer) == []
    assert consume(store, signer.public) == 1


def test_another_key_and_two_keys(store: registry.Store, draft: Make, signer: signing.Signer, tmp_path: Path) -> None:
    other = signing.make(tmp_path / "keys" / "other.pem")
    registry.publish(store, *draft(), BOTH, "tester", "a test", signer)
    with pytest.raises(pp.SignatureError, match=signature.name(other.public)):
        consume(store, other.public)
    assert consume(store, other.public, signer.public) == 1
    signing.sign_everything(store, other)
    assert consume(store, other.public) == 1


@pytest.mark.parametrize(
    "change", [lambda text: {**text, "labels": ["no", "yes"]}, lambda text: {**text, "created": "2030-01-01T00:00:00Z"}]
)
def test_a_manifest_that_was_changed(
    store: registry.Store, draft: Make, signer: signing.Signer, change: Callable[[Any], Any]
) -> None:
    registry.publish(store, *draft(), BOTH, "tester", "a test", signer)
    overwrite(store, MANIFEST, change)
    with pytest.raises(pp.SignatureError, match=MANIFEST):
        consume(store, signer.public)
    assert [key for key, _ in registry.audit(store, signer.public).problems] == [MANIFEST]


def test_signatures_that_do_not_fit(store: registry.Store, draft: Make, signer: signing.Signer) -> None:
    registry.publish(store, *draft(), BOTH, "tester", "a test", signer)
    key = signature.signature_key(MANIFEST, store.get(MANIFEST), signer.public)
    good = store.get(key)
    elsewhere = store.get(signature.signature_key(STABLE, store.get(STABLE), signer.public))
    for wrong in (b"", b"nonsense", base64.b64encode(bytes(64)), elsewhere, good[:-3]):
        assert store.compare_and_swap(key, store.get(key), wrong)
        with pytest.raises(pp.SignatureError, match="does not fit"):
            consume(store, signer.public)


def test_a_document_in_anothers_place(store: registry.Store, draft: Make, signer: signing.Signer) -> None:
    """Both are signed, and still neither stands in for the other: the place is signed too."""
    registry.publish(store, *draft(b"one"), BOTH, "tester", "a test", signer)
    registry.publish(store, *draft(b"two"), ["candidate"], "tester", "a test", signer)
    second = layout.manifest_key("keywords", 2)
    assert store.compare_and_swap(second, store.get(second), store.get(MANIFEST))
    with pytest.raises(pp.SignatureError, match=second):
        consume(store, signer.public, version=2)
    candidate = store.get(layout.channel_key("keywords", "candidate"))
    assert store.compare_and_swap(STABLE, store.get(STABLE), candidate)
    with pytest.raises(pp.SignatureError, match=STABLE):
        consume(store, signer.public)


def test_an_older_version_than_pinned(
    store: registry.Store, draft: Make, signer: signing.Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone puts the signed documents of last year back."""
    registry.publish(store, *draft(b"one"), BOTH, "tester", "a test", signer)
    replayed = store.get(STABLE)
    registry.publish(store, *draft(b"two"), BOTH, "tester", "a test", signer)
    assert consume(store, signer.public, least=2) == 2
    assert store.compare_and_swap(STABLE, store.get(STABLE), replayed)
    assert consume(store, signer.public) == 1
    with pytest.raises(pp.SignatureError, match="older version than pinned; allowed: 2 or later"):
        consume(store, signer.public, least=2)
    monkeypatch.setenv(signature.LEAST, "genre=7, keywords=2")
    with pytest.raises(pp.SignatureError, match="older version than pinned"):
        consume(store, signer.public)
    monkeypatch.setenv(signature.LEAST, "keywords")
    with pytest.raises(pp.ManifestError, match="MODEL=VERSION"):
        consume(store, signer.public)


def test_a_signed_channel_moves_with_a_key_only(store: registry.Store, draft: Make, signer: signing.Signer) -> None:
    registry.publish(store, *draft(b"one"), BOTH, "tester", "a test", signer)
    registry.publish(store, *draft(b"two"), BOTH, "tester", "a test", signer)
    before = store.list("")
    for attempt in (
        lambda: registry.publish(store, *draft(b"three"), BOTH, "tester", "a test"),
        lambda: registry.rollback(store, "keywords", "stable", "tester", "a test"),
        lambda: registry.yank(store, "keywords", 2, "tester", "a test"),
    ):
        with pytest.raises(pp.RegistryError, match="is signed and there is no key"):
            attempt()
    assert store.list("") == before
    registry.yank(store, "keywords", 2, "tester", "a test", signer=signer)
    assert consume(store, signer.public) == 1
    assert consume(store, signer.public, version=2) == 1


def test_the_pin_in_the_environment(
    store: registry.Store, draft: Make, signer: signing.Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.publish(store, *draft(), BOTH, "tester", "a test")
    monkeypatch.setenv(signature.ENVIRONMENT, signature.written(signer.public))
    with pytest.raises(pp.SignatureError, match="no signature"):
        pp.load("keywords", registry=store.root)
    signing.sign_everything(store, signer)
    monkeypatch.setenv(signature.ENVIRONMENT, signature.written(os.urandom(32)))
    with pytest.raises(pp.SignatureError, match="no signature"):
        pp.load("keywords", registry=store.root)


@pytest.mark.parametrize("text", ["", "ed25519:", "ed25519:AAAA", "rsa:" + "A" * 44, "A" * 44, "ed25519:" + "!" * 44])
def test_texts_that_are_no_public_key(text: str) -> None:
    with pytest.raises(pp.ManifestError, match="python -m registry key"):
        signature.trust("keywords", text)
