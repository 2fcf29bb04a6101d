"""ICBHI 2017, real breath sounds of 126 patients: `python -m corpora.icbhi [DEST] --from FOLDER`.

FOLDER holds the challenge's files as they are published, at any depth: 101_1b1_Al_sc_Meditron.wav beside its .txt (start,
end, crackles, wheezes of a breath a line) and ICBHI_challenge_train_test.txt (recording, train or test).
Rocha et al., "An open access database for the evaluation of respiratory sound classification algorithms", Physiol. Meas.
2019.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import soundfile

from corpora.assignment import assign
from corpora.audio import MIN_SECONDS, read_audio
from corpora.corpus import Clip, Corpus
from corpora.errors import CorpusError
from corpora.labels import listed, read_folder, write_facts, write_labels
from corpora.progress import track
from corpora.staging import staged

DEST = Path("data/corpora/icbhi")
PAGE = "https://bhichallenge.med.auth.gr/ICBHI_2017_Challenge"
SPLIT = "ICBHI_challenge_train_test.txt"
NEEDED = f"*.wav with a .txt each, and {SPLIT}, from {PAGE} (which publishes no checksum to pin a download by)"
EXAMPLE = "101_1b1_Al_sc_Meditron.wav and .txt"
RECORDINGS = 920
LONGEST = 120.0  # seconds of a recording
NAME = re.compile(r"\d{3}_\w+_(Tc|Al|Ar|Pl|Pr|Ll|Lr)_(sc|mc)_\w+")
LABELS = {("0", "0"): "normal", ("1", "0"): "crackle", ("0", "1"): "wheeze", ("1", "1"): "both"}
LINE = "start end crackles wheezes: seconds, start before end and inside the recording, then 0 or 1 twice"
VALIDATION = 0.15  # of the official train part, by patient
FACTS = {
    "name": "ICBHI 2017",
    "licence": "free for research (the page names no licence); cite Rocha et al., Physiol. Meas. 2019",
    "source": PAGE,
}


@dataclass(frozen=True)
class Breath:
    """One line of an annotation: seconds, and what is heard."""

    start: float
    end: float
    label: str


def make(dest: Path | str = DEST, source: Path | str | None = None) -> Corpus:
    """Write the corpus folder `dest` from the published files in `source`, one FLAC a breath, and read it.

    Labels: normal, crackle, wheeze, both; the group is the patient. Official split; since some patients are in both of
    its parts, a validation part taken from train clip by clip would share recordings with it, so here it is whole
    patients of train who are not in test. Samples, rate and width stay as recorded. Raises CorpusError for files that do
    not fit each other, and for a broken line, by file and line.
    """
    if source is None:
        raise CorpusError("no download", place="icbhi", allowed=f"--from FOLDER with {NEEDED}")
    recordings = _recordings(Path(source))
    parts = _official(Path(source), recordings)
    with staged(Path(dest)) as built:
        clips: list[Clip] = []
        notes: Counter[str] = Counter()
        for recording in track(recordings, len(recordings), "cutting"):
            clips += _cut(recording, built, parts[recording.stem], notes)
        write_labels(built, _validated(clips))
        write_facts(built, FACTS | {"note": _note(clips, len(recordings), notes)})
    return read_folder(dest)


def _recordings(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.wav"), key=lambda path: path.name)
    if not found:
        raise CorpusError("no recordings", place=folder, allowed=NEEDED)
    strange = [path.name for path in found if not NAME.fullmatch(path.stem)]
    twice = [name for name, count in Counter(path.name for path in found).items() if count > 1]
    alone = [path.name for path in found if not path.with_suffix(".txt").is_file()]
    for problem, names in (("strange names", strange), ("more than once", twice), ("without annotation", alone)):
        if names:
            raise CorpusError(f"{problem}: {listed(names)}", place=folder, allowed=EXAMPLE)
    return found


def _official(folder: Path, recordings: list[Path]) -> dict[str, str]:
    """Recording to its part; 226_1b1_Pl_sc has another device in the list than on disk, so devices are not compared."""
    table = next(iter(sorted(folder.rglob(SPLIT))), None)
    if table is None:
        raise CorpusError(f"no {SPLIT}", place=folder, allowed=f"the official split from {PAGE}, in any folder of it")
    parts: dict[str, str] = {}
    for number, line in _lines(table):
        name, *rest = line.split()
        if not NAME.fullmatch(name) or rest not in (["train"], ["test"]) or _place(name) in parts:
            raise CorpusError(f"{line!r}", place=f"{table} line {number}", allowed="a recording, once; train or test")
        parts[_place(name)] = rest[0]
    missing = [path.name for path in recordings if _place(path.stem) not in parts]
    if missing:
        raise CorpusError(f"not in the split: {listed(missing)}", place=table, allowed="every recording has a line")
    return {path.stem: parts[_place(path.stem)] for path in recordings}


def _place(name: str) -> str:
    """Patient, session, place and mode of a recording: its name without the device."""
    return name.rpartition("_")[0]


def _lines(path: Path) -> list[tuple[int, str]]:
    """The lines that hold something, with their numbers."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise CorpusError("not readable as text", place=path, allowed="UTF-8") from error
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _breaths(annotation: Path, seconds: float) -> Iterator[Breath]:
    for number, line in _lines(annotation):
        cells = line.split()
        label = LABELS.get((cells[2], cells[3])) if len(cells) == 4 else None
        span = _span(cells) if label else None
        if label is None or span is None or not (0 <= span[0] < min(span[1], seconds) and span[1] < math.inf):
            raise CorpusError(f"{line!r} ({seconds:.3f} s)", place=f"{annotation} line {number}", allowed=LINE)
        yield Breath(*span, label)


def _span(cells: list[str]) -> tuple[float, float] | None:
    try:
        return float(cells[0]), float(cells[1])
    except ValueError:
        return None


def _cut(recording: Path, built: Path, part: str, notes: Counter[str]) -> Iterator[Clip]:
    """Write the breaths of a recording, each sample as it is; what no model can hear is left out and counted."""
    audio, rate = read_audio(recording, max_seconds=LONGEST)
    subtype = "PCM_16" if soundfile.info(str(recording)).subtype == "PCM_16" else "PCM_24"
    patient = recording.stem.partition("_")[0]
    for number, breath in enumerate(_breaths(recording.with_suffix(".txt"), len(audio) / rate)):
        start, stop = round(breath.start * rate), min(round(breath.end * rate), len(audio))
        notes["ends after its recording, cut there"] += breath.end * rate > len(audio) + 1
        if stop - start < MIN_SECONDS * rate or not audio[start:stop].any():
            notes["nothing but zeros, or too short, left out"] += 1
            continue
        path = f"audio/{breath.label}/{recording.stem}_{number:02d}.flac"
        (built / path).parent.mkdir(parents=True, exist_ok=True)
        samples, _ = soundfile.read(str(recording), start=start, stop=stop, dtype="int32")
        soundfile.write(str(built / path), samples, rate, subtype=subtype)
        yield Clip(path, breath.label, patient, part)


def _validated(clips: list[Clip]) -> list[Clip]:
    """Give whole patients of train to validation, none who is in test too."""
    tested = {clip.group for clip in clips if clip.split == "test"}
    counts: dict[str, Counter[str]] = {}
    for clip in clips:
        if clip.group not in tested:
            counts.setdefault(clip.group, Counter())[clip.label] += 1
    if len(counts) < 2:
        raise CorpusError(f"{len(counts)} patients in train alone", place=SPLIT, allowed="two or more")
    places = assign(counts, {"train": 1 - VALIDATION, "validation": VALIDATION}, seed=0)
    return [clip if clip.group in tested else replace(clip, split=places[clip.group]) for clip in clips]


def _note(clips: list[Clip], recordings: int, notes: Counter[str]) -> str:
    parts = {part: {clip.group for clip in clips if clip.split == part} for part in ("train", "test")}
    both = sorted(parts["train"] & parts["test"])
    told = [
        f"official split of {recordings} of {RECORDINGS} recordings; patients in train and test alike: "
        f"{', '.join(both) or 'none'}; validation is {VALIDATION:.0%} of train, whole patients who are not in test",
        *(f"{count} breaths: {what}" for what, count in sorted(notes.items()) if count),
    ]
    return "; ".join(told)


def main(arguments: list[str] | None = None) -> int:
    """Makes the corpus; 0 when it is there, 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m corpora.icbhi", description=__doc__)
    parser.add_argument("dest", type=Path, nargs="?", default=DEST, help=f"the folder to make (default {DEST})")
    parser.add_argument("--from", dest="source", type=Path, help=f"the published files, from {PAGE}")
    options = parser.parse_args(arguments)
    try:
        corpus = make(options.dest, options.source)
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 1
    patients = len({clip.group for clip in corpus.clips})
    print(f"{options.dest}: {len(corpus.clips)} breaths, {patients} patients")
    return 0


if __name__ == "__main__":
    sys.exit(main())
