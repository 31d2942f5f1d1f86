"""An end that is asked for from outside."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

EXIT_CODE: Final = 128 + signal.SIGTERM


class Terminated(SystemExit):
    """SIGTERM came: a machine shuts down, a container is moved."""


@contextmanager
def told_of_sigterm() -> Iterator[None]:
    """Let SIGTERM end what is under way as Ctrl-C does, so that a run notes its end."""
    # Python tells signals to the main thread alone.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: Any) -> NoReturn:
    raise Terminated(EXIT_CODE)
