"""Unpack tar and zip files without letting them write anywhere else."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

from corpora.errors import CorpusError
from corpora.labels import is_inside

MOST = 16 << 30  # bytes unpacked: several times the largest corpus


def extract(archive: Path, folder: Path, most: int = MOST) -> Path:
    """Unpack `archive` (.tar, .tar.gz and so on, or .zip) into `folder` and return it.

    Raises CorpusError for members outside the folder, links out of it, devices, more than `most` bytes, and damage.
    """
    for is_kind, unpack in ((zipfile.is_zipfile, _extract_zip), (tarfile.is_tarfile, _extract_tar)):
        if is_kind(archive):
            unpack(archive, folder, most)
            return folder
    raise CorpusError("no archive, or a damaged one", place=archive, allowed="tar (gzip, bzip2, xz) or zip")


def _extract_tar(archive: Path, folder: Path, most: int) -> None:
    size = 0
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                size = _count(archive, size + member.size, most)
                # The data filter (PEP 706) refuses absolute names, "..", links that leave, and devices.
                tar.extract(member, folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise CorpusError(f"not unpacked: {error}", place=archive, allowed="a whole archive of plain files") from error


def _extract_zip(archive: Path, folder: Path, most: int) -> None:
    size = 0
    try:
        with zipfile.ZipFile(archive) as zipped:
            for member in zipped.infolist():
                size = _count(archive, size + member.file_size, most)
                if not is_inside(member.filename):
                    raise CorpusError(
                        f"{member.filename!r} leaves the folder", place=archive, allowed="names inside it"
                    )
                zipped.extract(member, folder)
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise CorpusError(f"not unpacked: {error}", place=archive, allowed="a whole archive of plain files") from error


def _count(archive: Path, size: int, most: int) -> int:
    if size > most:
        raise CorpusError(f"unpacks to more than {most} bytes", place=archive, allowed=f"at most {most} bytes")
    return size
