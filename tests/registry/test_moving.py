"""Promote, roll back, yank: where channels go, what is kept of it, and what consumers are told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pianissimo as pp
import pytest
from pianissimo import channel, layout
from pianissimo import store as reading

import registry
from registry import state
from registry.channels import before

Make = Callable[..., tuple[dict[str, Any], dict[str, Path]]]
WHO = ("tester", "a test")


def filled(
    root: str, draft: Make, versions: int = 3, channels: tuple[str, ...] = ("candidate", "stable")
) -> registry.Store:
    store = registry.open_store(root)
    for number in range(1, versions + 1):
        registry.publish(store, *draft(f"weights {number}".encode()), channels, *WHO)
    return store


def named(store: registry.Store, name: str = "stable") -> channel.Channel:
    return channel.loads(store.get(layout.channel_key("keywords", name)))


def consumed(store: registry.Store, **how: Any) -> int | None:
    return reading.open_registry(store.root).manifest("keywords", **how).version


def test_the_whole_way(root: str, draft: Make) -> None:
    """Candidate to stable, back, forward again, yanked, audited and collected, on every kind of store."""
    store = filled(root, draft, channels=("candidate",))
    assert registry.promote(store, "keywords", "stable", 2, "anna", "listened to it")
    assert registry.promote(store, "keywords", "stable", 3, "anna", "better in noise")
    assert registry.promote(store, "keywords", "stable", 3, "anna", "again") is None
    assert registry.rollback(store, "keywords", "stable", "bert", "clicks").version == 2
    assert registry.promote(store, "keywords", "stable", 3, "anna", "clicks were the cable").version == 3
    assert registry.yank(store, "keywords", 3, "bert", "they were not").moved == ["candidate", "stable"]
    assert [(step.version, step.origin, step.who) for step in named(store).history] == [
        (2, None, "anna"), (3, 2, "anna"), (2, 3, "bert"), (3, 2, "anna"), (2, 3, "bert"),
    ]  # fmt: skip
    assert named(store).history[-1].why == "version 3 was yanked: they were not"
    assert registry.audit(store).problems == []
    assert registry.collect(store, keep=1, hours=0).versions == []  # candidate would go back to 1
    page = store.get("index.html").decode()
    assert "they were not" in page
    assert "Version 3" in page


def test_rolling_back_again_goes_further_back(tmp_path: Path, draft: Make) -> None:
    store = filled(str(tmp_path / "r"), draft)
    assert registry.rollback(store, "keywords", "stable", *WHO).version == 2
    assert registry.rollback(store, "keywords", "stable", *WHO).version == 1
    with pytest.raises(pp.RegistryError, match="no earlier version"):
        registry.rollback(store, "keywords", "stable", *WHO)
    assert len(named(store).history) == 5


@pytest.mark.parametrize(
    ("line", "usable", "expected"),
    [
        ([1], {1}, None),
        ([1, 2], {1, 2}, 1),
        ([1, 2, 3, 2], {1, 2, 3}, 1),
        ([1, 2, 3, 2, 4], {1, 2, 3, 4}, 2),
        ([1, 2, 3], {1, 3}, 1),
        ([1, 2, 1, 2], {1, 2}, 1),
        ([3, 1], {1, 3}, 3),
        ([1, 2], {2}, None),
    ],
)
def test_what_a_channel_would_go_back_to(line: list[int], usable: set[int], expected: int | None) -> None:
    steps = tuple(channel.Move(version, None, "w", "t", "y") for version in line)
    assert before(channel.Channel("m", "c", line[-1], steps), usable) == expected


def test_a_version_that_is_not_there_or_yanked_is_not_promoted(tmp_path: Path, draft: Make) -> None:
    store = filled(str(tmp_path / "r"), draft)
    registry.yank(store, "keywords", 2, *WHO)
    for number in (2, 9):
        with pytest.raises(pp.ModelNotFoundError, match="known: 1, 3"):
            registry.promote(store, "keywords", "stable", number, *WHO)
    assert registry.rollback(store, "keywords", "stable", *WHO).version == 1


def test_names_that_are_not_there(tmp_path: Path, draft: Make) -> None:
    store = filled(str(tmp_path / "r"), draft, 1)
    with pytest.raises(pp.ModelNotFoundError, match="known: keywords"):
        registry.promote(store, "other", "stable", 1, *WHO)
    with pytest.raises(pp.ModelNotFoundError, match="known: candidate, stable"):
        registry.rollback(store, "keywords", "beta", *WHO)
    with pytest.raises(pp.ManifestError, match="channel"):
        registry.promote(store, "keywords", "../up", 1, *WHO)
    for who, why in (("", "x"), ("x", " ")):
        with pytest.raises(pp.ManifestError, match="text of 1"):
            registry.promote(store, "keywords", "stable", 1, who, why) or registry.rollback(
                store, "keywords", "stable", who, why
            )


def test_consumers_of_a_yanked_version_are_told_and_get_the_one_before(
    tmp_path: Path, draft: Make, caplog: pytest.LogCaptureFixture
) -> None:
    store = filled(str(tmp_path / "r"), draft)
    registry.yank(store, "keywords", 3, "anna", "hears voices")
    with caplog.at_level(logging.WARNING, "pianissimo"):
        assert consumed(store, version=3) == 2
        assert consumed(store) == 2
    assert [record.getMessage() for record in caplog.records] == [
        "keywords version 3 was yanked (hears voices): version 2 is used instead",
        "keywords version 3 was yanked (hears voices): stable names version 2 now",
    ]


def test_a_yank_killed_before_the_channels_moved_is_felt_at_once_and_completed(tmp_path: Path, draft: Make) -> None:
    store = filled(str(tmp_path / "r"), draft)

    class Dead(Exception):
        pass

    class Mortal:
        def __getattr__(self, name: str) -> Any:
            if name == "compare_and_swap":
                raise Dead
            return getattr(store, name)

    with pytest.raises(Dead):
        registry.yank(Mortal(), "keywords", 3, "anna", "hears voices")  # type: ignore[arg-type]
    assert named(store).version == 3
    assert consumed(store) == 2
    done = registry.yank(store, "keywords", 3, "bert", "the same again")
    assert (done.new, done.yank.why, done.moved) == (False, "hears voices", ["candidate", "stable"])
    assert named(store).version == 2


def test_what_is_used_instead(tmp_path: Path, draft: Make) -> None:
    """What stable named before, though a candidate came between; or the one that is asked for; never a later one."""
    store = filled(str(tmp_path / "r"), draft, 4, ("candidate",))
    registry.promote(store, "keywords", "stable", 1, *WHO)
    registry.promote(store, "keywords", "stable", 3, *WHO)
    with pytest.raises(pp.RegistryError, match="allowed: an earlier one in use: 1, 2"):
        registry.yank(store, "keywords", 3, *WHO, instead=4)
    assert registry.yank(store, "keywords", 3, *WHO).yank.instead == 1
    assert registry.yank(store, "keywords", 4, *WHO, instead=1).yank.instead == 1
    assert registry.yank(store, "keywords", 2, *WHO).yank.instead == 1
    assert [consumed(store, version=number) for number in (1, 2, 3, 4)] == [1, 1, 1, 1]


def test_the_only_version_yanked_is_refused_with_the_reason(tmp_path: Path, draft: Make) -> None:
    store = filled(str(tmp_path / "r"), draft, 1)
    assert registry.yank(store, "keywords", 1, "anna", "deaf").moved == []
    for how in ({}, {"version": 1}):
        with pytest.raises(pp.ModelNotFoundError, match="yanked: deaf"):
            consumed(store, **how)
    assert registry.publish(store, *draft(b"weights 2"), ["stable"], *WHO).moved == ["stable"]
    assert consumed(store) == 2


def test_publishing_a_yanked_version_again_moves_nothing(tmp_path: Path, draft: Make) -> None:
    store = filled(str(tmp_path / "r"), draft)
    registry.yank(store, "keywords", 3, *WHO)
    again = registry.publish(store, *draft(b"weights 3"), ["stable", "beta"], *WHO)
    assert again == registry.Published("keywords", 3, False, [])
    assert set(state.read_model(store, "keywords").channels) == {"candidate", "stable"}
