"""The published phoneme extractor on the small machine it was squeezed for: 1.3 vCPU and 1.5 GB.

Run by `python -m benchmarks.phoneme_service --corpus FOLDER [--registry FOLDER]`. A fresh process may not address more than
`--gigabytes` (RLIMIT_AS, which counts what is only reserved, too: stricter than resident memory) and computes on one thread;
it loads the artifact and hears every clip of the folder. What it used of a processor is its processor time against the clock.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

MOST_RTF = 0.1  # processor seconds a second of speech
MOST_PROCESSORS = 1.3

PROGRAM = """
import json, resource, sys, time, wave
registry, platform, limit, *files = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_AS, (int(float(limit) * 2**30),) * 2)
import numpy as np
import pianissimo as pp

from pianissimo.wav import read_wav

clips = [read_wav(file) for file in files]
wall, cpu = time.perf_counter(), time.process_time()
with pp.load("phoneme", platform, registry=registry) as model:
    loaded = time.perf_counter() - wall
    each, spoken = [], []
    wall, cpu = time.perf_counter(), time.process_time()
    for audio, rate in clips:
        start = time.process_time()
        model.predict(audio, rate)
        each.append(time.process_time() - start)
        spoken.append(len(audio) / rate)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
print(json.dumps({"loaded": loaded, "wall": wall, "cpu": cpu, "each": each, "spoken": spoken, "peak": peak}))
"""


def main() -> int:
    """Prints the figures; 1 when one is above its limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.phoneme_service", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="a folder of WAV files, also in folders inside it")
    parser.add_argument("--registry", default="artifacts/registry")
    parser.add_argument("--platform", default="server")
    parser.add_argument("--gigabytes", type=float, default=1.5)
    parser.add_argument("--clips", type=int, default=200, help="the first so many, by path")
    options = parser.parse_args()
    files = sorted(str(file) for file in options.corpus.rglob("*.wav"))[: options.clips]
    if not files:
        sys.exit(f"{options.corpus} holds no WAV files")
    return _told(_measured(options, files), options.gigabytes)


def _measured(options: argparse.Namespace, files: list[str]) -> dict[str, Any]:
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    words = [sys.executable, "-c", PROGRAM, options.registry, options.platform, str(options.gigabytes), *files]
    done = subprocess.run(words, capture_output=True, text=True, env=alone, check=False)
    if done.returncode:
        sys.exit(f"within {options.gigabytes:g} GB it failed:\n{done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _told(found: dict[str, Any], gigabytes: float) -> int:
    each, spoken = np.array(found["each"]), np.array(found["spoken"])
    rtf, processors = each / spoken, found["cpu"] / found["wall"]
    table = Table(
        title=f"phoneme, {len(each)} clips, {spoken.sum():.0f} s of speech, one thread, {gigabytes:g} GB of addresses"
    )
    for heading in ("what", "figure", "limit"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for row in (
        ("loading", f"{1000 * found['loaded']:.0f} ms", ""),
        ("a clip, median", f"{1000 * np.median(each):.1f} ms", ""),
        ("real-time factor, median", f"{np.median(rtf):.4f}", f"{MOST_RTF:g}"),
        ("real-time factor, 99 %", f"{np.quantile(rtf, 0.99):.4f}", f"{MOST_RTF:g}"),
        ("processors used", f"{processors:.2f}", f"{MOST_PROCESSORS:g}"),
        ("peak resident memory", f"{found['peak'] / 2**20:.0f} MB", f"{1024 * gigabytes:.0f} MB"),
    ):
        table.add_row(*row)
    Console().print(table)
    return int(np.quantile(rtf, 0.99) > MOST_RTF or processors > MOST_PROCESSORS)


if __name__ == "__main__":
    sys.exit(main())
