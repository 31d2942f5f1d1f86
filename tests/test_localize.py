"""The site with wagtail-localize, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox_site.var import REPOSITORY


def test_the_pim_and_wagtail_localize_share_the_pages(tmp_path: Path):
    pytest.importorskip("wagtail_localize", reason="wagtail-localize is not installed")
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.localize.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}",
        "SANDBOX_VAR": str(tmp_path / "var"),
    }
    process = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/localize",
        ],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout + process.stderr
