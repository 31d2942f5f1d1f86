"""The folder that holds everything the sandbox makes: data, media and secrets."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def var_folder() -> Path:
    """``SANDBOX_VAR``, or ``var/shop`` in the repository."""
    folder = os.environ.get("SANDBOX_VAR") or REPOSITORY / "var" / "shop"
    return Path(folder).resolve()


def kept_secret(name: str, make: Callable[[], str]) -> str:
    """The secret kept under this name, made at first use, for its owner's eyes only."""
    path = var_folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    secret = make()
    with os.fdopen(handle, "w") as file:
        file.write(f"{secret}\n")
    return secret
