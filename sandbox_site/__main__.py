"""The demo: ``python -m sandbox_site`` introduces the shop to a PIM and serves it.

Each source of data has a folder of its own in ``var/``, with its database, pictures
and secrets; to begin anew, delete it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final, NoReturn

from sandbox_site import local_site
from sandbox_site.introduction import (
    ENDED_BY_SIGNAL,
    DemoError,
    Introduction,
    Step,
    publish,
    say,
    take,
)
from sandbox_site.processes import python_module
from sandbox_site.var import REPOSITORY, kept_secret, var_folder

HOST: Final = "127.0.0.1"
PIM_START_SECONDS: Final = 120


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)
    try:
        return run(options)
    except DemoError as error:
        print(f"\nError: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox_site", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="stop after the jobs, with the exit code of the worst",
    )
    parser.add_argument(
        "--no-sync", action="store_true", help="serve what is there, run no job"
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="fill the PIM from this folder instead of with the shop's own catalog",
    )
    parser.add_argument(
        "--approve-all",
        action="store_true",
        help="set all products of the sandbox PIM Approved before the jobs",
    )
    parser.add_argument("--port", type=int, default=8000, help="of the site")
    parser.add_argument(
        "--pim-port", type=int, default=8001, help="of the PIM; 0 takes a free one"
    )
    return parser


def run(options: argparse.Namespace) -> int:
    if options.data and not options.data.is_dir():
        raise DemoError(f"There is no folder {options.data}.")
    if not options.once:
        _require_free(options.port, "--port")
    if options.data:
        name = options.data.resolve().name
        os.environ.setdefault("SANDBOX_VAR", str(REPOSITORY / "var" / name))
    os.environ["SANDBOX_URL"] = f"http://localhost:{options.port}"
    os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox_site.settings"
    var = var_folder()
    var.mkdir(parents=True, exist_ok=True)
    say(f"Data folder: {var}")

    with pim_in_use(options) as pim:
        prepare_shop(options.port)
        code = 0 if options.no_sync else take(pim.steps(options.port))
        if code >= ENDED_BY_SIGNAL:
            return code
        report(code, pim.address, options)
        if not options.once:
            with worker():
                serve(options.port)
    return code


@dataclass(frozen=True)
class OtherPim:
    """A PIM that the environment names: it may be anybody's.

    The demo sets up, maps and changes nothing there; what it publishes it acknowledges,
    as the job does.
    """

    address: str

    def steps(self, port: int) -> list[Step]:
        return [("Publish approved products", publish)]


@dataclass(frozen=True)
class SandboxPim:
    """The demo's own PIM, with which it may do as it likes."""

    address: str
    database: Path
    keys: dict[str, dict[str, str]]

    def steps(self, port: int) -> list[Step]:
        ask = partial(_ask_pim, self.database)
        return Introduction(ask, self.key("read_only"), port).steps()

    def key(self, name: str) -> dict[str, str]:
        """The options for one of its two keys."""
        key = self.keys[name]
        return {"PIM_APP_KEY": key["app_key"], "PIM_SECRET_KEY": key["secret_key"]}


@contextlib.contextmanager
def pim_in_use(options: argparse.Namespace) -> Iterator[OtherPim | SandboxPim]:
    """The PIM that the environment names, or a sandbox PIM for the time being."""
    if address := os.environ.get("PIM_API_ADDRESS"):
        if options.data or options.approve_all:
            raise DemoError(
                "--data and --approve-all are for the sandbox PIM, but "
                f"PIM_API_ADDRESS names {address}. Unset it or leave them out."
            )
        say(
            f"Using the PIM at {address}. It is not the demo's own, so no setup data "
            "is sent to it and nothing is changed in it but what Publish acknowledges."
        )
        yield OtherPim(address)
        return
    with sandbox_pim(options) as pim:
        yield pim


@contextlib.contextmanager
def sandbox_pim(options: argparse.Namespace) -> Iterator[SandboxPim]:
    """Runs the sandbox PIM as a process of its own and points this one at it."""
    port = _pim_port(options)
    database = var_folder() / "pim.sqlite3"
    data = options.data or _own_catalog()
    say(f"Starting the sandbox PIM with the data of {data}")
    address = f"http://{HOST}:{port}"
    arguments = ["serve", "--host", HOST, "--port", str(port), "--data", str(data)]
    with python_module(
        "sandbox_site.pim",
        *arguments,
        *("--database", str(database)),
        log=var_folder() / "pim.log",
    ) as process:
        _wait_until_it_answers(process, port)
        if options.approve_all:
            say(_ask_pim(database, "approve", "--all").strip())
        keys = json.loads(_ask_pim(database, "credentials", "--json"))
        pim = SandboxPim(address, database, keys)
        os.environ |= {
            "PIM_API_ADDRESS": address,
            "PIM_ENVIRONMENT": "Sandbox",
            **pim.key("write"),
        }
        yield pim


def prepare_shop(port: int) -> None:
    """Database, home page and administrator, as far as they are missing."""
    say("Preparing the database")
    local_site.prepare(port)
    from sandbox_site.shop.setup import prepare_admin

    prepare_admin(admin_password)


def report(code: int, pim_address: str, options: argparse.Namespace) -> None:
    """What is there now, and where to look at it."""
    from wagtail.models import Locale

    from wagtail_pim.models import CategoryPage, ProductPage, VariantPage

    outcome = {
        0: "The shop is ready.",
        2: "The shop is ready; something failed in part, see above.",
    }
    say(outcome.get(code, "The shop is not ready; see above."))
    for model, name in (
        (CategoryPage, "categories"),
        (ProductPage, "products"),
        (VariantPage, "variants"),
    ):
        # Each has a page in every language.
        count = model.objects.live().filter(locale=Locale.get_default()).count()
        print(f"    {count:>6} {name}")
    if options.once:
        return
    site = f"http://localhost:{options.port}"
    print(f"\n    Shop    {site}/")
    print(f"    Admin   {site}/admin/  (admin / {admin_password()})")
    print(f"    Jobs    {site}/admin/pim/jobs/")
    print(f"    Fields  {site}/admin/pim/mapping/")
    print(f"    PIM     {pim_address}/")


def worker() -> contextlib.AbstractContextManager[Any]:
    """Runs a worker as a process of its own, for jobs that are started in the admin."""
    return python_module(
        "sandbox_site.manage",
        *("db_worker", "--backend", "pim", "--no-reload"),
        log=var_folder() / "worker.log",
    )


def serve(port: int) -> None:
    """Serves the site, with its static files and media, until it is told to stop."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.servers.basehttp import get_internal_wsgi_application
    from django.core.servers.basehttp import run as run_server

    print("\nStop with Ctrl-C.", flush=True)
    handler = StaticFilesHandler(get_internal_wsgi_application())
    try:
        run_server(HOST, port, handler, threading=True)
    except OSError as error:
        raise DemoError(f"Cannot serve at port {port}: {error}.") from error
    except KeyboardInterrupt:
        say("Stopped")


def admin_password() -> str:
    return kept_secret("admin-password", lambda: secrets.token_urlsafe(12))


def _own_catalog() -> Path:
    folder = var_folder() / "catalog"
    if not folder.exists():
        from sandbox_site.shop.catalog import write_catalog

        say("Writing the shop's catalog and drawing its pictures")
        unfinished = folder.with_name("catalog.unfinished")
        write_catalog(unfinished)
        unfinished.rename(folder)
    return folder


def _ask_pim(database: Path, *arguments: str) -> str:
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "sandbox_site.pim"),
            *(*arguments, "--database", str(database)),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    if answer.returncode:
        raise DemoError(f"The sandbox PIM said: {answer.stderr.strip()}")
    return answer.stdout


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PIM_START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError, HTTPException):
            connection = HTTPConnection(HOST, port, timeout=5)
            connection.request("HEAD", "/")
            connection.getresponse()
            return
        time.sleep(0.1)
    raise DemoError(
        f"The sandbox PIM did not start; {var_folder() / 'pim.log'} says why."
    )


def _pim_port(options: argparse.Namespace) -> int:
    port = options.pim_port
    if port == 0 or (options.once and not _is_free(port)):
        with socket.create_server((HOST, 0)) as free:
            return free.getsockname()[1]
    _require_free(port, "--pim-port")
    return port


def _require_free(port: int, option: str) -> None:
    if not _is_free(port):
        raise DemoError(
            f"Port {port} is in use. Stop what uses it, or choose another with "
            f"{option}."
        )


def _is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except (OSError, OverflowError):
        return False
    return True


def _terminate(number: int, frame: Any) -> NoReturn:
    """The demo ends as by Ctrl-C, so that what it started ends with it."""
    raise SystemExit(ENDED_BY_SIGNAL + number)


if __name__ == "__main__":
    sys.exit(main())
