"""The demo introduces the shop to a PIM, step by step."""

from __future__ import annotations

import re
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox_site import __main__ as demo
from sandbox_site.introduction import compare, take
from sandbox_site.pim.server import PimServer
from tests.pim_data import PimData
from tests.sandbox_site.demo import environment_of, free_port, run_demo

STEPS = [
    "1 of 6: Synchronize setup data",
    "2 of 6: In the PIM, map the category tree to the website",
    "3 of 6: Publish approved products",
    "4 of 6: In the PIM, change a product and approve it",
    "5 of 6: Publish approved products again",
    "6 of 6: Refresh published products, on a second site",
]


def query(database: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def title_on(database: Path) -> object:
    ((title,),) = query(
        database,
        "SELECT title FROM wagtailcore_page AS page JOIN wagtail_pim_productpage "
        "ON page_ptr_id = page.id JOIN wagtailcore_locale AS locale "
        "ON locale_id = locale.id "
        "WHERE product_number = 'SW-101' AND language_code = 'en'",
    )
    return title


def jobs_of(database: Path) -> list[object]:
    rows = query(database, "SELECT job FROM wagtail_pim_jobrun ORDER BY created_at")
    return [job for (job,) in rows]


def steps_of(output: str) -> dict[str, str]:
    """What each step printed."""
    _before, *parts = re.split(r"^==> (?=\d of \d)", output, flags=re.MULTILINE)
    return dict(part.split("\n", 1) for part in parts)


def counts(step: str, outcome: str) -> list[int]:
    (row,) = re.findall(rf"│ {outcome} +│(.+)│", step)
    return [int(cell) for cell in row.split("│") if cell.strip()]


def test_demo_introduces_an_empty_shop_and_comes_again(tmp_path: Path) -> None:
    var, shop = tmp_path / "var", tmp_path / "shop.sqlite3"
    second = var / "second" / "site.sqlite3"
    environment = environment_of(var, DATABASE_URL=f"sqlite:///{shop}")

    first = run_demo(environment, "--once", "--pim-port", "0")

    assert first.returncode == 0, first.stdout + first.stderr
    steps = steps_of(first.stdout)
    assert list(steps) == STEPS
    # The website, two templates and an assignment.
    assert counts(steps[STEPS[0]], "created") == [4]
    assert "“Spokewell shop” feeds Spokewell." in steps[STEPS[1]]
    assert counts(steps[STEPS[2]], "created") == [189, 26]
    # The archived one among them, which the shop never had.
    assert counts(steps[STEPS[2]], "acknowledged") == [190]
    assert "“Lantern 8” (SW-101) becomes “Lantern 8 (new)”." in steps[STEPS[3]]
    assert counts(steps[STEPS[4]], "updated") == [1, 0]
    assert "SW-101 is called “Lantern 8 (new)” now." in steps[STEPS[4]]
    assert counts(steps[STEPS[5]], "created") == [189, 27]
    for line in ("26 categories", "35 products", "154 variants"):
        number, name = line.split()
        assert re.search(rf"{number} +{number} {name}", steps[STEPS[5]])
    assert "Both sites show the same." in steps[STEPS[5]]
    assert title_on(shop) == title_on(second) == "Lantern 8 (new)"
    assert jobs_of(shop) == [
        "synchronize_setup_data",
        *["publish_approved_products"] * 2,
    ]
    assert jobs_of(second) == ["refresh_published_products"]
    assert not (var / "site.sqlite3").exists()
    assert any((var / "second" / "media").rglob("*.png"))

    again = run_demo(environment, "--once", "--pim-port", "0")

    assert again.returncode == 0, again.stdout + again.stderr
    steps = steps_of(again.stdout)
    assert counts(steps[STEPS[0]], "created") == [0]
    assert "Nothing to do: “Spokewell shop” feeds “Spokewell”." in steps[STEPS[1]]
    assert "There was nothing to do." in steps[STEPS[2]]
    assert counts(steps[STEPS[4]], "updated") == [1, 0]
    assert counts(steps[STEPS[5]], "updated") == [1, 0]
    assert counts(steps[STEPS[5]], "created") == [0, 0]
    assert "Both sites show the same." in steps[STEPS[5]]
    assert title_on(shop) == title_on(second) == "Lantern 8"


def test_another_pim_is_only_published_from(
    tmp_path: Path, pim_server: PimServer, pim: PimData
) -> None:
    pim.product("City1")
    key = pim_server.store.credentials().write
    environment = environment_of(
        tmp_path / "var",
        PIM_API_ADDRESS=pim_server.url,
        PIM_APP_KEY=key.app_key,
        PIM_SECRET_KEY=key.secret_key,
        PIM_ENVIRONMENT="Sandbox",
    )

    ended = run_demo(environment, "--once")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "It is not the demo's own" in ended.stdout
    (step,) = steps_of(ended.stdout).items()
    assert step[0] == "1 of 1: Publish approved products"
    assert counts(step[1], "acknowledged") == [1]
    assert pim.status("City1") == "Published"
    writes = {r.target.split("(")[0] for r in pim_server.requests if r.method != "GET"}
    assert len(writes) == 1
    assert writes.pop().endswith("/products")
    assert not (tmp_path / "var" / "second").exists()


def test_failing_job_ends_the_demo(tmp_path: Path, pim_server: PimServer) -> None:
    environment = environment_of(
        tmp_path / "var",
        PIM_API_ADDRESS=pim_server.url,
        PIM_APP_KEY="unknown",
        PIM_SECRET_KEY=pim_server.store.credentials().write.secret_key,
        PIM_ENVIRONMENT="Sandbox",
    )

    ended = run_demo(environment, "--once")

    assert ended.returncode == 1
    assert "Stopped: step 1 failed, see above" in ended.stdout
    assert "The shop is not ready" in ended.stdout


def test_port_of_the_pim_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server((demo.HOST, 0)) as taken:
        pim_port = str(taken.getsockname()[1])
        ended = run_demo(
            environment_of(tmp_path / "var"),
            *("--port", str(free_port()), "--pim-port", pim_port),
        )

    assert ended.returncode == 1
    assert f"Port {pim_port} is in use" in ended.stderr
    assert "--pim-port" in ended.stderr


@pytest.mark.parametrize(
    ("codes", "taken", "expected"),
    [
        ([0, 0, 0], 3, 0),
        ([0, 2, 0], 3, 2),
        ([2, 1, 0], 2, 1),
        ([0, 143, 0], 2, 143),
    ],
)
def test_worst_code_counts_and_a_failed_step_is_the_last(
    codes: list[int], taken: int, expected: int, capsys: pytest.CaptureFixture[str]
) -> None:
    steps: list[tuple[str, Callable[[], int]]] = [
        (f"Step {number}", lambda code=code: code) for number, code in enumerate(codes)
    ]

    assert take(steps) == expected

    printed = capsys.readouterr().out
    assert printed.count("of 3: Step") == taken
    assert ("Stopped: step 2 failed" in printed) == (expected == 1)


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ({"product": {"a": "1", "b": "2"}}, "Both sites show the same."),
        ({"product": {"a": "1", "b": "3"}}, "0 are missing on the second site and 1 "),
        ({"product": {"a": "1"}}, "1 are missing on the second site and 0 differ"),
        ({}, "2 are missing on the second site and 0 differ"),
        ({"product": {"a": "1", "b": "2", "c": "3"}}, "It has 1 more"),
        ({"product": {"a": "1", "c": "3"}}, "1 are missing on the second site"),
    ],
)
def test_sites_are_compared_page_by_page(
    second: dict[str, dict[str, str]], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    compare({"product": {"a": "1", "b": "2"}}, second)

    assert told in capsys.readouterr().out
