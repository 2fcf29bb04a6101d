"""Silence for a corpus: one-second cuts of long background recordings, no second of which is in two parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from corpora.audio import Audio, read_audio
from corpora.corpus import Clip
from corpora.errors import CorpusError

LONGEST = 600.0  # seconds of a background recording
SHARES = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}


def cut_background(source: Path, built: Path, wanted: Mapping[str, int]) -> list[Clip]:
    """Write up to `wanted`[part] cuts of the WAV files in `source` to `built`/audio/silence; returns their clips.

    The first 80 % of each recording serve train, the next 10 % validation, the last 10 % test; cuts of one part may
    overlap by half. Raises CorpusError when there are no recordings, or too short ones to serve a part.
    """
    recordings = {path.stem: read_audio(path, max_seconds=LONGEST) for path in sorted(source.glob("*.wav"))}
    if not recordings:
        raise CorpusError("no background noise", place=source, allowed="WAV files of ten seconds or more")
    (built / "audio/silence").mkdir(parents=True)
    clips = []
    for part, share in SHARES.items():
        cuts = [cut for name, (audio, rate) in recordings.items() for cut in _cuts(name, audio, rate, share)]
        if not cuts:
            raise CorpusError(f"no whole second for {part}", place=source, allowed="recordings of ten seconds or more")
        # Evenly over all recordings, where fewer are wanted than there are.
        for index in np.linspace(0, len(cuts) - 1, min(wanted[part], len(cuts))).round().astype(int):
            name, at, samples, rate = cuts[index]
            path = f"audio/silence/{name}_{at:07d}.wav"
            soundfile.write(str(built / path), samples, rate, subtype="PCM_16")
            clips.append(Clip(path, "silence", f"noise-{name}", part))
    return clips


def _cuts(name: str, audio: Audio, rate: int, share: tuple[float, float]) -> list[tuple[str, int, Audio, int]]:
    first, last = (int(len(audio) * edge) for edge in share)
    starts = range(first, last - rate + 1, rate // 2)
    return [(name, at, audio[at : at + rate], rate) for at in starts if audio[at : at + rate].any()]
