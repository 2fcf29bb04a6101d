"""Spoken phrases made offline: `python -m corpora.generated_phrases DEST [--params params.yaml]`.

espeak-ng says a few words at a time with many voices, in rooms and in front of noise. The label is the phones as they are
said (ARPAbet, no stress), the group is the voice: the same corpus serves to recognise phones and to tell voices apart.
All voices speak American English, the one accent whose sounds fold into ARPAbet without doubt (see `phones`). The same
settings give the same files, byte for byte, on the same processor and library versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from corpora.acoustics import BACKGROUNDS
from corpora.corpus import Corpus
from corpora.generated_phrases.phones import PHONES as PHONES
from corpora.generated_phrases.readings import ACCENT, Script, record
from corpora.generation import command, in_processes
from corpora.labels import read_folder, write_facts, write_labels
from corpora.progress import track
from corpora.settings import SEED
from corpora.settings import Settings as Section
from corpora.speakers import VARIANTS, cast
from corpora.staging import staged

FACTS = {
    "name": "generated phrases",
    "licence": "none on the recordings",
    "source": "espeak-ng 1.52 from the package espeakng-loader",
    "note": "label = phones as said, in ARPAbet without stress; group = the voice (espeak-ng's variant); "
    "espeak-ng is GPL-3, which covers the program and not what it says",
}


@dataclass(frozen=True)
class Settings(Section):
    """The section corpora.generated_phrases of params.yaml: phrases and rooms are a voice's, words a phrase's; speed in
    words a minute, SNR in dB, loudness in dBFS, reverberation (the longest RT60) in seconds."""

    SECTION: ClassVar[str] = "corpora.generated_phrases"
    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = {
        "seed": SEED,
        "voices": (3, len(VARIANTS)),
        "phrases": (1, 1_000),
        "words_low": (1, 5),
        "words_high": (1, 5),
        "rooms": (1, 20),
        "speed_low": (80, 400),
        "speed_high": (80, 400),
        "reverberation": (0.06, 2),
        "snr_low": (-20, 60),
        "snr_high": (-20, 60),
        "loudness_low": (-50, -6),
        "loudness_high": (-50, -6),
    }
    ORDER: ClassVar[tuple[tuple[str, str], ...]] = (
        ("words_low", "words_high"),
        ("speed_low", "speed_high"),
        ("snr_low", "snr_high"),
        ("loudness_low", "loudness_high"),
    )

    seed: int = 7
    voices: int = len(VARIANTS)
    phrases: int = 20
    words_low: int = 2
    words_high: int = 4
    rooms: int = 2
    speed_low: float = 140.0
    speed_high: float = 200.0
    reverberation: float = 0.3
    snr_low: float = 15.0
    snr_high: float = 35.0
    loudness_low: float = -32.0
    loudness_high: float = -14.0


def make(dest: Path | str, settings: Settings | None = None, workers: int = 2) -> Corpus:
    """Write the corpus folder `dest` (labels.csv, corpus.json, audio/VOICE/*.wav: 16 kHz mono 16 bit) and read it.

    `workers` processes share the voices; their number does not change the files. A run that fails or is killed
    leaves `dest` as it was.
    """
    settings = settings or Settings()
    script = Script(
        settings.phrases, (settings.words_low, settings.words_high), settings.rooms,
        (settings.speed_low, settings.speed_high), settings.reverberation,
        (settings.snr_low, settings.snr_high), (settings.loudness_low, settings.loudness_high),
    )  # fmt: skip
    speakers = cast(settings.voices, settings.seed, settings.reverberation, tuple(BACKGROUNDS))
    speakers = tuple(replace(speaker, accent=ACCENT) for speaker in speakers)
    with staged(Path(dest)) as folder:
        work = partial(record, script=script, root=folder)
        said = in_processes(work, speakers, workers, "corpora.generated_phrases.readings")
        recorded = track(said, len(speakers), "speaking")
        write_labels(folder, [clip for clips in recorded for clip in clips])
        write_facts(folder, FACTS | {"settings": asdict(settings)})
    return read_folder(dest)


def main(arguments: list[str] | None = None) -> int:
    """Makes the corpus; 0 when it is there, 1 with the reason on standard error."""
    return command(Settings, make, __doc__, arguments)
