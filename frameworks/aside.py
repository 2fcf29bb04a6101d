"""Work in a process of its own, beside this one's: training takes one thread, so that two trainings take two cores."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from frameworks import FrameworkError


@contextmanager
def aside(what: str, work: Callable[..., Any], *arguments: Any) -> Iterator[Callable[[], Any]]:
    """Starts `work(*arguments)` in a fresh process and yields what waits for its answer; on leaving, the process is gone.

    All of it is pickled. What the work raises is raised by the wait; FrameworkError when the process died.
    """
    context = multiprocessing.get_context("spawn")  # a fork would take the threads' locks of a training library along
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(there, work, arguments), daemon=True)
    process.start()
    there.close()

    def answer() -> Any:
        try:
            done, value = here.recv()
        except EOFError:
            process.join()
            raise FrameworkError(f"{what}: its process ended with exit code {process.exitcode}; is memory short?") from None
        if not done:
            raise value
        return value

    try:
        yield answer
    finally:
        process.terminate()
        process.join()
        here.close()


def _answer(there: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """The process: (True, answer) or (False, exception) goes up the pipe."""
    threading.Thread(target=_outlive_nobody, daemon=True).start()
    try:
        answer = True, work(*arguments)
    except Exception as error:  # noqa: BLE001  # raised again where it is waited for
        answer = False, error
    there.send(answer)


def _outlive_nobody() -> None:
    """A killed parent takes its child along: nobody would hear the answer."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
