"""What somebody who looks for a fault asks first: versions, machine, backends, switches, memory."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from . import __version__, memory
from .backends import BACKENDS
from .switches import PREFIX, cores

# What each backend imports, and the package that brings it.
PACKAGES = {"tflite": ("ai_edge_litert", "ai-edge-litert"), "onnx": ("onnxruntime", "onnxruntime")}


def diagnostics() -> dict[str, Any]:
    """Facts of this process as JSON takes them; finding them imports no backend."""
    return {
        "pianissimo": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": cores(),
        "numpy": metadata.version("numpy"),
        "backends": {name: _backend(name) for name in BACKENDS},
        "environment": {name: value for name, value in sorted(os.environ.items()) if name.startswith(PREFIX)},
        "process": os.getpid(),
        "memory_bytes": memory.resident(),
    }


def _backend(name: str) -> str:
    """The version that is installed, or how to install it."""
    if name not in PACKAGES:
        return "comes with numpy"
    module, package = PACKAGES[name]
    return metadata.version(package) if find_spec(module) else f"pip install 'pianissimo[{BACKENDS[name].extra}]'"
