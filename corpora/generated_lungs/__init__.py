"""Breath sounds made offline: `python -m corpora.generated_lungs DEST [--params params.yaml]`.

Patients, grown up or children, breathe under stethoscopes: normal breath, and breath with crackles, wheezes or rhonchi in
it, some of them faint; with heart sounds, friction and the noise of a ward. The same settings give the same files, byte
for byte, on the same processor and library versions. It stands in for recordings when code is tried; what a model learns
from it says nothing about patients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from corpora.corpus import Corpus
from corpora.generated_lungs.events import LABELS, Script, record
from corpora.generated_lungs.patients import admit
from corpora.generation import command, in_processes
from corpora.labels import read_folder, write_facts, write_labels
from corpora.progress import track
from corpora.settings import SEED
from corpora.settings import Settings as Section
from corpora.staging import staged

FACTS = {
    "name": "generated lungs",
    "licence": "none on the recordings",
    "source": "synthesis after the literature named in corpora/generated_lungs",
    "note": "group = the patient; every patient has every label; for trying code, never for medicine",
}


@dataclass(frozen=True)
class Settings(Section):
    """The section corpora.generated_lungs of params.yaml: `clips` are a patient's; shares of 1, SNR in dB, loudness in dBFS.

    `faint` and `loud` bound how far an adventitious sound stands out of breath and ward, in dB (`events.audibility`).
    """

    SECTION: ClassVar[str] = "corpora.generated_lungs"
    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = {
        "seed": SEED,
        "patients": (3, 1_000),
        "clips": (len(LABELS), 500),
        "children": (0, 1),
        "faint": (0, 80),
        "loud": (0, 80),
        "snr_low": (-20, 60),
        "snr_high": (-20, 60),
        "friction": (0, 1),
        "loudness_low": (-50, -6),
        "loudness_high": (-50, -6),
    }
    ORDER: ClassVar[tuple[tuple[str, str], ...]] = (
        ("faint", "loud"),
        ("snr_low", "snr_high"),
        ("loudness_low", "loudness_high"),
    )

    seed: int = 7
    patients: int = 90
    clips: int = 24
    children: float = 0.4
    faint: float = 22.0
    loud: float = 42.0
    snr_low: float = 8.0
    snr_high: float = 30.0
    friction: float = 0.3
    loudness_low: float = -34.0
    loudness_high: float = -16.0


def make(dest: Path | str, settings: Settings | None = None, workers: int = 2) -> Corpus:
    """Write the corpus folder `dest` (labels.csv, corpus.json, audio/LABEL/*.wav: 8 kHz mono 16 bit, 1-2 s) and read it.

    `workers` processes share the patients; their number does not change the files. A run that fails or is killed
    leaves `dest` as it was.
    """
    settings = settings or Settings()
    script = Script(
        settings.clips, (settings.faint, settings.loud), (settings.snr_low, settings.snr_high), settings.friction,
        (settings.loudness_low, settings.loudness_high),
    )  # fmt: skip
    patients = admit(settings.patients, settings.seed, settings.children)
    with staged(Path(dest)) as folder:
        for label in LABELS:
            (folder / "audio" / label).mkdir(parents=True)
        work = partial(record, script=script, root=folder)
        heard = in_processes(work, patients, workers, "corpora.generated_lungs.events")
        recorded = track(heard, len(patients), "breathing")
        write_labels(folder, [clip for clips in recorded for clip in clips])
        write_facts(folder, FACTS | {"settings": asdict(settings)})
    return read_folder(dest)


def main(arguments: list[str] | None = None) -> int:
    """Makes the corpus; 0 when it is there, 1 with the reason on standard error."""
    return command(Settings, make, __doc__, arguments)
