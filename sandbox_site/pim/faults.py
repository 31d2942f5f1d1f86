"""Faults that a test injects, to see how a client takes them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

FaultKind = Literal["drop", "lose", "truncate", "short", "status", "call"]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with some of the requests whose target contains a text.

    Of the matching requests, the ``nth`` and the ``times - 1`` after it are hit
    (all after it when ``times`` is None).

    ``kind`` is one of

    - ``drop``: the connection is closed without an answer, the request not handled;
    - ``lose``: the request is handled, and its answer lost;
    - ``truncate``: half of the body, with a Content-Length that says it is whole;
    - ``short``: the Content-Length of the whole body, closed after half of it;
    - ``status``: ``status`` and ``headers`` in place of the answer;
    - ``call``: ``callback`` runs, then the request is handled as ever.
    """

    path_contains: str = ""
    method: str = ""
    nth: int = 1
    times: int | None = 1
    kind: FaultKind = "status"
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    callback: Callable[[], object] = lambda: None

    def matches(self, method: str, target: str) -> bool:
        return self.path_contains in target and self.method in ("", method)

    def hits(self, count: int) -> bool:
        """Whether the ``count``-th of the matching requests is hit."""
        if self.times is None:
            return count >= self.nth
        return self.nth <= count < self.nth + self.times


class Faults:
    """The faults of one server. Reached from its own process alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._counts: list[int] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)
            self._counts.append(0)

    def before(
        self,
        path_contains: str,
        callback: Callable[[], object],
        *,
        method: str = "",
        nth: int = 1,
        times: int | None = 1,
    ) -> None:
        """Run ``callback`` before the nth request for such a target is handled."""
        self.add(Fault(path_contains, method, nth, times, "call", callback=callback))

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            self._counts.clear()

    def due(self, method: str, target: str) -> list[Fault]:
        """Count the request, and return the faults that hit it."""
        due = []
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.matches(method, target):
                    self._counts[index] += 1
                    if fault.hits(self._counts[index]):
                        due.append(fault)
        return due
