"""A manifest is read strictly: it parses, or ManifestError says where and what is allowed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pianissimo as pp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pianissimo import channel

GOOD: dict[str, Any] = {
    "schema": 1,
    "model": "keywords",
    "version": 3,
    "created": "2026-11-20T22:00:00Z",
    "least_runtime": "0.1.0",
    "task": "classify",
    "labels": ["yes", "no"],
    "frontend": {"kind": "log_mel", "mels": 40},
    "input": {"max_seconds": 30.0},
    "platforms": {
        "edge": {
            "variants": [
                {
                    "name": "int8",
                    "backend": "tflite",
                    "precision": "int8",
                    "threshold": None,
                    "files": [
                        {"name": "edge/keywords-int8.tflite", "role": "model", "bytes": 21000, "sha256": "a" * 64}
                    ],
                    "tolerance": {"features": 1e-4, "scores": 1e-5},
                }
            ],
            "figures": {"accuracy": 0.97},
        }
    },
    "golden": {"name": "golden.npz", "bytes": 10, "sha256": "b" * 64},
    "lineage": {"commit": "abc"},
    "rejected": {"mobile": ["too slow"]},
}
FILE = ("platforms", "edge", "variants", 0, "files", 0)
VARIANT = ("platforms", "edge", "variants", 0)
ABSENT = object()


def changed(path: tuple[Any, ...], value: object) -> dict[str, Any]:
    document = copy.deepcopy(GOOD)
    target: Any = document
    for step in path[:-1]:
        target = target[step]
    if value is ABSENT:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return document


def test_reads_every_part() -> None:
    manifest = pp.manifest.parse(GOOD)
    variant = manifest.platforms["edge"].variants[0]
    assert (manifest.model, manifest.version, manifest.labels) == ("keywords", 3, ("yes", "no"))
    assert variant.model_file.name == "edge/keywords-int8.tflite"
    assert (variant.tolerance.features, manifest.max_seconds) == (1e-4, 30.0)
    assert [file.name for file in manifest.files()] == ["edge/keywords-int8.tflite", "golden.npz"]


@pytest.mark.parametrize("key", ["version", "created", "golden", "lineage", "rejected"])
def test_a_draft_may_lack(key: str) -> None:
    assert not getattr(pp.manifest.parse(changed((key,), ABSENT)), key)
    assert not getattr(pp.manifest.parse(changed((key,), None)), key)


REFUSED = [
    (("schema",), 2, "schema", "1"),
    (("schema",), "1", "schema", "1"),
    (("schema",), True, "schema", "1"),
    (("schema",), ABSENT, "schema", "1"),
    (("model",), "../etc", "model", "a-z"),
    (("model",), "", "model", "a-z"),
    (("model",), "keywords\n", "model", "a-z"),
    (("model",), ABSENT, "model", "needs"),
    (("model",), "aux", "model", "Windows"),
    (("platforms",), {"com1": GOOD["platforms"]["edge"]}, "platforms", "Windows"),
    ((*FILE, "name"), "edge/NUL.tflite", "name", "Windows"),
    ((*FILE, "name"), "edge/model.", "name", "Windows"),
    ((*FILE, "bytes"), 10 * 2**30, "bytes", "to 2147483648"),
    (("version",), 0, "version", "1 to"),
    (("version",), 1.0, "version", "whole number"),
    (("version",), True, "version", "whole number"),
    (("created",), "yesterday", "created", "2026"),
    (("least_runtime",), "new", "least_runtime", "0.1.0"),
    (("task",), "regress", "task", "classify"),
    (("labels",), [], "labels", "at least 2"),
    (("labels",), ["a", "a"], "labels", "once"),
    (("labels",), ["a", 1], "labels[1]", "text"),
    (("labels",), "ab", "labels", "array"),
    (("frontend",), [], "frontend", "object"),
    (("frontend",), {"mels": 40}, "frontend.kind", "text"),
    (("input",), {}, "input.max_seconds", "needs"),
    (("input", "max_seconds"), -1, "input.max_seconds", "0.01"),
    (("input", "max_seconds"), float("inf"), "input.max_seconds", "0.01"),
    (("platforms",), {}, "platforms", "at least one"),
    (("platforms",), {"Edge!": GOOD["platforms"]["edge"]}, "platforms", "a-z"),
    (("platforms", "edge", "variants"), [], "variants", "at least 1"),
    (("platforms", "edge", "variants"), GOOD["platforms"]["edge"]["variants"] * 2, "variants", "once"),
    (("platforms", "edge", "audit"), {}, "audit", "variants, figures"),
    ((*VARIANT, "backend"), None, "backend", "a-z"),
    ((*VARIANT, "threshold"), 1.5, "threshold", "0 to 1"),
    ((*VARIANT, "tolerance"), {"features": 1e-4}, "tolerance.scores", "needs"),
    ((*VARIANT, "tolerance", "scores"), -1e-5, "tolerance.scores", "0 to 1"),
    ((*VARIANT, "files"), [], "files", "at least 1"),
    ((*FILE, "role"), "weights", "role", "model, source, header, labels"),
    ((*FILE, "role"), "source", "files", "exactly one"),
    ((*FILE, "name"), "/etc/passwd", "name", "relative"),
    ((*FILE, "name"), "../up.tflite", "name", "relative"),
    ((*FILE, "name"), "a/../../b", "name", "relative"),
    ((*FILE, "name"), "a//b", "name", "relative"),
    ((*FILE, "name"), "C:\\model", "name", "relative"),
    ((*FILE, "name"), "a\0b", "name", "relative"),
    ((*FILE, "name"), ".hidden", "name", "relative"),
    ((*FILE, "name"), 7, "name", "relative"),
    ((*FILE, "sha256"), "a" * 63, "sha256", "64"),
    ((*FILE, "sha256"), "A" * 64, "sha256", "64"),
    ((*FILE, "sha256"), "../" + "a" * 61, "sha256", "64"),
    ((*FILE, "bytes"), -1, "bytes", "1 to"),
    ((*FILE, "bytes"), 3 * 2**30, "bytes", "2147483648"),
    ((*FILE, "bytes"), 1.5, "bytes", "whole"),
    (("golden", "name"), "edge/keywords-int8.tflite", "platforms", "one content"),
    (("golden", "role"), "model", "golden.role", "name, bytes, sha256"),
    (("lineage",), [1], "lineage", "object"),
    (("rejected",), {"mobile": "slow"}, "rejected.mobile", "array"),
    (("extra",), 1, "extra", "schema, model"),
]


@pytest.mark.parametrize(("path", "value", "place", "allowed"), REFUSED)
def test_refuses(path: tuple[Any, ...], value: object, place: str, allowed: str) -> None:
    with pytest.raises(pp.ManifestError) as caught:
        pp.manifest.parse(changed(path, value))
    assert place in caught.value.place
    assert allowed in caught.value.allowed


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"schema": 1, "schema": 1}',
        b'{"schema": NaN}',
        b"[" * 100_000,
        b" " * (17 * 2**20),
    ],
)
def test_refuses_what_is_no_manifest(text: bytes) -> None:
    with pytest.raises(pp.ManifestError):
        pp.manifest.loads(text)


def test_a_threshold_needs_two_labels() -> None:
    document = changed((*VARIANT, "threshold"), 0.4)
    assert pp.manifest.parse(document).platforms["edge"].variants[0].threshold == 0.4
    with pytest.raises(pp.ManifestError, match="two labels"):
        pp.manifest.parse({**document, "labels": ["a", "b", "c"]})


def task(name: str, labels: list[str], threshold: float | None = None, **more: Any) -> dict[str, Any]:
    return changed((*VARIANT, "threshold"), threshold) | {"task": name, "labels": labels} | more


@pytest.mark.parametrize(
    "document",
    [
        task("transcribe", ["a"]),
        task("transcribe", ["a", "b", "c"], enrolment=None),
        task("verify", [], enrolment={}),
        task("verify", [], -3.25, enrolment={"nu": 0.1}),
        task("verify", ["a"], 10**30, enrolment={"nu": 0.1}),
    ],
)
def test_each_task_its_own(document: dict[str, Any]) -> None:
    manifest = pp.manifest.parse(document)
    assert manifest.task == document["task"]
    assert manifest.enrolment == document.get("enrolment")


@pytest.mark.parametrize(
    ("document", "place", "allowed"),
    [
        (task("classify", ["a"]), "labels", "at least 2 labels for the task classify"),
        (task("transcribe", []), "labels", "at least 1 labels for the task transcribe"),
        (task("transcribe", ["a", "b"], 0.5), "threshold", "null for the task transcribe"),
        (task("classify", ["a", "b"], -0.1), "threshold", "0 to 1"),
        (task("classify", ["a", "b"], enrolment={}), "enrolment", "null for the task classify"),
        (task("verify", []), "enrolment", "an object for the task verify"),
        (task("verify", [], enrolment=[1]), "enrolment", "an object"),
        (task("verify", [], float("inf"), enrolment={}), "threshold", "a number from"),
        (task("verify", [], 10**400, enrolment={}), "threshold", "a number from"),
        (task("speak", ["a", "b"]), "task", "classify, transcribe, verify"),
    ],
)
def test_each_task_refuses(document: dict[str, Any], place: str, allowed: str) -> None:
    with pytest.raises(pp.ManifestError) as caught:
        pp.manifest.parse(document)
    assert place in caught.value.place
    assert allowed in caught.value.allowed


def test_tasks_are_named_alike_everywhere() -> None:
    """What a manifest may say is what an output can be read as."""
    from pianissimo.decode import READINGS

    assert tuple(READINGS) == pp.manifest.TASKS


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to every value of a document."""
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path] * bool(path) + [found for key, item in entries for found in places(item, (*path, key))]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def parses_or_names_the_allowed(parse: Callable[[Any], object], content: object) -> bool:
    """False for a refusal that does not say what is allowed; any other error is the test's failure."""
    try:
        parse(content)
    except pp.ManifestError as refusal:
        return bool(refusal.allowed)
    return True


@settings(max_examples=1500, deadline=None)
@given(path=st.sampled_from(places(GOOD)), value=JSON | st.just(ABSENT))
def test_any_mutation_parses_or_is_refused(path: tuple[Any, ...], value: object) -> None:
    assert parses_or_names_the_allowed(pp.manifest.parse, changed(path, value))


@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_any_broken_text_parses_or_is_refused(data: st.DataObject) -> None:
    text = bytearray(json.dumps(GOOD).encode())
    at = data.draw(st.integers(0, len(text) - 1))
    text[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    assert parses_or_names_the_allowed(pp.manifest.loads, bytes(text))


CHANNEL: dict[str, Any] = {
    "schema": 1,
    "model": "keywords",
    "channel": "stable",
    "version": 2,
    "history": [
        {"version": 1, "from": None, "who": "a", "when": "now", "why": "first"},
        {"version": 2, "from": 1, "who": "a", "when": "now", "why": "second"},
    ],
}


def test_a_channel_is_written_as_it_was_read() -> None:
    assert channel.loads(json.dumps(CHANNEL)).document() == CHANNEL


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 1},
        {"history": []},
        {"schema": 2},
        {"version": "2"},
        {"more": 1},
        {"channel": "../x"},
    ],
)
def test_a_wrong_channel_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(pp.ManifestError):
        channel.loads(json.dumps({**CHANNEL, **changes}))
