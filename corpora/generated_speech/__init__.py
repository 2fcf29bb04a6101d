"""Spoken digits made offline: `python -m corpora.generated_speech DEST [--params params.yaml]`.

espeak-ng says the ten digit words and a hundred others with many voices, each in its own room, into its own
microphone, in front of noise or talk. The same settings give the same files, byte for byte, on the same
processor and library versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from corpora.corpus import Corpus
from corpora.generated_speech.takes import BACKGROUNDS, Script, record
from corpora.generated_speech.words import DIGITS
from corpora.generation import command, in_processes
from corpora.labels import read_folder, write_facts, write_labels
from corpora.progress import track
from corpora.settings import SEED
from corpora.settings import Settings as Section
from corpora.speakers import MOST, cast
from corpora.staging import staged

FACTS = {
    "name": "generated speech",
    "licence": "none on the recordings",
    "source": "espeak-ng 1.52 from the package espeakng-loader",
}
NOTE = (
    "group = the voice (espeak-ng's variant), in whatever accent; "
    "espeak-ng is GPL-3, which covers the program and not what it says"
)


@dataclass(frozen=True)
class Settings(Section):
    """The section corpora.generated_speech of params.yaml: counts are a voice; SNR in dB, loudness in dBFS.

    `throat` is how far a speaker's vocal tract is from the length that espeak-ng gives the voice, as a share of it.
    """

    SECTION: ClassVar[str] = "corpora.generated_speech"
    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = {
        "seed": SEED,
        "voices": (3, MOST),
        "takes": (1, 100),
        "unknown": (1, 1_000),
        "confusable": (0, 1),
        "silence": (1, 1_000),
        "snr_low": (-20, 60),
        "snr_high": (-20, 60),
        "loudness_low": (-50, -6),
        "loudness_high": (-50, -6),
        "reverberation": (0.06, 2),
        "throat": (0, 0.1),
    }
    ORDER: ClassVar[tuple[tuple[str, str], ...]] = (("snr_low", "snr_high"), ("loudness_low", "loudness_high"))

    seed: int = 7
    voices: int = 48
    takes: int = 6
    unknown: int = 14
    confusable: float = 0.2
    silence: int = 9
    snr_low: float = 5.0
    snr_high: float = 30.0
    loudness_low: float = -32.0
    loudness_high: float = -14.0
    reverberation: float = 0.5
    throat: float = 0.1


def make(dest: Path | str, settings: Settings | None = None, workers: int = 2) -> Corpus:
    """Write the corpus folder `dest` (labels.csv, corpus.json, audio/LABEL/*.wav: 16 kHz mono 16 bit, 1 s) and read it.

    `workers` processes share the voices; their number does not change the files. A run that fails or is killed
    leaves `dest` as it was.
    """
    settings = settings or Settings()
    script = Script(
        settings.takes, settings.unknown, settings.confusable, settings.silence,
        snr=(settings.snr_low, settings.snr_high), loudness=(settings.loudness_low, settings.loudness_high),
        throat=settings.throat,
    )  # fmt: skip
    speakers = cast(settings.voices, settings.seed, settings.reverberation, BACKGROUNDS)
    with staged(Path(dest)) as folder:
        for label in (*DIGITS, "unknown", "silence"):
            (folder / "audio" / label).mkdir(parents=True)
        work = partial(record, script=script, root=folder)
        said = in_processes(work, speakers, workers, "corpora.generated_speech.takes")
        recorded = track(said, len(speakers), "speaking")
        write_labels(folder, [clip for clips in recorded for clip in clips])
        write_facts(folder, FACTS | {"note": NOTE, "settings": asdict(settings)})
    return read_folder(dest)


def main(arguments: list[str] | None = None) -> int:
    """Makes the corpus; 0 when it is there, 1 with the reason on standard error."""
    return command(Settings, make, __doc__, arguments)
