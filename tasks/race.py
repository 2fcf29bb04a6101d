"""Times the files of several trials in turn, in one process: one at a time, each would be as fast as the machine was then.

`python -m tasks.race FOLDER [--rounds N]`; FOLDER holds a folder a trial, as convert left it, with golden.npz beside. Writes
race.json: the median milliseconds of one call on one thread, by trial and "platform form".
"""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pianissimo

from frameworks.proof import latency
from tasks import records

FILE = "race.json"


def run(folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds by trial and form. All hear the same clip, the first golden one of the first trial."""
    trials = sorted((one for one in folder.iterdir() if one.is_dir()), key=lambda one: one.name)
    audio, rate = _clip(trials[0] / "golden.npz")
    with ExitStack() as stack:
        calls = {
            (trial.name, f"{platform} {variant['name']}"): _call(stack, trial, platform, variant["name"], audio, rate)
            for trial in trials
            for platform, known in records.read_json(trial / "manifest.json")["platforms"].items()
            for variant in known["variants"]
        }
        taken = latency.interleaved({"\0".join(key): call for key, call in calls.items()}, rounds)
    found: dict[str, dict[str, float]] = {}
    for key, figures in taken.items():
        trial, _, form = key.partition("\0")
        found.setdefault(trial, {})[form] = figures["p50"]
    return found


def _call(stack: ExitStack, trial: Path, platform: str, variant: str, audio: np.ndarray, rate: int) -> latency.Call:
    model = stack.enter_context(pianissimo.open_folder(trial, platform, variant))
    heard = model.features(audio, rate)
    return lambda: model.run(heard)


def _clip(file: Path) -> tuple[np.ndarray, int]:
    with np.load(file, allow_pickle=False) as stored:
        return (stored["audio"][0] if "audio" in stored else stored["audio/0"]), int(stored["sample_rate"])


def main() -> int:
    """Writes race.json into FOLDER."""
    parser = argparse.ArgumentParser(prog="python -m tasks.race", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with a folder a trial")
    parser.add_argument("--rounds", type=int, default=300, help="calls of each (default: 300)")
    options = parser.parse_args()
    found = run(options.folder, options.rounds)
    records.write_json(options.folder / FILE, found)
    print(f"{sum(map(len, found.values()))} forms of {len(found)} trials timed in turn")
    return 0


if __name__ == "__main__":
    sys.exit(main())
