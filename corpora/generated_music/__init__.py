"""Music and speech made offline: `python -m corpora.generated_music DEST [--params params.yaml]`.

Pieces in four styles (classical, electronic, jazz, rock) are composed, played by synthesized instruments, mixed and
mastered; espeak-ng reads sentences for the fifth label, speech. Styles differ in rhythm, harmony and timbre, and borrow
from one another. The same settings give the same files, byte for byte, on the same processor and library versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from corpora.corpus import Corpus
from corpora.generated_music.studio import Master
from corpora.generated_music.tracks import LABELS, Plan, programme, record
from corpora.generation import command, in_processes
from corpora.labels import read_folder, write_facts, write_labels
from corpora.progress import track
from corpora.settings import SEED
from corpora.settings import Settings as Section
from corpora.speakers import MOST
from corpora.staging import staged

FACTS = {
    "name": "generated music",
    "licence": "none on the recordings",
    "source": "composed and synthesized by this program; speech by espeak-ng 1.52 from the package espeakng-loader",
}
NOTE = (
    "group = the piece, or the voice (espeak-ng's variant), in whatever accent; "
    "espeak-ng is GPL-3, which covers the program and not what it says"
)


@dataclass(frozen=True)
class Settings(Section):
    """The section corpora.generated_music of params.yaml.

    `tracks` is a label's, `clips` a track's, `seconds` a clip's length; `overlap` is how much styles borrow from one
    another (0: nothing); `lofi` the share of tracks with a narrow band; SNR in dB, loudness in dBFS, the steepest tilt of
    a master in dB an octave.
    """

    SECTION: ClassVar[str] = "corpora.generated_music"
    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = {
        "seed": SEED,
        "tracks": (3, MOST),
        "clips": (1, 100),
        "seconds": (0.5, 30),
        "overlap": (0, 1),
        "lofi": (0, 1),
        "snr_low": (-20, 80),
        "snr_high": (-20, 80),
        "loudness_low": (-50, -6),
        "loudness_high": (-50, -6),
        "slope": (0, 6),
    }
    ORDER: ClassVar[tuple[tuple[str, str], ...]] = (("snr_low", "snr_high"), ("loudness_low", "loudness_high"))

    seed: int = 7
    tracks: int = 40
    clips: int = 4
    seconds: float = 3.0
    overlap: float = 0.4
    lofi: float = 0.2
    snr_low: float = 15.0
    snr_high: float = 50.0
    loudness_low: float = -30.0
    loudness_high: float = -12.0
    slope: float = 2.5


def make(dest: Path | str, settings: Settings | None = None, workers: int = 2) -> Corpus:
    """Write the corpus folder `dest` (labels.csv, corpus.json, audio/LABEL/*.wav: 24 kHz mono 16 bit) and read it.

    `workers` processes share the tracks; their number does not change the files. A run that fails or is killed leaves
    `dest` as it was.
    """
    settings = settings or Settings()
    master = Master(
        loudness=(settings.loudness_low, settings.loudness_high), snr=(settings.snr_low, settings.snr_high),
        lofi=settings.lofi, slope=settings.slope,
    )  # fmt: skip
    plan = Plan(settings.clips, settings.seconds, settings.overlap, master)
    tracks = programme(settings.tracks, settings.seed)
    with staged(Path(dest)) as folder:
        for label in LABELS:
            (folder / "audio" / label).mkdir(parents=True)
        work = partial(record, plan=plan, root=folder)
        made = in_processes(work, tracks, workers, "corpora.generated_music.tracks")
        recorded = track(made, len(tracks), "playing")
        write_labels(folder, [clip for clips in recorded for clip in clips])
        write_facts(folder, FACTS | {"note": NOTE, "settings": asdict(settings)})
    return read_folder(dest)


def main(arguments: list[str] | None = None) -> int:
    """Makes the corpus; 0 when it is there, 1 with the reason on standard error."""
    return command(Settings, make, __doc__, arguments)
