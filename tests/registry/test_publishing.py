"""Publishing: what lands, what makes a new version, what moves a channel, what is refused."""

from __future__ import annotations

import copy
import json
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pianissimo as pp
import pytest
from pianissimo import channel, layout

import registry
from registry.channels import move

Make = Callable[..., tuple[dict[str, Any], dict[str, Path]]]
SPAWN = multiprocessing.get_context("spawn")
BOTH = ["candidate", "stable"]


def publish(store: registry.Store, draft: tuple[dict[str, Any], dict[str, Path]], **changes: Any) -> registry.Published:
    settings = {"channels": BOTH, "who": "tester", "why": "a test", **changes}
    return registry.publish(store, *draft, **settings)


def named(store: registry.Store, name: str = "stable") -> channel.Channel:
    return channel.loads(store.get(layout.channel_key("keywords", name)))


@pytest.fixture
def store(tmp_path: Path) -> registry.Store:
    return registry.open_store(str(tmp_path / "registry"))


def test_the_layout(store: registry.Store, draft: Make) -> None:
    manifest, files = draft()
    given = copy.deepcopy(manifest)
    assert publish(store, (manifest, files)) == registry.Published("keywords", 1, True, BOTH)
    assert manifest == given
    written = pp.manifest.loads(store.get("models/keywords/versions/1/manifest.json"))
    assert written.version == 1
    assert written.created is not None
    assert store.list("") == sorted(
        [
            *(layout.blob_key(file.sha256) for file in written.files()),
            "models/keywords/versions/1/manifest.json",
            "models/keywords/channels/candidate.json",
            "models/keywords/channels/stable.json",
            "index.html",
        ]
    )
    for file in written.files():
        assert store.get(layout.blob_key(file.sha256)) == files[file.name].read_bytes()
    assert [(step.version, step.origin, step.who) for step in named(store).history] == [(1, None, "tester")]


def test_the_same_content_makes_no_new_version(store: registry.Store, draft: Make) -> None:
    publish(store, draft())
    before = {key: store.get(key) for key in store.list("")}
    manifest, files = draft()
    manifest["lineage"] = {"commit": "another"}
    manifest["created"] = "2030-01-01T00:00:00Z"
    manifest["platforms"]["edge"]["figures"] = {"milliseconds": 0.5}
    manifest["rejected"] = {"mobile": ["slower today"]}
    assert publish(store, (manifest, files)) == registry.Published("keywords", 1, False, [])
    assert {key: store.get(key) for key in store.list("")} == before


def test_a_draft_without_its_optional_keys_is_the_same_content(store: registry.Store, draft: Make) -> None:
    publish(store, draft())
    manifest, files = draft()
    for key in ("version", "created", "lineage", "rejected"):
        del manifest[key]
    del manifest["platforms"]["edge"]["variants"][0]["threshold"]
    assert not publish(store, (manifest, files)).new


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": ["no", "yes"]},
        {"frontend": {"kind": "log_mel", "mels": 41}},
        {"input": {"max_seconds": 31.0}},
        {"least_runtime": "0.0.9"},
    ],
)
def test_what_a_consumer_sees_makes_a_new_version(store: registry.Store, draft: Make, changes: dict[str, Any]) -> None:
    publish(store, draft())
    assert publish(store, draft(**changes)) == registry.Published("keywords", 2, True, BOTH)
    assert named(store).version == 2


def test_a_threshold_makes_a_new_version(store: registry.Store, draft: Make) -> None:
    publish(store, draft())
    manifest, files = draft()
    manifest["platforms"]["edge"]["variants"][0]["threshold"] = 0.3
    assert publish(store, (manifest, files)).version == 2


def test_a_rerun_does_not_undo_a_rollback(store: registry.Store, draft: Make) -> None:
    publish(store, draft(b"one"))
    publish(store, draft(b"two"))
    document = named(store).document()
    step = {"version": 1, "from": 2, "who": "someone", "when": "today", "why": "two is worse"}
    document |= {"version": 1, "history": [*document["history"], step]}
    key = layout.channel_key("keywords", "stable")
    assert store.compare_and_swap(key, store.get(key), json.dumps(document).encode())
    assert publish(store, draft(b"two")) == registry.Published("keywords", 2, False, [])
    assert named(store).version == 1
    assert publish(store, draft(b"three")) == registry.Published("keywords", 3, True, BOTH)
    assert named(store).history[-1].origin == 1


def test_a_channel_never_moves_back_by_publishing(store: registry.Store, draft: Make) -> None:
    publish(store, draft(b"one"), channels=["candidate"])
    publish(store, draft(b"two"))
    assert publish(store, draft(b"one")).moved == []
    assert named(store).version == 2


def test_without_channels(store: registry.Store, draft: Make) -> None:
    assert publish(store, draft(), channels=[]).moved == []
    assert publish(store, draft(), channels=["beta"]) == registry.Published("keywords", 1, False, ["beta"])


def test_a_file_that_is_not_the_described_one(store: registry.Store, draft: Make) -> None:
    manifest, files = draft()
    files["edge/model.tflite"].write_bytes(b"Weights")
    with pytest.raises(pp.IntegrityError, match=r"edge/model\.tflite: sha256"):
        publish(store, (manifest, files))
    assert store.list("") == []


@pytest.mark.parametrize(
    "change",
    [
        lambda files: files.pop("golden.npz"),
        lambda files: files.update({"more.bin": Path("x")}),
    ],
)
def test_files_and_manifest_differ(store: registry.Store, draft: Make, change: Callable[[Any], Any]) -> None:
    manifest, files = draft()
    change(files)
    with pytest.raises(pp.RegistryError, match="differ in"):
        publish(store, (manifest, files))
    assert store.list("") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"who": ""},
        {"why": " "},
        {"channels": ["Stable"]},
        {"channels": ["../x"]},
        {"channels": "stable"},
    ],
)
def test_wrong_arguments(store: registry.Store, draft: Make, changes: dict[str, Any]) -> None:
    with pytest.raises((pp.ManifestError, pp.RegistryError), match="allowed"):
        publish(store, draft(), **changes)
    assert store.list("") == []


@pytest.mark.parametrize("lineage", [{"x": float("nan")}, {"x": {1, 2}}, {"x": Path("a")}])
def test_what_json_cannot_hold(store: registry.Store, draft: Make, lineage: dict[str, Any]) -> None:
    with pytest.raises(pp.ManifestError, match="JSON"):
        publish(store, draft(lineage=lineage))
    assert store.list("models/") == []


def publish_all(root: str, drafts: list[tuple[dict[str, Any], dict[str, Path]]]) -> None:
    """A process with a thread for each draft; every one has a store of its own, and all begin together."""
    start = threading.Barrier(len(drafts))

    def publish_one(number: int) -> registry.Published:
        store = registry.open_store(root)
        start.wait()
        return registry.publish(store, *drafts[number], BOTH, f"p{number}", "at once")

    with ThreadPoolExecutor(len(drafts)) as pool:
        assert len(list(pool.map(publish_one, range(len(drafts))))) == len(drafts)


@pytest.mark.parametrize("same", [False, True], ids=["different content", "the same content"])
def test_thirty_two_publishers_at_once(root: str, draft: Make, same: bool) -> None:
    drafts = [draft(b"weights" if same else f"weights {number}".encode()) for number in range(32)]
    workers = [SPAWN.Process(target=publish_all, args=(root, drafts[at::4])) for at in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    store = registry.open_store(root)
    manifests = [pp.manifest.loads(store.get(key)) for key in store.list("models/keywords/versions/")]
    count = 1 if same else 32
    assert sorted(manifest.version or 0 for manifest in manifests) == list(range(1, count + 1))
    assert len({next(manifest.files()).sha256 for manifest in manifests}) == count
    for name in BOTH:
        assert named(store, name).version == count
        steps = named(store, name).history
        assert [step.origin for step in steps] == [None, *(step.version for step in steps[:-1])]
    assert registry.audit(store).problems == []
    assert f"Version {count} " in store.get("index.html").decode()


def test_a_channel_document_that_is_broken_is_not_written_over(store: registry.Store, draft: Make) -> None:
    publish(store, draft(), channels=[])
    key = layout.channel_key("keywords", "stable")
    store.put_if_absent(key, b"{}")
    with pytest.raises(pp.ManifestError):
        move(store, "keywords", "stable", 1, "tester", "a test")
    assert store.get(key) == b"{}"
