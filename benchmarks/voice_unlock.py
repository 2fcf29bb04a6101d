"""How well the published voice_unlock knows people of another corpus, how fast, and what a person costs.

Run by `python -m benchmarks.voice_unlock --corpus FOLDER [--registry FOLDER]`: the folder's groups are the speakers, who are
as new to the artifact as its users are. Recordings shorter than a clip, such as single digits, are joined, a speaker's own
one after another in a seeded order, until a clip has `--seconds`; that is easier to hear than one word and harder than
speech said in one breath. Sessions and microphones are the corpus's: where a speaker has one of each, another day is harder.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pianissimo as pp
from rich.console import Console
from rich.table import Table

import corpora
from corpora import Corpus, CorpusError
from frameworks import equal_error
from frameworks.equal_error import Trials

RESAMPLES, SEED = 2000, 1
MOST_MILLISECONDS, MOST_MEGABYTES = 20.0, 10.0  # of a warm attempt, and of a person with everything loaded

# What a process grows by when it opens the model and everybody's template is in use, on top of numpy and the runtime.
PROGRAM = """
import json, sys
import numpy as np
import pianissimo as pp
registry, platform, folder, clip = sys.argv[1:]
pp.VoiceUnlock, pp.load, np.random.default_rng

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) * 1024

audio = np.load(clip)
before = resident()
unlock = pp.VoiceUnlock(pp.load("voice_unlock", platform, registry=registry), folder, adapt=False)
people = unlock.users()
grown = []
for person in people:
    unlock.authenticate(person, audio["samples"], int(audio["rate"]))
    grown.append(resident() - before)
print(json.dumps({"first": grown[0], "all": grown[-1]}))
"""


@dataclass(frozen=True)
class Voices:
    """Clips (samples,) float32 at `rate` Hz, with the speaker of each."""

    clips: list[np.ndarray]
    speakers: np.ndarray
    rate: int


def main() -> int:
    """Prints the figures; 1 when an attempt or a person costs more than it may."""
    options = _options()
    with pp.load("voice_unlock", options.platform, registry=options.registry) as model:
        voices = joined(corpora.read_folder(options.corpus), options.seconds)
        table = Table(
            "what", title=f"voice_unlock {model.info.version}, {model.info.variant}, on {options.corpus.name}"
        )
        table.add_column("figure", justify="right")
        _accuracy(table, model, voices)
        milliseconds, megabytes = _costs(table, model, voices, options)
    Console().print(table)
    return int(milliseconds > MOST_MILLISECONDS or megabytes > MOST_MEGABYTES)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.voice_unlock", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="a corpus folder whose groups are speakers")
    parser.add_argument("--registry", default="artifacts/registry", help="default: artifacts/registry")
    parser.add_argument("--platform", default="desktop", help="default: desktop")
    parser.add_argument("--seconds", type=float, default=2.5, help="of speech in a clip at least (default: 2.5)")
    return parser.parse_args()


def joined(corpus: Corpus, seconds: float) -> Voices:
    """Clips of at least `seconds`: recordings as they are where they last so long, else several of one speaker joined.

    What is left over at a speaker's end and too short is dropped. Raises CorpusError for files of several rates.
    """
    recordings: dict[str, list[Path]] = defaultdict(list)
    for clip in sorted(corpus.clips):
        recordings[clip.group].append(corpus.file(clip))
    clips, speakers, rates = [], [], set()
    for number, speaker in enumerate(sorted(recordings)):
        files = recordings[speaker]
        parts: list[np.ndarray] = []
        for place in np.random.default_rng([SEED, number]).permutation(len(files)):
            audio, rate = corpora.read_audio(files[place])
            rates.add(rate)
            parts.append(audio)
            if sum(map(len, parts)) >= seconds * rate:
                clips.append(np.concatenate(parts))
                speakers.append(number)
                parts = []
    if len(rates) != 1:
        raise CorpusError(f"files of {sorted(rates)} Hz", place=str(corpus.root), allowed="one rate")
    return Voices(clips, np.array(speakers), rates.pop())


def _accuracy(table: Table, model: pp.Model, voices: Voices) -> None:
    """Equal error rate with its interval over speakers, and both errors at the threshold that ships."""
    vectors = np.stack([model.embed(clip, voices.rate) for clip in voices.clips])
    evidence = Trials(model.info.enrolment or {}).evidence(voices.speakers, vectors)
    rng = np.random.default_rng(SEED)
    drawn = [equal_error.rate(evidence[rng.integers(0, len(evidence), len(evidence))]) for _ in range(RESAMPLES)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    seconds = [len(clip) / voices.rate for clip in voices.clips]
    table.add_row("speakers, clips", f"{len(evidence)}, {len(seconds)}")
    table.add_row("seconds of a clip", f"{min(seconds):.1f} to {max(seconds):.1f}")
    for name, side in (("rightful", 1), ("impostor", 0)):
        table.add_row(f"{name} attempts", f"{np.sum(evidence[..., 1] == side):,}")
    table.add_row(
        "equal error rate, 95 % over speakers", f"{equal_error.rate(evidence):.2f} % ({low:.2f} to {high:.2f})"
    )
    if model.info.threshold is not None:
        accepts, rejects = equal_error.errors_at(evidence, model.info.threshold)
        table.add_row(
            f"at the threshold that ships, {model.info.threshold:.4f}",
            f"{accepts:.2f} % let in, {rejects:.2f} % kept out",
        )
    table.add_row("the threshold that fits here", f"{equal_error.threshold(evidence):.4f}")


def _costs(table: Table, model: pp.Model, voices: Voices, options: argparse.Namespace) -> tuple[float, float]:
    """Milliseconds of a warm attempt (95 of 100 are below) and megabytes of one person with everything loaded."""
    with tempfile.TemporaryDirectory() as folder:
        unlock = pp.VoiceUnlock(model, Path(folder) / "people")
        for speaker in np.unique(voices.speakers):
            chosen = np.flatnonzero(voices.speakers == speaker)[:3]
            unlock.enroll(f"speaker{speaker}", [voices.clips[place] for place in chosen], voices.rate)
        took = _attempts(unlock, voices)
        sizes = [path.stat().st_size for path in (Path(folder) / "people").iterdir()]
        grown = _grown(Path(folder), voices, options)
    p50, p95, p99 = np.percentile(took, [50, 95, 99])
    table.add_section()
    table.add_row("a warm attempt, front end included, p50, p95, p99", f"{p50:.1f}, {p95:.1f}, {p99:.1f} ms")
    table.add_row("a template on disk", f"{max(sizes):,} bytes")
    table.add_row("the process grows by, with one person", f"{grown['first'] / 1e6:.2f} MB")
    table.add_row(f"the process grows by, with all {len(sizes)}", f"{grown['all'] / 1e6:.2f} MB")
    return float(p95), grown["first"] / 1e6


def _attempts(unlock: pp.VoiceUnlock, voices: Voices, count: int = 300) -> list[float]:
    """Milliseconds of attempts by everybody in turn, after as many as a tenth of them to warm up."""
    places = np.random.default_rng(SEED).integers(0, len(voices.clips), count + count // 10)
    took = []
    for place in places:
        started = time.perf_counter()
        unlock.authenticate(f"speaker{voices.speakers[place]}", voices.clips[place], voices.rate)
        took.append((time.perf_counter() - started) * 1e3)
    return took[count // 10 :]


def _grown(folder: Path, voices: Voices, options: argparse.Namespace) -> dict[str, int]:
    """Bytes a fresh process grows by with the first person, and with all (Linux; elsewhere this fails)."""
    clip = folder / "clip.npz"
    np.savez(clip, samples=voices.clips[0], rate=np.array(voices.rate))
    words = [options.registry, options.platform, str(folder / "people"), str(clip)]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"a fresh process failed:\n{done.stderr.strip()}")
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    sys.exit(main())
