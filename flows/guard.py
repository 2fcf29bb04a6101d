"""`python flows/guard.py COMMAND...` runs a command that ends with whoever started it, even one that was killed outright.

Its standard input is a pipe that nobody writes to. Whether the starter closes it (a cancelled run) or dies (kill -9, a worker
that is lost), the pipe ends; then everything the command started, DVC, its shell and the training under it, is ended too.
A stage that outlived its run would write into what the next run makes.
"""

import os
import signal
import subprocess
import sys
import threading
import time

GRACE = 5.0  # seconds between asking and killing


def main(command: list[str]) -> int:
    """Runs the command and answers its exit status; 128 and the signal's number where a signal ended it, as in a shell."""
    os.setpgid(0, 0)  # a group of our own, which everything the command starts belongs to
    signal.signal(signal.SIGTERM, lambda *_: None)  # what asks the group to end is not for this process
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    stopping = threading.Event()
    threading.Thread(target=_watch, args=(child, stopping), daemon=True).start()
    status = child.wait()
    if stopping.is_set():
        time.sleep(2 * GRACE)  # what the child left behind is being ended, and this process with it
    return status if status >= 0 else 128 - status


def _watch(child: subprocess.Popen[bytes], stopping: threading.Event) -> None:
    """Waits for the end of the pipe, then ends the group: in order where it listens, outright where it does not."""
    os.read(0, 1)  # not through sys.stdin, whose lock a daemon thread would hold at the end
    stopping.set()
    os.killpg(0, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
