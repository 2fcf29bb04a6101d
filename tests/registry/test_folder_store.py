"""The folder store: whole content or none, conditions that hold across processes, faults in words."""

from __future__ import annotations

import errno
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pianissimo import RegistryError

import registry
from registry.folder import FolderStore

SPAWN = multiprocessing.get_context("spawn")


def test_put_if_absent(tmp_path: Path) -> None:
    store = registry.open_store(str(tmp_path / "deep" / "root"))
    assert store.put_if_absent("a/b", b"one")
    assert not store.put_if_absent("a/b", b"two")
    assert store.get("a/b") == b"one"


def test_put_a_file(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x" * 3_000_000)
    store = registry.open_store(str(tmp_path / "root"))
    assert store.put_if_absent("blob", tmp_path / "source")
    assert store.get("blob") == b"x" * 3_000_000
    assert (tmp_path / "root" / "blob").stat().st_mode & 0o777 == 0o644


def test_compare_and_swap(tmp_path: Path) -> None:
    store = registry.open_store(str(tmp_path))
    assert not store.compare_and_swap("key", b"old", b"new")
    assert store.compare_and_swap("key", None, b"one")
    assert not store.compare_and_swap("key", None, b"two")
    assert not store.compare_and_swap("key", b"other", b"two")
    assert store.compare_and_swap("key", b"one", b"two")
    assert store.get("key") == b"two"


def test_list_and_delete(tmp_path: Path) -> None:
    store = registry.open_store(str(tmp_path))
    assert store.list("") == []
    for key in ["a/b/1", "a/b/2", "a/c", "ab"]:
        store.put_if_absent(key, b"x")
    assert store.list("a/b/") == ["a/b/1", "a/b/2"]
    assert store.list("a") == ["a/b/1", "a/b/2", "a/c", "ab"]
    assert store.list("nothing/") == []
    store.delete("a/b/1")
    store.delete("a/b/1")
    assert store.list("") == ["a/b/2", "a/c", "ab"]


def test_absent(tmp_path: Path) -> None:
    with pytest.raises(registry.AbsentError, match="no a/b"):
        registry.open_store(str(tmp_path)).get("a/b")


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../up", "a/../b", "a//b", ".lock", ".incoming/x", "a/.b", "a\0"])
def test_keys_stay_inside(tmp_path: Path, key: str) -> None:
    store = registry.open_store(str(tmp_path))
    for attempt in (lambda: store.get(key), lambda: store.put_if_absent(key, b""), lambda: store.delete(key)):
        with pytest.raises(RegistryError, match="relative path of plain parts"):
            attempt()


@pytest.mark.parametrize("root", ["gs://bucket", "", "http://host/x"])
def test_addresses_that_are_no_folder(root: str) -> None:
    with pytest.raises(RegistryError, match="allowed: a folder"):
        registry.open_store(root)


def add_lines(root: str, name: int, count: int) -> None:
    store = registry.open_store(root)
    for number in range(count):
        while True:
            try:
                before: bytes | None = store.get("log")
            except registry.AbsentError:
                before = None
            if store.compare_and_swap("log", before, (before or b"") + f"{name}-{number}\n".encode()):
                break


def test_swaps_of_eight_processes_all_count(tmp_path: Path) -> None:
    workers = [SPAWN.Process(target=add_lines, args=(str(tmp_path), name, 10)) for name in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    lines = (tmp_path / "log").read_text().split()
    assert sorted(lines) == sorted(f"{name}-{number}" for name in range(8) for number in range(10))
    assert list((tmp_path / ".incoming").iterdir()) == []


def test_what_a_killed_writer_left_is_swept_and_a_living_ones_is_kept(tmp_path: Path) -> None:
    first = FolderStore(str(tmp_path))
    with first._aside(b"still writing") as living:
        (tmp_path / ".incoming" / "left").write_bytes(b"half")
        FolderStore(str(tmp_path)).put_if_absent("key", b"x")
        assert [path.name for path in (tmp_path / ".incoming").iterdir()] == [Path(living).name]


def test_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    store = registry.open_store(str(tmp_path))
    assert store.put_if_absent("key", b"one")
    assert not store.put_if_absent("key", b"two")
    assert store.get("key") == b"one"


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(RegistryError, match="is not a folder"):
            registry.open_store(str(root)).put_if_absent("key", b"x")


WRITE = """
import os, sys, resource, signal
import registry
from pianissimo import RegistryError
store = registry.open_store(sys.argv[1])
{before}
try:
    store.put_if_absent("key", b"x" * 100_000)
except RegistryError as fault:
    print(fault)
"""


def refused(root: Path, before: str) -> str:
    code = WRITE.format(before=before)
    done = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_folder_this_user_may_not_write(tmp_path: Path) -> None:
    """Root may write anywhere, so a process that has become nobody tries; a real refusal of the system."""
    root = tmp_path / "root"
    root.mkdir()
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    root.chmod(0o555)
    before = "os.setuid(65534)" if os.geteuid() == 0 else ""
    assert "is not writable" in refused(root, before)
    assert list(root.iterdir()) == []


def test_a_place_that_takes_no_more(tmp_path: Path) -> None:
    """A limit of the system on file sizes: the write fails half way and leaves nothing."""
    limit = "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    assert "takes no file this large" in refused(tmp_path, limit)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "has no space left"),
        (errno.EROFS, "read-only file system"),
        (errno.EIO, "failed"),
    ],
)
def test_faults_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str) -> None:
    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RegistryError, match=words) as caught:
        registry.open_store(str(tmp_path)).put_if_absent("key", b"x")
    assert caught.value.place == str(tmp_path)
    assert list((tmp_path / ".incoming").iterdir()) == []
