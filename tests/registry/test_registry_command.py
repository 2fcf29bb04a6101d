"""`python -m registry`: tables for people, JSON for programs, exit codes for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pianissimo import layout

import registry
from registry import signing
from registry.__main__ import main

Make = Callable[..., tuple[dict[str, Any], dict[str, Path]]]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(tmp_path: Path, draft: Make, monkeypatch: pytest.MonkeyPatch) -> registry.Store:
    store = registry.open_store(str(tmp_path / "registry"))
    for number in (1, 2):
        registry.publish(store, *draft(f"weights {number}".encode()), ["candidate", "stable"], "tester", "a test")
    registry.publish(store, *draft(b"weights 3"), ["candidate"], "tester", "a test")
    monkeypatch.setenv("PIANISSIMO_REGISTRY", store.root)
    monkeypatch.setenv(signing.ENVIRONMENT, "")
    return store


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


def test_list_and_show(store: registry.Store, run: Run) -> None:
    status, out, _ = run("list", "--json")
    assert (status, json.loads(out)) == (
        0,
        [
            {
                "model": "keywords", "task": "classify", "newest": 3, "versions": 3, "yanked": [],
                "channels": {"candidate": 3, "stable": 2}, "platforms": ["edge"],
            }
        ],
    )  # fmt: skip
    assert "candidate 3, stable 2" in run("list")[1]
    shown = json.loads(run("show", "keywords", "--json")[1])
    assert [version["version"] for version in shown["versions"]] == [3, 2, 1]
    assert len(shown["moves"]) == 5
    assert "moves of channels" in run("show", "keywords")[1]


def test_a_truncated_channel_hides_no_other_model_and_is_named(store: registry.Store, run: Run, draft: Make) -> None:
    registry.publish(store, *draft(b"another", model="other"), ["stable"], "tester", "a test")
    key = layout.channel_key("keywords", "stable")
    store.compare_and_swap(key, store.get(key), store.get(key)[:100])
    status, out, _ = run("list", "--json")
    broken, whole = json.loads(out)
    assert (status, whole["model"], whole["channels"]) == (1, "other", {"stable": 1})
    assert broken["broken"].startswith(f"{key}: found no JSON")
    status, _, err = run("promote", "keywords", "--why", "sounds right")
    assert (status, key in err) == (1, True)  # what it was is not written over
    assert [problem["key"] for problem in json.loads(run("audit", "--json")[1])["problems"]] == [key]


def test_copy(store: registry.Store, run: Run, tmp_path: Path) -> None:
    target = str(tmp_path / "copy")
    assert json.loads(run("copy", target, "--json")[1]) == {"target": target, "documents": 5, "blobs": 5, "there": 0}
    assert "0 documents, 0 blobs; 10 were there" in " ".join(run("copy", target)[1].split())  # a terminal's lines end anywhere
    assert run("list", "--registry", target, "--json")[1] == run("list", "--json")[1]


def test_moves(store: registry.Store, run: Run) -> None:
    assert run("promote", "keywords", "--why", "sounds right")[:2] == (
        0,
        "keywords stable moved from 2 to 3: sounds right\n",
    )
    assert "nothing moved" in run("promote", "keywords", "--why", "again")[1]
    assert "moved from 3 to 2" in run("rollback", "keywords", "--why", "it clicks")[1]
    out = json.loads(run("yank", "keywords", "3", "--why", "it clicks", "--who", "anna", "--json")[1])
    assert (out["instead"], out["who"], out["moved"]) == (2, "anna", ["candidate"])
    status, _, err = run("promote", "keywords", "--version", "3", "--why", "try again")
    assert (status, err.startswith("error: no version 3 of keywords in use")) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["promote", "keywords"], ["rollback", "keywords", "--why", " "], ["yank", "keywords", "--why", "x"],
        ["audit", "--public-key", "nonsense"], ["collect", "--keep", "few"],
    ],
)  # fmt: skip
def test_the_command_line_asks_for_what_it_needs(store: registry.Store, run: Run, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "other"], ["rollback", "keywords", "--channel", "beta", "--why", "x"],
        ["promote", "keywords", "--from", "beta", "--why", "x"], ["collect", "--keep", "0"],
        ["list", "--registry", "gs://x"],
    ],
)  # fmt: skip
def test_refusals_are_said_and_exit_with_1(store: registry.Store, run: Run, arguments: list[str]) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (1, "")
    assert err.startswith("error: ")


def test_audit(store: registry.Store, run: Run) -> None:
    assert run("audit")[0] == 0
    store.put_if_absent(layout.channel_key("keywords", "beta"), b"{}")
    status, out, _ = run("audit", "--json")
    assert status == 1
    assert json.loads(out)["problems"][0]["key"] == "models/keywords/channels/beta.json"


def test_collect(store: registry.Store, run: Run) -> None:
    run("promote", "keywords", "--why", "x")
    run("yank", "keywords", "1", "--why", "x")
    assert "would be removed: versions keywords 1; 0 blobs" in run("collect", "--keep", "2", "--dry-run")[1]
    assert json.loads(run("collect", "--keep", "2", "--hours", "0", "--json")[1])["versions"] == [["keywords", 1]]


def test_key(store: registry.Store, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.ENVIRONMENT, str(tmp_path / "keys" / "signing.pem"))
    made = json.loads(run("key", "--json")[1])
    again = json.loads(run("key", "--sign", "--json")[1])
    assert (made["new"], again["new"], made["public_key"]) == (True, False, again["public_key"])
    assert len(again["signed"]) == 5
    assert run("audit", "--public-key", made["public_key"])[0] == 0
    assert run("promote", "keywords", "--why", "signed")[0] == 0
    assert run("audit", "--public-key", made["public_key"])[0] == 0
    monkeypatch.setenv(signing.ENVIRONMENT, "")
    assert "is signed and there is no key" in run("rollback", "keywords", "--why", "x")[2]
