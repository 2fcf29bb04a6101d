"""A version's model card: signed, linked from the page, looked at by the audit, gone with its version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pianissimo import layout
from pianissimo import store as reading

import registry

Make = Callable[..., tuple[dict[str, Any], dict[str, Path]]]
WHO = ("tester", "a test")
CARD = layout.card_key("keywords", 1)


@pytest.fixture
def store(tmp_path: Path, draft: Make, signer: registry.Signer) -> registry.Store:
    store = registry.open_store(str(tmp_path / "registry"))
    registry.publish(store, *draft(), ["stable"], *WHO, signer)
    return store


def page(store: registry.Store) -> str:
    return store.get(layout.page_key()).decode()


def test_a_person_comes_to_it_from_the_page(store: registry.Store) -> None:
    assert "model card" not in page(store)  # of a version without one nothing is promised
    assert registry.put_card(store, "keywords", 1, "# keywords")
    assert f'<a href="{CARD}">model card</a>' in page(store)


def test_one_that_is_there_stays(store: registry.Store) -> None:
    registry.put_card(store, "keywords", 1, "# keywords")
    assert not registry.put_card(store, "keywords", 1, "# another")
    assert store.get(CARD) == b"# keywords"


def test_the_audit_names_one_that_was_changed_or_never_signed(store: registry.Store, signer: registry.Signer) -> None:
    assert registry.audit(store, signer.public).problems == []  # a version without a card is whole
    registry.put_card(store, "keywords", 1, "# keywords")
    assert [key for key, _ in registry.audit(store, signer.public).problems] == [CARD]
    registry.put_card(store, "keywords", 1, "# whatever", signer)  # signs the one that is there
    assert registry.audit(store, signer.public).problems == []
    store.compare_and_swap(CARD, b"# keywords", b"# Keywords")
    assert registry.audit(store, signer.public).problems == [(CARD, f"is not signed by {name(signer)}")]


def test_its_signature_is_kept_by_a_collection_and_goes_with_its_version(
    store: registry.Store, draft: Make, signer: registry.Signer
) -> None:
    registry.put_card(store, "keywords", 1, "# keywords", signer)
    registry.collect(store, hours=0)
    assert registry.audit(store, signer.public).problems == []
    for number in (2, 3):
        registry.publish(store, *draft(f"weights {number}".encode()), ["stable"], *WHO, signer)
    dry = registry.collect(store, keep=1, hours=0, dry=True)
    assert registry.collect(store, keep=1, hours=0) == dry
    assert dry.versions == [("keywords", 1)]
    assert CARD not in store.list("")
    assert registry.audit(store, signer.public).problems == []


def test_taking_up_signing_signs_cards_and_the_runtime(tmp_path: Path, draft: Make, signer: registry.Signer) -> None:
    store = registry.open_store(str(tmp_path / "unsigned"))
    registry.publish(store, *draft(), ["stable"], *WHO)
    registry.put_card(store, "keywords", 1, "# keywords")
    store.put_if_absent(layout.runtime_key("pianissimo-0.1.0-py3-none-any.whl"), b"a wheel")
    assert len(registry.audit(store, signer.public).problems) == 4
    assert len(registry.signing.sign_everything(store, signer)) == 4
    assert registry.audit(store, signer.public).problems == []


def test_who_loads_asks_for_no_card(store: registry.Store) -> None:
    assert reading.open_registry(store.root).manifest("keywords").version == 1


def name(signer: registry.Signer) -> str:
    from pianissimo import signature

    return signature.name(signer.public)
