"""Peak memory of a fresh process that loads one artifact and predicts once: what a consumer's machine must have free."""

import json
import subprocess
import sys
from pathlib import Path

# VmHWM belongs to the process's own memory map; ru_maxrss would inherit the peak of the (large) process that starts it.
PROGRAM = """
import json, sys
import numpy as np
import pianissimo as pp
folder, platform, variant, rate = sys.argv[1:]
rate = int(rate)
tone = (0.1 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)
with pp.open_folder(folder, platform=platform, variant=variant) as model:
    (model.embed if model.info.task == "verify" else model.predict)(tone, rate)
try:
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
except FileNotFoundError:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"peak": peak}))
"""


class MemoryProbeError(RuntimeError):
    """The fresh process could not load the artifact or predict."""


def fresh_peak(folder: Path, platform: str, variant: str, sample_rate: int) -> int:
    """Peak resident bytes of a new Python process with nothing but the runtime, one load and one prediction."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), platform, variant, str(sample_rate)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise MemoryProbeError(f"{platform}/{variant} failed in a fresh process:\n{done.stderr.strip()}")
    return int(json.loads(done.stdout.splitlines()[-1])["peak"])
