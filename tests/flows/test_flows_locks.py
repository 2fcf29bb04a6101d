"""Parts of dvc.lock go in whole, stay in place, and come out as they went in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flows import locks


def entry(md5: str) -> dict[str, Any]:
    return {"cmd": "python work.py", "outs": [{"path": "data/one", "hash": "md5", "md5": md5, "size": 3}]}


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "dvc.lock"
    locks.merge({"runtime": entry("1"), "train@a": entry("2"), "train@b": entry("3")}, file)
    return file


def test_what_went_in_comes_out(lock: Path) -> None:
    assert locks.read(lock) == {"runtime": entry("1"), "train@a": entry("2"), "train@b": entry("3")}
    assert lock.read_text().startswith("schema: '2.0'\n")


def test_only_the_named_stage_changes(lock: Path) -> None:
    before = lock.read_text().splitlines()
    locks.merge({"train@a": entry("4")}, lock)
    after = lock.read_text().splitlines()
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        ("      md5: '2'", "      md5: '4'")
    ]


def test_a_new_stage_comes_last_and_none_takes_one_out(lock: Path) -> None:
    locks.merge({"train@c": entry("5"), "train@a": None, "train@d": None}, lock)
    assert list(locks.read(lock)) == ["runtime", "train@b", "train@c"]


def test_the_same_again_changes_no_byte(lock: Path) -> None:
    before = lock.read_bytes()
    locks.merge(locks.read(lock), lock)
    assert lock.read_bytes() == before


def test_two_parts_make_the_same_lock_in_either_order(tmp_path: Path) -> None:
    parts: list[dict[str, Any]] = [{"train@a": entry("2")}, {"train@b": entry("3")}]
    for name, order in (("one", parts), ("other", parts[::-1])):
        for part in order:
            locks.merge(part, tmp_path / name)
    assert locks.read(tmp_path / "one") == locks.read(tmp_path / "other") == {**parts[0], **parts[1]}


def test_without_a_lock_nothing_was_made(tmp_path: Path) -> None:
    assert locks.read(tmp_path / "dvc.lock") == {}


def test_a_write_that_fails_leaves_the_lock_whole(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = lock.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        locks.merge({"train@a": entry("4")}, lock)
    assert lock.read_bytes() == before
