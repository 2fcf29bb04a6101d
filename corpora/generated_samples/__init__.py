"""One-shot samples made offline: `python -m corpora.generated_samples DEST [--params params.yaml]`.

Ten labels (kick, snare, hat, clap, tom, bass, pluck, pad, brass, vocal) are synthesized kit by kit; a kit has its own
tuning, sampler, room and saturation, and its sounds reach into their neighbours' ground. The same settings give the
same files, byte for byte, on the same processor and library versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from corpora.corpus import Corpus
from corpora.generated_samples.kits import collect
from corpora.generated_samples.takes import SOUNDS, Session, record
from corpora.generation import command, in_processes
from corpora.labels import read_folder, write_facts, write_labels
from corpora.progress import track
from corpora.settings import SEED
from corpora.settings import Settings as Section
from corpora.staging import staged

FACTS = {
    "name": "generated samples",
    "licence": "none on the recordings",
    "source": "synthesized by this program",
    "note": "group = the kit",
}


@dataclass(frozen=True)
class Settings(Section):
    """The section corpora.generated_samples of params.yaml.

    `takes` is of each label a kit; `overlap` is how far parameters reach from what is usual for a label (0) into its
    neighbours' ground (1); `layering` is the share of samples with another label's sound under them; SNR in dB, loudness
    in dBFS, the longest RT60 of a kit's room in seconds, its steepest tilt in dB an octave.
    """

    SECTION: ClassVar[str] = "corpora.generated_samples"
    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = {
        "seed": SEED,
        "kits": (3, 1_000),
        "takes": (1, 100),
        "overlap": (0, 1),
        "layering": (0, 1),
        "snr_low": (-20, 80),
        "snr_high": (-20, 80),
        "loudness_low": (-50, -6),
        "loudness_high": (-50, -6),
        "reverberation": (0.06, 2),
        "slope": (0, 6),
    }
    ORDER: ClassVar[tuple[tuple[str, str], ...]] = (("snr_low", "snr_high"), ("loudness_low", "loudness_high"))

    seed: int = 7
    kits: int = 60
    takes: int = 3
    overlap: float = 0.2
    layering: float = 0.1
    snr_low: float = 25.0
    snr_high: float = 60.0
    loudness_low: float = -30.0
    loudness_high: float = -12.0
    reverberation: float = 0.6
    slope: float = 2.5


def make(dest: Path | str, settings: Settings | None = None, workers: int = 2) -> Corpus:
    """Write the corpus folder `dest` (labels.csv, corpus.json, audio/LABEL/*.wav: 22,050 Hz mono 16 bit, 0.1-1.5 s) and
    read it.

    `workers` processes share the kits; their number does not change the files. A run that fails or is killed leaves
    `dest` as it was.
    """
    settings = settings or Settings()
    session = Session(
        settings.takes, settings.overlap, settings.layering,
        snr=(settings.snr_low, settings.snr_high), loudness=(settings.loudness_low, settings.loudness_high),
    )  # fmt: skip
    kits = collect(settings.kits, settings.seed, settings.slope, settings.reverberation)
    with staged(Path(dest)) as folder:
        for label in SOUNDS:
            (folder / "audio" / label).mkdir(parents=True)
        work = partial(record, session=session, root=folder)
        made = in_processes(work, kits, workers, "corpora.generated_samples.takes")
        recorded = track(made, len(kits), "sampling")
        write_labels(folder, [clip for clips in recorded for clip in clips])
        write_facts(folder, FACTS | {"settings": asdict(settings)})
    return read_folder(dest)


def main(arguments: list[str] | None = None) -> int:
    """Makes the corpus; 0 when it is there, 1 with the reason on standard error."""
    return command(Settings, make, __doc__, arguments)
