"""Arrays in a file: numpy's .npz, read without pickles, and written so that one content has one sequence of bytes."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
MOMENT = (1980, 1, 1, 0, 0, 0)  # the first a zip can tell; today's would make other bytes every day
UNIX, READABLE = 3, 0o644 << 16  # a zip says which system made it and who may read it
VERSION = (1, 0)  # of the .npy header


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Arrays by name, in the order of their names, uncompressed: compressors differ, bytes must not."""
    with ZipFile(path, "w", ZIP_STORED) as stored:
        for name in sorted(arrays):
            member = ZipInfo(f"{name}.npy", MOMENT)
            member.create_system, member.external_attr = UNIX, READABLE
            content = io.BytesIO()
            array = np.asarray(arrays[name], order="C")
            npy.write_array(content, array.astype(array.dtype.newbyteorder("<")), VERSION, allow_pickle=False)
            stored.writestr(member, content.getvalue())


def read(path: Path) -> Arrays:
    """All arrays by name; raises ValueError for whatever is no such file, or holds anything but plain arrays."""
    try:
        with ZipFile(path) as stored:
            return {name.removesuffix(".npy"): _array(stored, name) for name in stored.namelist()}
    except (OSError, EOFError, BadZipFile, zlib.error, NotImplementedError, RuntimeError) as fault:
        raise ValueError(f"not a readable .npz ({fault})") from fault


def _array(stored: ZipFile, name: str) -> NDArray[Any]:
    with stored.open(name) as content:
        try:
            array: NDArray[Any] = npy.read_array(content, allow_pickle=False)
        except (ValueError, MemoryError) as fault:
            raise ValueError(f"{name} is no plain array ({fault})") from fault
    return array
