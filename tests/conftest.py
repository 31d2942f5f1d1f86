"""A running sandbox PIM, a site that is pointed at it, and ways to run the job."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from wagtail.models import ModelLogEntry, Page, Site

from sandbox_site.pim.server import PimServer
from sandbox_site.shop.models import HomePage
from wagtail_pim.jobs import PublishApprovedProducts, runs
from wagtail_pim.models import JobRun, JobRunItem
from wagtail_pim.models.runs import Trigger

from .pim_data import PimData, fill

Publish = Callable[..., JobRun]

# Where a run keeps its own books, and what its entries in Wagtail's log are called.
RUN_TABLES = frozenset({JobRun._meta.db_table, JobRunItem._meta.db_table})
RUN_LOG_ACTIONS = "wagtail_pim.run."
_WRITTEN_TABLE = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')


@pytest.fixture(autouse=True)
def _language_of_the_settings() -> Iterator[None]:
    """A request leaves its language behind in the thread, also for later tests."""
    yield
    translation.deactivate()


@pytest.fixture
def pim_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PimServer]:
    """A sandbox PIM on a free port, with the records of ``fill``."""
    monkeypatch.delenv("PIM_APP_KEY", raising=False)
    monkeypatch.delenv("PIM_SECRET_KEY", raising=False)
    with PimServer(tmp_path / "pim.sqlite3") as server:
        fill(PimData(server.store))
        yield server


@pytest.fixture
def pim(pim_server: PimServer) -> PimData:
    return PimData(pim_server.store)


@pytest.fixture
def configure(pim_server: PimServer, settings: Any) -> Callable[..., None]:
    """Points the site at the sandbox PIM; call it to set more of WAGTAIL_PIM."""

    def set_options(**more: Any) -> None:
        settings.WAGTAIL_PIM = {**settings.WAGTAIL_PIM, **more}

    key = pim_server.store.credentials().write
    settings.WAGTAIL_PIM = {
        "ENVIRONMENT": "Sandbox",
        "API_ADDRESS": pim_server.url,
        "APP_KEY": key.app_key,
        "SECRET_KEY": key.secret_key,
        "MAX_ATTEMPTS": 3,
        "MAX_RETRY_WAIT": 0.01,
    }
    return set_options


@pytest.fixture
def site(db: None) -> Iterator[Site]:
    """The default site, with the shop's home page as its root."""
    Page.objects.filter(depth=2).delete()
    root = Page.get_first_root_node()
    home = root.add_child(instance=HomePage(title="Home", slug="shop"))
    site = Site.objects.filter(is_default_site=True).first() or Site(
        hostname="localhost", is_default_site=True
    )
    site.root_page = home
    site.save()
    yield site
    # It holds the paths of sites whose rows are rolled back.
    cache.clear()


@pytest.fixture(scope="class")
def refilled_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Gives back what migrations filled in: tests with transactions empty it all.

    The scope is wider than that of what empties it, and so comes after.
    """
    yield
    with django_db_blocker.unblock():
        connection.creation.deserialize_db_from_string(
            connection._test_serialized_contents
        )


def publish_now(**options: Any) -> JobRun:
    """A whole run of Publish approved products, started and carried out here."""
    run = runs.start(PublishApprovedProducts.name, trigger=Trigger.COMMAND, **options)
    return runs.carry_out(run.pk)


@pytest.fixture
def publish(site: Site, configure: Callable[..., None]) -> Publish:
    """Runs Publish approved products here, against the sandbox PIM."""

    def run(*numbers: str, **options: Any) -> JobRun:
        return publish_now(numbers=numbers, **options)

    return run


class CapturedQueries(CaptureQueriesContext):
    """The queries of a block; transactions and savepoints are none."""

    def __init__(self) -> None:
        super().__init__(connection)

    def statements(self, *verbs: str) -> list[str]:
        """Those that begin with one of ``verbs``."""
        statements = [query["sql"].lstrip("( ") for query in self.captured_queries]
        return [sql for sql in statements if sql.upper().startswith(verbs)]

    def reads(self) -> list[str]:
        return self.statements("SELECT")

    def writes(self) -> list[str]:
        return self.statements("INSERT", "UPDATE", "DELETE", "REPLACE", "COPY", "WITH")

    def writes_to_site(self) -> list[str]:
        """Writes to anything but a run's own books."""
        return [sql for sql in self.writes() if not _keeps_books(sql)]


def _keeps_books(sql: str) -> bool:
    written = _WRITTEN_TABLE.match(sql)
    table = written[1] if written else ""
    if table == ModelLogEntry._meta.db_table:
        return f"'{RUN_LOG_ACTIONS}" in sql
    return table in RUN_TABLES


@pytest.fixture
def queries() -> Callable[[], CapturedQueries]:
    return CapturedQueries


def site_rows() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, but for the books of runs."""
    with connection.cursor() as cursor:
        rows = {}
        for table in set(connection.introspection.table_names(cursor)) - RUN_TABLES:
            cursor.execute(f'SELECT * FROM "{table}"')
            rows[table] = sorted(
                (row for row in cursor.fetchall() if not _is_log_of_run(row)), key=repr
            )
    return rows


def _is_log_of_run(row: tuple[Any, ...]) -> bool:
    return any(
        isinstance(value, str) and value.startswith(RUN_LOG_ACTIONS) for value in row
    )


def items_by_number(run: JobRun) -> dict[str, JobRunItem]:
    return {item.number: item for item in run.items.all()}
