"""Sign what is published: an Ed25519 key that lies outside every repository, readable by its owner alone."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pianissimo import layout, signature
from pianissimo.errors import RegistryError

from .store import Store

ENVIRONMENT = "PIANISSIMO_SIGNING_KEY"


class Signer:
    """A private key that signs documents of a registry; `public` are the 32 bytes consumers pin."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw()

    def sign(self, store: Store, key: str, data: bytes) -> bool:
        """Put the signature of the document `data` at `key` beside it; False when it is there already."""
        text = base64.b64encode(self._private.sign(signature.message(key, data))) + b"\n"
        return store.put_if_absent(signature.signature_key(key, data, self.public), text)


def place() -> Path:
    """Where the key lies: PIANISSIMO_SIGNING_KEY, or signing.pem in the user's configuration folder."""
    configuration = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(os.environ.get(ENVIRONMENT) or Path(configuration, "pianissimo", "signing.pem"))


def make(path: Path) -> Signer:
    """A new key in a new file, mode 0600; raises RegistryError in a git work tree, and for a file that is there."""
    _refuse_repository(path)
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as stream:
            stream.write(pem)
    except FileExistsError:
        raise RegistryError(
            str(path), "a key is there already", "another file, or first moving that one away"
        ) from None
    except OSError as fault:
        raise RegistryError(str(path), f"the key cannot be written ({fault.strerror})", "a folder of yours") from fault
    return Signer(private)


def read(path: Path) -> Signer:
    """The key in a file; raises RegistryError when it is none, lies in a git work tree, or others may read it."""
    _refuse_repository(path)
    try:
        if path.stat().st_mode & 0o077:
            raise RegistryError(str(path), "others may read this key", f"chmod 600 {path}")
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except RegistryError:
        raise
    except (OSError, TypeError, ValueError) as fault:
        raise RegistryError(
            str(path), f"there is no usable key ({fault})", "what `python -m registry key` made"
        ) from fault
    if not isinstance(private, Ed25519PrivateKey):
        raise RegistryError(
            str(path), "the key is of another kind", "an Ed25519 key, as `python -m registry key` makes"
        )
    return Signer(private)


def found() -> Signer | None:
    """The key of this user, or None when none was made; PIANISSIMO_SIGNING_KEY set to nothing means none."""
    named = os.environ.get(ENVIRONMENT)
    if named == "" or (named is None and not _is_there(place())):
        return None
    return read(place())


def _is_there(path: Path) -> bool:
    """Whether there is a key at the usual place; a home that this user may not enter, a service's say, holds none of theirs."""
    try:
        return path.is_file()
    except PermissionError:
        return False


def signed(store: Store, key: str, data: bytes) -> list[str]:
    """The names of the keys by which a document was signed; whether they hold is the audit's to find out."""
    start = layout.signature_key(signature.digest(key, data), "")
    return [name.removeprefix(start) for name in store.list(start)]


def require(store: Store, key: str, data: bytes, signer: Signer | None) -> None:
    """Refuse to replace a signed document by an unsigned one, which its consumers would refuse."""
    if signer is None and signed(store, key, data):
        allowed = f"the signing key, at {place()} or where {ENVIRONMENT} says"
        raise RegistryError(store.root, f"{key} is signed and there is no key to sign its successor", allowed)


def documents(store: Store) -> list[str]:
    """Keys of all that is signed: manifests, channels, yanks and cards of models, and the runtime's wheels."""
    return [*store.list(layout.models_prefix()), *store.list(layout.runtime_key(""))]


def sign_everything(store: Store, signer: Signer) -> list[str]:
    """Sign every document as it is now: a registry takes up signing, or a new key. What was new."""
    return [key for key in documents(store) if signer.sign(store, key, store.get(key))]


def _refuse_repository(path: Path) -> None:
    for folder in path.absolute().resolve().parents:
        if (folder / ".git").exists():
            raise RegistryError(
                str(path), f"{folder} is a git work tree, where a key may be committed", "a file outside"
            )
