"""Keep the runtime's wheel beside the models, so that a registry is all a consumer needs."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from pathlib import Path

from pianissimo import layout
from pianissimo.errors import RegistryError

from . import state
from .signing import Signer
from .store import Store

WHEEL = re.compile(r"pianissimo-\d+(\.\d+)*([a-z]+\d+)?-py3-none-any\.whl", re.ASCII)


def put_runtime(store: Store, wheel: Path, replace: bool = False, signer: Signer | None = None) -> bool:
    """Put a wheel into the registry, signed with a `signer`; False when one with the same files is there.

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
    present = state.read_document(store, key)
    same = present is not None and _content(present, key, store) == content
    if present is not None and not same and not replace:
        raise RegistryError(store.root, f"{key} is there with other files", "a new version of the runtime, or replace")
    if signer:  # first, so that nobody meets the wheel without it
        signer.sign(store, key, present if present is not None and same else data)
    if same or store.compare_and_swap(key, present, data):
        return not same
    return put_runtime(store, wheel, replace, signer)  # another publisher was quicker: is it the same wheel?


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
