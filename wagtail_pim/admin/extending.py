"""Wagtail's own methods, extended where Wagtail has no hook.

What is done so stands in ``wagtail_hooks`` at one place. The names are no public
interface of Wagtail's: one that is gone fails at start, not in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

Function = Callable[..., Any]


def extend(owner: Any, name: str, extension: Callable[[Function], Function]) -> None:
    """Put the function that ``extension`` makes of the present one in its place.

    Wrapped, and not replaced, it keeps what others did to it; done twice, it is done
    once.
    """
    present: Any = getattr(owner, name)
    if getattr(present, "extended_by_pim", False):
        return
    extended: Any = wraps(present)(extension(present))
    extended.extended_by_pim = True
    setattr(owner, name, extended)
