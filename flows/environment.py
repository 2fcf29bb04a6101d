"""The environment stages run in: this Python first on the path, which is how `python` in dvc.yaml is found."""

import os
import sys
from pathlib import Path

LOCKED = "Unable to acquire lock"  # what DVC says when another of its commands is at work


def environment() -> dict[str, str]:
    """This process's environment, with its own Python first, plain output and no telemetry."""
    own = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join([own, os.environ.get("PATH", "")]), "DVC_NO_ANALYTICS": "1"}
