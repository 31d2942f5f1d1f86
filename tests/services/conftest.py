"""Real processes of a site: its server, its workers and its command line.

They work on the tests' own database, so that a test sees with the ORM what they did,
and with a sandbox PIM, into which a test looks through ``project.pim.store``.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page
from wagtail.models import Site

from sandbox_site.pim.server import PimServer
from sandbox_site.var import REPOSITORY
from tests.browser.conftest import browser
from tests.browser.conftest import django_db_modify_db_settings as database_in_file

__all__ = ["browser", "database_in_file"]

HOST = "127.0.0.1"
MANAGE = [sys.executable, "-m", "django"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(browser: Browser, database_in_file: None) -> None:
    """The browser before the database.

    Its event loop gives this thread other connections, which know nothing of the
    database's content to be rolled back.
    """


def wait_for(condition: Callable[[], Any], seconds: float = 60, what: str = "") -> Any:
    """What ``condition`` returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return result


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
        return True
    return False


def free_port() -> int:
    with socket.create_server((HOST, 0)) as free:
        return free.getsockname()[1]


@dataclass
class Project:
    """A site and its PIM; what it starts ends with the test."""

    folder: Path
    pim: PimServer
    environment: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``manage.py``, until it ends."""
        return subprocess.run(
            [*MANAGE, *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """``manage.py`` in the background."""
        return self.start_command(*MANAGE, *arguments)

    def start_command(self, *command: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"process-{len(self.processes)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def serve(self) -> str:
        """Starts the site's server; its address."""
        port = free_port()
        server = self.start("runserver", "--noreload", f"{HOST}:{port}")
        wait_for(lambda: answers(port) or server.poll() is not None, what="server")
        assert server.poll() is None, self.logs()
        return f"http://{HOST}:{port}"

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """``kill -9``, to the process and all that it started."""
        subprocess.run(["pkill", "-KILL", "--session", str(process.pid)])
        process.wait()

    def logs(self) -> str:
        """What all processes wrote."""
        logs = sorted(self.folder.glob("process-*.log"))
        return "\n".join(f"--- {path.name}\n{path.read_text()}" for path in logs)

    def statuses(self) -> dict[str, int]:
        """How many products of the PIM have each status."""
        counts = self.pim.store.status_counts()
        return {status: count for status, count in counts.items() if count}


@pytest.fixture
def make_project(
    site: Site, refilled_database: None, tmp_path: Path
) -> Iterator[Callable[..., Project]]:
    """Makes a project, whose PIM has so many Approved products.

    ``backend`` is that of its tasks: "immediate", "db", "rq" or "celery"; ``redis`` the
    address of a Redis database for it. More options are those of WAGTAIL_PIM. A test
    needs ``django_db(transaction=True, serialized_rollback=True)``.
    """
    with contextlib.ExitStack() as stack:

        def make(
            products: int,
            *,
            backend: str = "immediate",
            redis: str = "",
            **options: Any,
        ) -> Project:
            pim = stack.enter_context(PimServer(tmp_path / "pim.sqlite3"))
            pim.store.generate(products)
            key = pim.store.credentials().write
            options_of_pim = {
                "API_ADDRESS": pim.url,
                "APP_KEY": key.app_key,
                "SECRET_KEY": key.secret_key,
                "ENVIRONMENT": "Sandbox",
            }
            of_site = {
                "database": str(connection.settings_dict["NAME"]),
                "backend": backend,
                "redis": redis,
                "wagtail_pim": {**options_of_pim, **options},
            }
            site_file = tmp_path / "site.json"
            site_file.write_text(json.dumps(of_site))
            environment = os.environ | {
                "DJANGO_SETTINGS_MODULE": "tests.services.settings",
                "SERVICE_SITE": str(site_file),
                "PYTHONUNBUFFERED": "1",
            }
            project = Project(tmp_path, pim, environment)
            # Shown where a test fails.
            stack.callback(lambda: print(project.logs()))
            stack.callback(lambda: [project.kill(p) for p in project.processes])
            return project

        yield make


@pytest.fixture
def open_admin(browser: Browser, admin_user: Any) -> Iterator[Callable[[str], Page]]:
    """Logs in at the site with this address; script errors fail the test."""
    errors: list[str] = []
    with contextlib.ExitStack() as stack:

        def log_in(url: str) -> Page:
            context = browser.new_context(base_url=url)
            stack.callback(context.close)
            context.route(
                lambda to: not to.startswith(url), lambda route: route.abort()
            )
            page = context.new_page()
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto("/admin/login/")
            page.fill("[name=username]", "admin")
            page.fill("[name=password]", "password")
            page.click("button[type=submit]")
            page.wait_for_url("**/admin/")
            return page

        yield log_in
    assert not errors
