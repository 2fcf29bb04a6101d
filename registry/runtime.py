"""Keep the runtime's wheel beside the models, so that a registry is all a consumer needs."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from pathlib import Path

from pianissimo import layout
from pianissimo.errors import RegistryError

from .store import Store

WHEEL = re.compile(r"pianissimo-\d+(\.\d+)*([a-z]+\d+)?-py3-none-any\.whl", re.ASCII)


def put_runtime(store: Store, wheel: Path, replace: bool = False) -> bool:
    """Put a wheel into the registry; False when one with the same files is there.

    Two builds of one source differ in their timestamps only, so the files inside are compared. A wheel of the
    same version with other files is refused with RegistryError, as consumers keep wheels by version;
    `replace` overrides.
    """
    if not WHEEL.fullmatch(wheel.name):
        raise RegistryError(store.root, f"the file name {wheel.name}", "pianissimo-VERSION-py3-none-any.whl")
    try:
        data = wheel.read_bytes()
    except OSError as fault:
        raise RegistryError(store.root, f"{wheel} cannot be read ({fault.strerror})", "a wheel") from fault
    content = _content(data, wheel.name, store)
    key = layout.runtime_key(wheel.name)
    if store.put_if_absent(key, data):
        return True
    present = store.get(key)
    if _content(present, key, store) == content:
        return False
    if not replace:
        raise RegistryError(store.root, f"{key} is there with other files", "a new version of the runtime, or replace")
    return store.compare_and_swap(key, present, data)


def _content(data: bytes, name: str, store: Store) -> dict[str, str]:
    """File names and hashes inside a wheel; RECORD lists the same in an order of its own."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {
                entry: hashlib.sha256(archive.read(entry)).hexdigest()
                for entry in archive.namelist()
                if not entry.endswith("/RECORD")
            }
    except zipfile.BadZipFile as fault:
        raise RegistryError(store.root, f"{name} is no wheel ({fault})", "a wheel, which is a zip file") from fault
