"""Load and run small audio models: `pp.load("keywords", platform="edge").predict(audio, 16_000)`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .errors import AudioError as AudioError
from .errors import BackendFailedError as BackendFailedError
from .errors import BackendMissingError as BackendMissingError
from .errors import EnrolmentError as EnrolmentError
from .errors import FrontEndError as FrontEndError
from .errors import IntegrityError as IntegrityError
from .errors import ManifestError as ManifestError
from .errors import ModelNotFoundError as ModelNotFoundError
from .errors import PianissimoError as PianissimoError
from .errors import PlatformNotFoundError as PlatformNotFoundError
from .errors import RegistryError as RegistryError
from .errors import SignatureError as SignatureError
from .errors import SwitchError as SwitchError
from .errors import TaskError as TaskError
from .errors import VerificationError as VerificationError

if TYPE_CHECKING:
    from . import audio as audio
    from . import frontend as frontend
    from . import golden as golden
    from . import manifest as manifest
    from . import metrics as metrics
    from .decode import Prediction as Prediction
    from .decode import Symbol as Symbol
    from .frames import FrameClassifier as FrameClassifier
    from .golden import Verification as Verification
    from .info import Info as Info
    from .library import Library as Library
    from .loader import load as load
    from .loader import open_folder as open_folder
    from .model import Model as Model
    from .phonemes import Extraction as Extraction
    from .phonemes import Phonemes as Phonemes
    from .stream import Stream as Stream
    from .voice_unlock import VoiceUnlock as VoiceUnlock

__version__ = "0.4.2"

# Name -> module that holds it. Loaded on first use, so that whoever needs only the manifest (the
# registry's writing side) does not pay for numpy, and nobody pays for a backend before a model asks.
_LAZY = {
    "audio": "audio",
    "frontend": "frontend",
    "golden": "golden",
    "manifest": "manifest",
    "metrics": "metrics",
    "load": "loader",
    "open_folder": "loader",
    "Extraction": "phonemes",
    "FrameClassifier": "frames",
    "Info": "info",
    "Library": "library",
    "Model": "model",
    "Phonemes": "phonemes",
    "Prediction": "decode",
    "Stream": "stream",
    "Symbol": "decode",
    "Verification": "golden",
    "VoiceUnlock": "voice_unlock",
}


def __getattr__(name: str) -> object:
    """Import a lazy name on first use (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module 'pianissimo' has no attribute {name!r}; it has {', '.join(__dir__())}")
    module = import_module(f".{_LAZY[name]}", __name__)
    value = module if name == _LAZY[name] else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Names a person may use, the lazy ones included."""
    return sorted({name for name in globals() if name.endswith("Error")} | set(_LAZY) | {"__version__"})
