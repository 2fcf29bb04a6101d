"""What a kill -9 does, at random moments: `python -m benchmarks.kills [--times 10] [KIND ...]`, on a small project.

A clone with one small model, a Prefect server, a worker and an S3 server of its own; each kind of process is killed while a run
is under way. `machine` is the worker and all that runs under it. Nothing that the killed run started may live on, and the next
run must end right: every stage up to date, and what is in the registry whole and the very files that were published.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.small_project import MODEL, OVER, Project

FLOW = ("prefect.engine", "flow-run execute", "_workspace_supervisor")
WORKER = "prefect worker start"
KINDS: dict[str, Callable[[Project], list[psutil.Process]]] = {
    "stage": lambda project: project.running("-m tasks."),
    "flow": lambda project: project.running(*FLOW),
    "worker": lambda project: project.running(WORKER),
    "machine": lambda project: [*project.running(WORKER, *FLOW), *project.left_over()],
    "server": lambda project: project.running("prefect server start", "prefect.server"),
    "S3 server": lambda project: project.running("serve s3"),
}
GRACE = 60.0  # seconds after which what still runs of a dead run counts as left over


@dataclass
class Tally:
    """What became of the kills of one kind."""

    kills: int = 0
    went_on: int = 0  # the run that was hit ended right all the same
    right: int = 0  # the next run ended right
    left: int = 0  # processes that outlived their run
    again: list[float] = field(default_factory=list)  # seconds of the next run, what it waits for included


def main() -> int:
    """Prints the table; 1 when a run did not end right after a kill, or something was left over."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("kind", nargs="*", help=f"of: {', '.join(KINDS)} (default: all)")
    parser.add_argument("--times", type=int, default=10, help="kills of each (default: 10)")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments (default: 0)")
    options = parser.parse_args()
    if unknown := sorted(set(options.kind) - set(KINDS)):
        parser.error(f"no kind {', '.join(unknown)}; there is: {', '.join(KINDS)}")
    rng, found = random.Random(options.seed), {kind: Tally() for kind in options.kind or KINDS}
    with tempfile.TemporaryDirectory() as folder, Project(Path(folder)) as project:
        seconds = _whole_run(project)
        print(f"a run of {MODEL} from train on takes {seconds:.0f} s", flush=True)
        while wanted := [kind for kind, tally in found.items() if tally.kills < options.times]:
            for kind in wanted:
                told = _kill(project, kind, found[kind], rng.uniform(0, seconds))
                print(f"{found[kind].kills}. {kind}: {told}", flush=True)
    _show(found)
    return int(any(one.right < one.kills or one.left for one in found.values()))


def _whole_run(project: Project) -> float:
    """Seconds of a run from `train` on, with all that it stands on made before."""
    for _ in range(2):
        project.change()
        started = time.monotonic()
        if problem := project.again():
            sys.exit(f"the small project does not run: {problem}\n{project.log.read_text(encoding='utf-8')[-4000:]}")
    return time.monotonic() - started


def _kill(project: Project, kind: str, tally: Tally, after: float) -> str:
    """One kill, `after` so many seconds of a run, then the run that has to end right; tells it."""
    project.change()
    run = project.start()
    at = _hit(project, kind, run, after)
    if not at:
        return f"{after:.1f} s in the run was over; that counts as none"
    left = _outlived(project, run)
    project.revive()
    started = time.monotonic()
    problem = project.again()
    first = project.ended(run)[0]
    tally.kills += 1
    tally.again.append(time.monotonic() - started)
    tally.went_on += first == "COMPLETED"
    tally.right += not problem
    tally.left += left
    ends = problem or f"ended right after {tally.again[-1]:.0f} s"
    return f"{after:.1f} s in, {at}: the run {first.lower()}, the next {ends}, {left} left over"


def _hit(project: Project, kind: str, run: str, after: float) -> str:
    """Kills what there is of a kind once its moment has come; answers which stages were at work, nothing when the run is over.

    The S3 server only matters while something is published, so its moment is counted from there.
    """
    if kind == "S3 server":
        while not project.running("tasks.publish") and project.state(run)[0] not in OVER:
            time.sleep(0.02)
        after = after % 2
    moment = time.monotonic() + after
    while time.monotonic() < moment or not KINDS[kind](project):
        if project.state(run)[0] in OVER:
            return ""
        time.sleep(0.02)
    at = " ".join(project.stages()) or "between stages"
    for process in KINDS[kind](project):
        process.kill()
    return at


def _outlived(project: Project, run: str) -> int:
    """Processes that still live GRACE seconds after their flow is gone. A run whose flow lives goes on by itself."""
    alone = time.monotonic()
    while project.left_over() and time.monotonic() - alone < GRACE:
        if project.running(*FLOW):
            if project.state(run)[0] in ("", *OVER):  # a server that is down, or a flow about to end
                return 0
            alone = time.monotonic()
        time.sleep(0.2)
    return len(project.left_over())


def _show(found: dict[str, Tally]) -> None:
    table = Table("kill -9 of", title="Killed at random moments of a run")
    for heading in ("kills", "run went on", "next run right", "left over", "next run, s"):
        table.add_column(heading, justify="right")
    for kind, one in found.items():
        seconds = f"{min(one.again):.0f} to {max(one.again):.0f}" if one.again else ""
        table.add_row(kind, *(str(n) for n in (one.kills, one.went_on, one.right, one.left)), seconds)
    Console(width=100).print(table)


if __name__ == "__main__":
    sys.exit(main())
