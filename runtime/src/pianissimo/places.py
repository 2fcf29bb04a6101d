"""Where this package keeps what it downloads, by the customs of each system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .errors import RegistryError

ENVIRONMENT = "PIANISSIMO_CACHE"


def cache() -> Path:
    """The folder for downloads: what PIANISSIMO_CACHE says, or this user's cache of this system. It may not exist yet.

    Raises RegistryError for a user without a home.
    """
    named = os.environ.get(ENVIRONMENT, "")
    try:
        return Path(named).expanduser() if named else _customary()
    except RuntimeError as fault:  # a container's user without a name or a HOME
        raise RegistryError(named or "the cache", str(fault), f"{ENVIRONMENT}=FOLDER, or HOME=FOLDER") from fault


def mirrors() -> Path:
    """In the cache, the folder with a copy of every registry that was downloaded from."""
    return cache() / "registries"


def _customary() -> Path:
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", "")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "pianissimo" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "pianissimo"
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if given else Path.home() / ".cache") / "pianissimo"
