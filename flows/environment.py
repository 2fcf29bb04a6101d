"""The environment stages run in: this Python first on the path, which is how `python` in dvc.yaml is found."""

import os
import sys
from pathlib import Path

# The command `dvc`, which writes dvc.lock whole or not at all; -P, so that no module beside it stands for another.
DVC = (sys.executable, "-P", str(Path(__file__).with_name("whole.py")))
# When a run's heartbeats stop, the server knows that it was killed.
HEARTBEAT, HEARTBEAT_SECONDS = "PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "30"
LOCKED = "Unable to acquire lock"  # what DVC says when another of its commands is at work
BUSY = "it is being blocked by"  # what it says when another of its commands reads or writes the same file


def environment() -> dict[str, str]:
    """This process's environment, with its own Python first, plain output and no telemetry."""
    own = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join([own, os.environ.get("PATH", "")]), "DVC_NO_ANALYTICS": "1"}


def ask_prefect_quietly() -> None:
    """For a command that is about to import Prefect: nothing is told to anyone, and on a busy machine its own temporary server
    may take its time to start. Its runs say often that they live."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "300")
    os.environ.setdefault(HEARTBEAT, HEARTBEAT_SECONDS)
