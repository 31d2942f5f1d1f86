"""The sandbox as a Django project and as a demo."""

from __future__ import annotations

import contextlib
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import requests
from django.contrib.auth import get_user_model
from django.core.management import call_command
from wagtail.models import Page, Site

from sandbox_site import __main__ as demo
from sandbox_site import var
from sandbox_site.shop.models import HomePage
from sandbox_site.shop.setup import (
    prepare_admin,
    prepare_catalog,
    prepare_relationship_types,
    prepare_site,
)
from tests.sandbox_site.demo import environment_of, free_port
from wagtail_pim.models import CatalogPage, RelationshipType


@pytest.mark.django_db
def test_system_check_passes() -> None:
    call_command("check", fail_level="WARNING")


@pytest.mark.django_db
def test_migrations_are_complete() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_site_is_prepared_once() -> None:
    prepare_site(8000)
    site = prepare_site(8123)

    assert list(Site.objects.all()) == [site]
    assert (site.port, site.root_page.specific_class) == (8123, HomePage)
    assert HomePage.objects.count() == 3
    assert Page.objects.filter(depth=2).count() == 3


@pytest.mark.django_db
def test_catalog_and_relationship_types_are_made_where_there_are_none() -> None:
    prepare_site(8000)
    for _start in range(2):
        prepare_catalog()
        prepare_relationship_types()

    assert [page.url for page in CatalogPage.objects.all()] == ["/spokewell/"]
    names = list(RelationshipType.objects.values_list("name", flat=True))
    assert names == ["A step up", "Goes well with", "Instead of this"]

    RelationshipType.objects.exclude(name="A step up").delete()
    prepare_relationship_types()
    assert RelationshipType.objects.get().name == "A step up"


@pytest.mark.django_db
def test_admin_keeps_the_password_of_the_first_start() -> None:
    prepare_admin(lambda: "first")
    prepare_admin(lambda: "second")

    assert get_user_model().objects.get(username="admin").check_password("first")


def test_secrets_are_kept_for_the_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_VAR", str(tmp_path / "var"))

    assert var.kept_secret("key", lambda: "first") == "first"
    assert var.kept_secret("key", lambda: "second") == "first"
    assert stat.S_IMODE((tmp_path / "var" / "key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "command",
    [
        ["sandbox_site/manage.py", "version"],
        ["-m", "sandbox_site.manage", "version"],
        ["-m", "sandbox_site", "--help"],
    ],
)
def test_can_be_started(command: list[str]) -> None:
    started = subprocess.run(
        [sys.executable, *command], cwd=var.REPOSITORY, capture_output=True, text=True
    )

    assert started.returncode == 0, started.stderr


def test_port_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server((demo.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert demo.main(["--port", str(port)]) == 1

    assert f"Port {port} is in use" in capsys.readouterr().err


def test_missing_data_folder_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo.main(["--once", "--data", str(tmp_path / "none")]) == 1

    assert "There is no folder" in capsys.readouterr().err


@pytest.fixture(scope="module")
def demo_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return environment_of(tmp_path_factory.mktemp("demo"))


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((demo.HOST, port), 1):
        return True
    return False


class ServedDemo(NamedTuple):
    process: subprocess.Popen[bytes]
    port: int
    pim_port: int

    def others_running(self) -> list[str]:
        """What it started and what did not end."""
        found = subprocess.run(
            ["pgrep", "--session", str(self.process.pid), "--list-full"],
            capture_output=True,
            text=True,
        )
        own = f"{self.process.pid} "
        return [line for line in found.stdout.splitlines() if not line.startswith(own)]


@pytest.fixture
def served_demo(demo_environment: dict[str, str]) -> Iterator[ServedDemo]:
    port, pim_port = free_port(), free_port()
    ports = ["--port", str(port), "--pim-port", str(pim_port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox_site", "--no-sync", *ports],
        cwd=var.REPOSITORY,
        env=demo_environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        # Started in the background, it would ignore Ctrl-C as its parent does.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        deadline = time.monotonic() + 120
        while not answers(port) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield ServedDemo(process, port, pim_port)
    finally:
        subprocess.run(["pkill", "-KILL", "--session", str(process.pid)])
        process.wait()


@pytest.mark.parametrize(
    ("signal_number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)]
)
def test_demo_serves_until_it_is_stopped_and_leaves_nothing_running(
    served_demo: ServedDemo, signal_number: signal.Signals, code: int
) -> None:
    assert answers(served_demo.pim_port)
    assert any("db_worker" in line for line in served_demo.others_running())

    served_demo.process.send_signal(signal_number)

    assert served_demo.process.wait(30) == code
    assert not served_demo.others_running()


def test_demo_runs_jobs_in_the_background(
    served_demo: ServedDemo, demo_environment: dict[str, str]
) -> None:
    admin = f"http://localhost:{served_demo.port}/admin/"
    password = Path(demo_environment["SANDBOX_VAR"], "admin-password").read_text()
    with requests.Session() as session:

        def post(address: str, **data: str) -> requests.Response:
            data["csrfmiddlewaretoken"] = session.cookies["csrftoken"]
            return session.post(admin + address, data, timeout=60)

        session.get(f"{admin}login/", timeout=60)
        post("login/", username="admin", password=password.strip())
        page = post("pim/jobs/synchronize_setup_data/start/")
        assert "/admin/pim/runs/" in page.url

        deadline = time.monotonic() + 60
        while 'data-run-state="succeeded"' not in page.text:
            assert time.monotonic() < deadline, page.text
            time.sleep(0.5)
            page = session.get(page.url, timeout=60)
