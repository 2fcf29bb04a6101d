"""The registry's page: all that is in it, nothing fetched, whatever people wrote shown as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pianissimo import layout

import registry
from registry import page

Make = Callable[..., tuple[dict[str, Any], dict[str, Path]]]


class Tags(HTMLParser):
    """The tags, their addresses, and whether each was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.seen: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action"}]
        if tag not in {"meta", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def store(tmp_path: Path, draft: Make) -> registry.Store:
    store = registry.open_store(str(tmp_path / "registry"))
    for number in (1, 2):
        registry.publish(store, *draft(f"weights {number}".encode()), ["candidate", "stable"], "tester", "a test")
    return store


def shown(store: registry.Store) -> str:
    return store.get(layout.page_key()).decode()


def test_it_follows_every_move(store: registry.Store) -> None:
    assert "1 → 2" in shown(store)
    registry.rollback(store, "keywords", "stable", "anna", "it clicks")
    assert "2 → 1" in shown(store)
    assert "it clicks" in shown(store)
    registry.yank(store, "keywords", 2, "bert", "it clicks a lot")
    assert "Yanked by bert" in shown(store)
    assert page.write(store) is False


def test_figures_platforms_and_reasons(store: registry.Store, draft: Make) -> None:
    manifest, files = draft(b"measured", rejected={"mobile": ["slower than 2 ×"]})
    figures = {"int8": {"score": 96.647, "drop": 0.394, "bytes": 37504, "faster": 8.08, "p50_ms": None}}
    manifest["platforms"]["edge"]["figures"] = figures
    registry.publish(store, manifest, files, ["candidate"], "tester", "a test")
    for words in ("96.65", "+0.39", "37,504", "8.1", "tflite int8", "slower than 2 ×"):
        assert words in shown(store)


def test_it_is_whole_and_fetches_nothing(store: registry.Store) -> None:
    tags = Tags(shown(store))
    assert tags.open == []
    assert "script" not in tags.seen
    assert all(address == "data:," or address.startswith(("#", "runtime/")) for address in tags.addresses)
    assert not re.search(r"https?:|@import|url\(", shown(store))


def test_what_people_wrote_is_text(store: registry.Store, draft: Make) -> None:
    evil = "<script>alert(1)</script>"
    manifest, files = draft(b"evil", rejected={"mobile": [evil]}, lineage={"corpus": {"name": evil, "licence": evil}})
    registry.publish(store, manifest, files, ["candidate"], evil, evil)
    registry.yank(store, "keywords", 3, evil, evil)
    assert "<script" not in shown(store)
    assert shown(store).count("&lt;script&gt;alert(1)") >= 6


def test_a_broken_model_is_shown_as_such_and_hides_no_other(store: registry.Store, draft: Make) -> None:
    store.put_if_absent(layout.manifest_key("broken", 1), b"{}")
    page.write(store)
    registry.publish(store, *draft(b"more"), ["candidate"], "tester", "a test")
    assert "models/broken/versions/1/manifest.json.schema: found None" in shown(store)
    assert "Version 3" in shown(store)


def test_publishing_one_model_reads_no_other(store: registry.Store, draft: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest, files = draft(b"other")
    registry.publish(store, {**manifest, "model": "other"}, files, ["candidate"], "tester", "a test")
    read: list[str] = []
    get = type(store).get
    monkeypatch.setattr(type(store), "get", lambda self, key: (read.append(key), get(self, key))[1])
    registry.publish(store, *draft(b"more"), ["candidate"], "tester", "a test")
    assert layout.manifest_key("keywords", 3) in read
    assert [key for key in read if "/other/" in key] == []
    assert 'id="other"' in shown(store)
    assert "Version 3" in shown(store)
    assert page.write(store) is False, "the page is what it would be if all of it were made anew"


def test_a_page_of_another_version_of_this_program_is_made_anew(store: registry.Store, draft: Make) -> None:
    now = store.get(layout.page_key())
    old = now.replace(b"<style>", b"<style>/* as it was */").replace(b"Version 2", b"Edition 2")
    assert store.compare_and_swap(layout.page_key(), now, old)
    manifest, files = draft(b"other")
    registry.publish(store, {**manifest, "model": "other"}, files, ["candidate"], "tester", "a test")
    assert "Edition" not in shown(store)
    assert "Version 2" in shown(store)


def test_an_empty_registry(tmp_path: Path) -> None:
    empty = registry.open_store(str(tmp_path))
    page.write(empty)
    assert "0 models" in shown(empty)
