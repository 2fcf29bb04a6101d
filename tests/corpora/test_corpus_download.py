"""Downloads go on where they broke off and get their name only when the checksum is right; archives stay inside."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from corpora import CorpusError, download
from corpora.archive import extract
from corpora.download import fetch

CONTENT = bytes(range(256)) * 4_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT; `cuts` lists after how many bytes the next connections break, `ranges` whether Range is known."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.cuts: list[int] = []
        self.ranges = True
        self.status = 200
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/corpus.bin"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.ranges else 0
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cuts.pop(0)] if self.server.cuts else body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def _fetch(server: Server, dest: Path, sha256: str = SHA256, size: int = len(CONTENT)) -> Path:
    return fetch(server.url, dest, sha256=sha256, size=size, pause=0)


def test_fetches_once(server: Server, tmp_path: Path) -> None:
    dest = tmp_path / "deep/corpus.bin"
    assert _fetch(server, dest).read_bytes() == CONTENT
    assert _fetch(server, dest) == dest
    assert server.asked == [None]
    assert [path.name for path in dest.parent.iterdir()] == ["corpus.bin"]


def test_goes_on_after_every_cut(server: Server, tmp_path: Path) -> None:
    server.cuts = [300_000, 200_000, 1]
    assert _fetch(server, tmp_path / "corpus.bin").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-", "bytes=500000-", "bytes=500001-"]


def test_goes_on_in_the_next_run(server: Server, tmp_path: Path) -> None:
    (tmp_path / "corpus.bin.part").write_bytes(CONTENT[:700_000])
    assert _fetch(server, tmp_path / "corpus.bin").read_bytes() == CONTENT
    assert server.asked == ["bytes=700000-"]


def test_starts_again_where_ranges_are_unknown(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    server.cuts = [300_000]
    assert _fetch(server, tmp_path / "corpus.bin").read_bytes() == CONTENT


def test_a_wrong_checksum_leaves_nothing(server: Server, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=f"sha256 {SHA256}.*allowed: sha256 {'0' * 64}"):
        _fetch(server, tmp_path / "corpus.bin", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_part_is_found_out(server: Server, tmp_path: Path) -> None:
    (tmp_path / "corpus.bin.part").write_bytes(b"x" * 1_000)
    with pytest.raises(CorpusError, match="not the file expected"):
        _fetch(server, tmp_path / "corpus.bin")
    assert _fetch(server, tmp_path / "corpus.bin").read_bytes() == CONTENT


def test_more_bytes_than_expected(server: Server, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="more than the 1000 bytes expected"):
        _fetch(server, tmp_path / "corpus.bin", size=1_000)
    assert list(tmp_path.iterdir()) == []


def test_a_file_there_already_is_checked(server: Server, tmp_path: Path) -> None:
    (tmp_path / "corpus.bin").write_bytes(CONTENT[:-1] + b"!")
    assert _fetch(server, tmp_path / "corpus.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [404, 500])
def test_a_refusing_server_is_named(server: Server, tmp_path: Path, status: int) -> None:
    server.status = status
    with pytest.raises(CorpusError, match=f"not fetched, 0 of {len(CONTENT)} bytes: .*--from FOLDER"):
        _fetch(server, tmp_path / "corpus.bin")
    assert len(server.asked) == download.TRIES


def test_no_network(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"not fetched.*refused"):
        fetch("http://127.0.0.1:9/x", tmp_path / "x", sha256=SHA256, size=10, pause=0)


def test_no_space(server: Server, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="bytes free; allowed: 1152921504606846976 bytes"):
        _fetch(server, tmp_path / "corpus.bin", size=1 << 60)


def test_other_kinds_of_address(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="allowed: http and https"):
        fetch("file:///etc/hostname", tmp_path / "x", sha256=SHA256, size=10)


def _tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_unpacks_tar_and_zip(tmp_path: Path) -> None:
    _tar(tmp_path / "a.tar.gz", (tarfile.TarInfo("deep/a.txt"), b"one"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        zipped.writestr("deep/a.txt", "one")
    for name in ("a.tar.gz", "a.zip"):
        assert (extract(tmp_path / name, tmp_path / f"{name}-out") / "deep/a.txt").read_bytes() == b"one"


def _link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


@pytest.mark.parametrize(
    "member",
    [
        tarfile.TarInfo("../out.txt"),
        tarfile.TarInfo("a/../../out.txt"),
        _link("a", "/etc/passwd"),
        _link("a", "../b"),
    ],
    ids=["parent", "deep-parent", "absolute-link", "parent-link"],
)
def test_a_tar_that_reaches_out(tmp_path: Path, member: tarfile.TarInfo) -> None:
    archive = _tar(tmp_path / "bad.tar.gz", (member, b""))
    with pytest.raises(CorpusError, match="not unpacked"):
        extract(archive, tmp_path / "folder")
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.parametrize("name", ["../out.txt", "/out.txt", "C:/out.txt"])
def test_a_zip_that_reaches_out(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as zipped:
        zipped.writestr(name, "x")
    with pytest.raises(CorpusError, match="leaves the folder"):
        extract(tmp_path / "bad.zip", tmp_path / "folder")


def test_an_archive_too_large(tmp_path: Path) -> None:
    archive = _tar(tmp_path / "big.tar.gz", (tarfile.TarInfo("a"), bytes(5_000)))
    with pytest.raises(CorpusError, match="more than 4000 bytes"):
        extract(archive, tmp_path / "folder", most=4_000)


def test_a_damaged_archive(tmp_path: Path) -> None:
    noise = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(200))
    whole = _tar(tmp_path / "a.tar.gz", (tarfile.TarInfo("a"), noise)).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.zip").write_text("no archive")
    for name in ("cut.tar.gz", "text.zip"):
        with pytest.raises(CorpusError, match=r"not unpacked|no archive"):
            extract(tmp_path / name, tmp_path / "folder")
