"""Fetch a file whose checksum is known before it is fetched; broken off, it goes on where it stopped."""

from __future__ import annotations

import errno
import hashlib
import http.client
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from rich.progress import DownloadColumn, Progress, TaskID

from corpora.corpus import content_hash
from corpora.errors import CorpusError
from corpora.progress import bar

BLOCK = 1 << 20
TIMEOUT = 30.0  # seconds without a byte
TRIES = 5  # in a row without a new byte
PAUSE = 1.0  # seconds before the second try, doubled for each further one


def fetch(url: str, dest: Path, *, sha256: str, size: int, pause: float = PAUSE) -> Path:
    """Download `url` to `dest` and return `dest`; a file there already with the right checksum is left alone.

    Bytes gather in `dest` + ".part" and get the name `dest` only when their number is `size` and their sha256 is
    `sha256`. A cut connection is taken up again where it ended, in this run or the next. Raises CorpusError, with what
    was found and what was wanted: no network, no space, another size, another checksum.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise CorpusError("cannot be fetched", place=url, allowed="http and https addresses")
    if dest.is_file() and dest.stat().st_size == size and content_hash(dest) == sha256:
        return dest
    part = dest.with_name(f"{dest.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    _check_space(part, size)
    with bar(DownloadColumn()) as progress:
        task = progress.add_task(dest.name, total=size)
        _fill(url, part, size, pause, progress, task)
    _check_content(url, part, sha256)
    part.replace(dest)
    return dest


def _fill(url: str, part: Path, size: int, pause: float, progress: Progress, task: TaskID) -> None:
    """Try until `part` is whole; only tries that bring nothing are counted."""
    failures, problem = 0, "the connection ended early"
    while (held := _held(part)) != size:
        if held > size:
            part.unlink()
            raise CorpusError(f"more than the {size} bytes expected", place=url, allowed=f"exactly {size} bytes")
        if failures == TRIES:
            raise CorpusError(
                f"not fetched, {held} of {size} bytes: {problem}", place=url,
                allowed="a network that reaches it (what is there is kept for the next try), or --from FOLDER",
            )  # fmt: skip
        if failures:
            time.sleep(pause * 2 ** (failures - 1))
        try:
            _receive(url, part, held, size, progress, task)
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            problem = str(getattr(error, "reason", "") or error) or type(error).__name__
        except OSError as error:
            raise _storage_error(part, error) from error
        failures = failures + 1 if _held(part) <= held else 0


def _receive(url: str, part: Path, held: int, size: int, progress: Progress, task: TaskID) -> None:
    headers = {"User-Agent": "pianissimo-corpora", **({"Range": f"bytes={held}-"} if held else {})}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 addresses are the loaders' own, checked by hash
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
        goes_on = response.status == http.HTTPStatus.PARTIAL_CONTENT
        with part.open("ab" if goes_on else "wb") as stream:  # a server without ranges starts again
            # One block over the size is enough to know that the file is another.
            while stream.tell() <= size and (block := response.read(BLOCK)):
                stream.write(block)
                progress.update(task, completed=stream.tell())


def _held(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _check_space(part: Path, size: int) -> None:
    missing = size - _held(part)
    free = shutil.disk_usage(part.parent).free
    if free < missing:
        raise CorpusError(f"{free} bytes free", place=part.parent, allowed=f"{missing} bytes or more")


def _check_content(url: str, part: Path, sha256: str) -> None:
    with part.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        part.unlink()  # going on from wrong bytes would never end well
        raise CorpusError(f"sha256 {found}, so not the file expected (removed)", place=url, allowed=f"sha256 {sha256}")


def _storage_error(part: Path, error: OSError) -> CorpusError:
    problem = "no space left" if error.errno == errno.ENOSPC else f"cannot be written: {error.strerror or error}"
    return CorpusError(problem, place=part, allowed="a folder that can be written, with space for the whole file")
