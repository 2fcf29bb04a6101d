"""Thousands of hostile manifests and channels: each is refused with a reason, or says what a good one says."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pianissimo as pp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pianissimo import channel, checks, yank

Make = Callable[..., tuple[dict[str, Any], dict[str, Path]]]
MANY = settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
SOME = settings(MANY, max_examples=500)

PATHS = st.sampled_from(
    [
        "../up", "/etc/passwd", "a/../../b", "..", ".", "", "a//b", "a/", "/", "C:\\x", "\\\\host\\share", "~/x", "a\0b",
        ".hidden", "a/.hidden", "a\nb", "a b", "con:", "x" * 600, "a/" * 300 + "b", "é", "%2e%2e/x", "file:///x", "-rf",
    ]
)  # fmt: skip
SIZES = st.sampled_from([-1, 0, 2 * 2**30 + 1, 2**63, 10**400, 1.5, 1e300, True, "10", None])
NAMES = st.one_of(
    PATHS, st.text().filter(lambda text: not checks.NAME.fullmatch(text)), st.sampled_from(["A", "x" * 65, "_x"])
)
HASHES = st.sampled_from(["", "a" * 63, "A" * 64, "g" * 64, "a" * 65, "../" + "a" * 61, "a" * 64 + "\n", 7, None])
SCHEMAS = st.one_of(
    st.sampled_from(["1", 1.0, True, None, [], {}]),
    st.one_of(st.integers(), st.floats(allow_nan=False)).filter(lambda number: number != 1),
)
WRONG = st.sampled_from([None, True, 7, -1.5, "text", "", [], {}, [[]], [None], {"a": {}}, 10**400])
FILE = ("platforms", "edge", "variants", 0, "files", 0)
VARIANT = ("platforms", "edge", "variants", 0)
# Where each kind of hostility goes.
ATTACKS: list[tuple[tuple[Any, ...], st.SearchStrategy[Any]]] = [
    ((*FILE, "name"), PATHS),
    (("golden", "name"), PATHS),
    ((*FILE, "bytes"), SIZES),
    (("golden", "bytes"), SIZES),
    ((*FILE, "sha256"), HASHES),
    (("golden", "sha256"), HASHES),
    (("schema",), SCHEMAS),
    (("model",), NAMES),
    ((*VARIANT, "backend"), NAMES),
    ((*VARIANT, "name"), NAMES),
    (("least_runtime",), st.sampled_from(["", "new", "1.2.3.4.5", "9" * 7, "1..2", "v1", 1, None, "١.٢"])),
    (("input", "max_seconds"), st.sampled_from([0, -1, 1e9, 10**400, "30", True, None, []])),
    ((*VARIANT, "tolerance", "scores"), st.sampled_from([-1e-9, 1.1, 10**400, "0", True, None])),
    ((*VARIANT, "threshold"), st.sampled_from([-0.1, 1.1, "0.5", True, 10**400])),
    (("version",), st.sampled_from([0, -1, 10**9 + 1, 1.0, "1", True, 10**400])),
    (("labels",), st.sampled_from([[], ["a"], ["a", "a"], ["a", ""], ["a", 1], "ab", {"a": 1}, ["x" * 10_001, "y"]])),
    *(((key,), WRONG.filter(lambda value: value not in ({"a": {}}, {}))) for key in ("platforms", "frontend")),
    *((VARIANT[:3], WRONG) for _ in range(2)),
    (FILE[:5], WRONG),
]


@st.composite
def attacks(draw: st.DrawFn) -> tuple[tuple[Any, ...], Any]:
    where, values = draw(st.sampled_from(ATTACKS))
    return where, draw(values)


def changed(document: Any, where: tuple[Any, ...], value: object) -> Any:
    result = copy.deepcopy(document)
    target = result
    for step in where[:-1]:
        target = target[step]
    target[where[-1]] = value
    return result


def refused(text: str | bytes) -> pp.ManifestError:
    with pytest.raises(pp.ManifestError, match=r"(?s)found .*; allowed: .") as caught:
        pp.manifest.loads(text)
    assert len(str(caught.value)) < 2000, "a reason, not the document over again"
    return caught.value


def test_every_attack_is_refused_with_a_reason(draft: Make) -> None:
    good = draft()[0]

    @MANY
    @given(attacks())
    def attack(one: tuple[tuple[Any, ...], Any]) -> None:
        where, value = one
        text = json.dumps(changed(good, where, value))
        error = refused(text)
        named = [step for step in where if isinstance(step, str)]
        no_json = any(word in text for word in ("NaN", "Infinity"))  # refused before anything has a place
        assert no_json or any(step in error.place for step in named), (error, "names the place")

    attack()


def test_documents_of_any_json(draft: Make) -> None:
    """No other error than the one whose reason a person can read, whatever comes."""
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )

    @SOME
    @given(anything)
    def read(value: Any) -> None:
        refused(json.dumps(value))
        for loads in (channel.loads, yank.loads):
            with pytest.raises(pp.ManifestError):
                loads(json.dumps(value))

    read()


def test_bytes_of_any_kind() -> None:
    @SOME
    @given(st.binary(max_size=200))
    def read(data: bytes) -> None:
        assert refused(data).place == "manifest", "nothing in it has a place"

    read()


def test_a_good_manifest_with_bytes_damaged(draft: Make) -> None:
    """Damage may hit free text; else it is refused. Never another error, never a path that leads out."""
    good = json.dumps(draft()[0]).encode()

    @MANY
    @given(st.integers(0, len(good) - 1), st.integers(0, 255))
    def damage(at: int, byte: int) -> None:
        try:
            read = pp.manifest.loads(good[:at] + bytes([byte]) + good[at + 1 :])
        except pp.ManifestError:
            return
        assert all(".." not in file.name.split("/") and not file.name.startswith("/") for file in read.files())
        assert all(0 < file.bytes <= 2 * 2**30 for file in read.files())

    damage()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "JSON"),
        ('{"a":' * 50_000, "JSON"),
        ('{"schema": 1, "schema": 1}', "twice"),
        ('{"schema": NaN}', "finite"),
        ('{"schema": 1' + " " * (16 * 2**20) + "}", "bytes"),
        ("\ufeff{}", "JSON"),
        ('{"schema": ' + "9" * 5000 + "}", "schema|JSON"),
    ],
)
def test_documents_that_aim_at_the_parser(text: str, words: str) -> None:
    with pytest.raises(pp.ManifestError, match=words):
        pp.manifest.loads(text)
