"""Spoken digits made offline: `python -m corpora.generated_speech DEST [--params params.yaml]`.

espeak-ng says the ten digit words and a hundred others with many voices, each in its own room, into its own
microphone, in front of noise or talk. The same settings give the same files, byte for byte, on the same
processor and library versions.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path

import yaml

from corpora.corpus import Clip, Corpus
from corpora.errors import CorpusError
from corpora.labels import read_folder, write_facts, write_labels
from corpora.progress import track
from corpora.speakers import MOST, Speaker, cast
from corpora.staging import staged
from corpora.takes import BACKGROUNDS, Script, record
from corpora.words import DIGITS

SECTION = "corpora.generated_speech"
LIMITS: Mapping[str, tuple[float, float]] = {
    "seed": (0, 2**31 - 1),
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
}
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
class Settings:
    """The section corpora.generated_speech of params.yaml: counts are a voice; SNR in dB, loudness in dBFS."""

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

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name), whole=field.type == "int")
        for low, high in (("snr_low", "snr_high"), ("loudness_low", "loudness_high")):
            if getattr(self, low) > getattr(self, high):
                raise CorpusError(f"above {high}", place=f"{SECTION}.{low}", allowed=f"at most {getattr(self, high)}")

    @classmethod
    def of(cls, section: Mapping[str, object]) -> Settings:
        """Settings from a mapping; raises CorpusError for a key not known, naming those that are."""
        known = [field.name for field in fields(cls)]
        unknown = [str(key) for key in section if key not in known]
        if unknown:
            raise CorpusError(f"unknown key {', '.join(unknown)}", place=SECTION, allowed=", ".join(known))
        return cls(**section)  # type: ignore[arg-type]  # each value is checked in __post_init__

    @classmethod
    def read(cls, params: Path) -> Settings:
        """Settings from the section of a params.yaml."""
        try:
            section = yaml.safe_load(params.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise CorpusError(f"not readable: {error}", place=params, allowed="a YAML file") from error
        for key in SECTION.split("."):
            section = section.get(key) if isinstance(section, dict) else None
        if not isinstance(section, dict):
            raise CorpusError(f"no section {SECTION}", place=params, allowed=f"a mapping under {SECTION}")
        return cls.of(section)


def make(dest: Path | str, settings: Settings | None = None, workers: int = 2) -> Corpus:
    """Write the corpus folder `dest` (labels.csv, corpus.json, audio/LABEL/*.wav: 16 kHz mono 16 bit, 1 s) and read it.

    `workers` processes share the voices; their number does not change the files. A run that fails or is killed
    leaves `dest` as it was.
    """
    settings = settings or Settings()
    script = Script(
        settings.takes, settings.unknown, settings.confusable, settings.silence,
        snr=(settings.snr_low, settings.snr_high), loudness=(settings.loudness_low, settings.loudness_high),
    )  # fmt: skip
    speakers = cast(settings.voices, settings.seed, settings.reverberation, BACKGROUNDS)
    with staged(Path(dest)) as folder:
        for label in (*DIGITS, "unknown", "silence"):
            (folder / "audio" / label).mkdir(parents=True)
        recorded = track(_record_all(speakers, script, folder, workers), len(speakers), "speaking")
        write_labels(folder, [clip for clips in recorded for clip in clips])
        write_facts(folder, FACTS | {"note": NOTE, "settings": asdict(settings)})
    return read_folder(dest)


def _record_all(speakers: tuple[Speaker, ...], script: Script, folder: Path, workers: int) -> Iterator[list[Clip]]:
    """Each speaker in a fresh process, so that what espeak-ng remembers of one does not colour the next."""
    start = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(start)
    context.set_forkserver_preload(["corpora.takes"])
    with context.Pool(workers, maxtasksperchild=1) as pool:
        yield from pool.imap(partial(record, script=script, root=folder), speakers)


def _check(key: str, value: object, *, whole: bool) -> None:
    low, high = LIMITS[key]
    kinds = int if whole else (int, float)
    if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value <= high:
        number = "a whole number" if whole else "a number"
        raise CorpusError(f"{value!r}", place=f"{SECTION}.{key}", allowed=f"{number} from {low:g} to {high:g}")


def main(arguments: list[str] | None = None) -> int:
    """Makes the corpus; 0 when it is there, 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m corpora.generated_speech", description=__doc__)
    parser.add_argument("dest", type=Path, help="the folder to make")
    parser.add_argument("--params", type=Path, help=f"a params.yaml with the section {SECTION}; default: its defaults")
    parser.add_argument("--workers", type=int, default=2, help="processes; the files do not depend on it")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    try:
        settings = Settings.read(options.params) if options.params else Settings()
        corpus = make(options.dest, settings, options.workers)
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 1
    seconds = time.perf_counter() - started
    print(f"{options.dest}: {len(corpus.clips)} clips, {settings.voices} voices, {seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
