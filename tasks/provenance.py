"""Whether what is measured was made of what it says: the front end that was trained with, calibration out of train."""

import hashlib
from pathlib import Path
from typing import Any

from tasks import clips
from tasks.clips import Clips


def faults(data: Path, distill: Path, shipped: dict[str, Any]) -> list[str]:
    """What makes every figure worthless, in words: `shipped` is the front end in the manifest, `distill` left the network
    with the one it was trained to hear. None when all is as it should be."""
    return [*_changed(clips.read_frontend(distill), shipped), *_strangers(data)]


def _changed(trained: dict[str, Any], shipped: dict[str, Any]) -> list[str]:
    keys = [key for key in {**trained, **shipped} if trained.get(key) != shipped.get(key)]
    found = ", ".join(f"{key} was {trained.get(key)} and is {shipped.get(key)}" for key in keys)
    return [f"the front end was changed after training: {found}"] if keys else []


def _strangers(data: Path) -> list[str]:
    """int8 ranges come from calibration; from anything but what the network was trained on they mean nothing."""
    known = _hashes(clips.read(data, "train"))
    strange = [name for name in _hashes(clips.read(data, "calibration")) if name not in known]
    return [f"calibration holds {len(strange)} clips that are not in train"] if strange else []


def _hashes(part: Clips) -> set[str]:
    return {hashlib.sha256(audio.tobytes()).hexdigest() for audio in part.audio}
