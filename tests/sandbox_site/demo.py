"""Runs the demo as people do: as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from sandbox_site import __main__ as demo
from sandbox_site import var


def environment_of(folder: Path, **more: str) -> dict[str, str]:
    """For a demo of its own, untouched by what the tests run with."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "SANDBOX_URL")
        and not name.startswith("PIM_")
    }
    return environment | {"SANDBOX_VAR": str(folder)} | more


def free_port() -> int:
    with socket.create_server((demo.HOST, 0)) as free:
        return free.getsockname()[1]


def run_demo(
    environment: dict[str, str], *options: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox_site", *options],
        cwd=var.REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
    )
