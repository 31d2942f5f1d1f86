import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox_site.pim.__main__ import main
from sandbox_site.pim.server import PimServer
from sandbox_site.pim.store import Store

from .client import Client
from .records import guid, product

ROOT = Path(__file__).parents[2]


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "pim.sqlite3"
    with Store(path) as store:
        store.generate(6)
        for product in store.find("products"):
            store.patch("products", product["id"], status="New")
    return str(path)


@pytest.fixture
def serve():
    processes = []

    def start(*arguments, cwd=ROOT, **environment):
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox_site.pim", "serve", "--port=0", *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def address(process):
    line = process.stdout.readline()
    return re.fullmatch(r"The sandbox PIM serves at (http://127.0.0.1:\d+)/\n", line)[1]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_serve_until_told_to_stop(serve, tmp_path, stop):
    database = tmp_path / "new" / "pim.sqlite3"
    process = serve(
        f"--database={database}", "--generate=7", "--environment=Production"
    )
    with Store(database) as store:
        client = Client(SimpleNamespace(url=address(process), store=store))
        with client.session:
            assert len(client.numbers()) == 7
            settings = client.get("settings").json()
            process.send_signal(stop)
            rest, log = process.communicate(timeout=10)
    assert settings == {"activePublishingEnvironment": "Production"}
    assert process.returncode == 0
    assert rest == ""
    assert "Traceback" not in log


def test_the_default_database(serve, tmp_path):
    address(serve(cwd=tmp_path))
    assert (tmp_path / "var" / "pim.sqlite3").is_file()
    address(serve(PIM_DATABASE=str(tmp_path / "named")))
    assert (tmp_path / "named").is_file()


def test_loading_is_skipped_when_there_is_data(serve, database):
    process = serve(f"--database={database}", "--generate=99")
    address(process)
    process.terminate()
    assert "nothing was loaded" in process.communicate(timeout=10)[1]
    with Store(database) as store:
        assert len(store.find("products")) == 6


def test_no_settings(serve, database):
    process = serve(f"--database={database}", "--no-settings")
    with Store(database) as store:
        client = Client(SimpleNamespace(url=address(process), store=store))
        with client.session:
            assert client.get("settings").status_code == 404


def test_errors_of_serve(tmp_path, capsys):
    database = f"--database={tmp_path / 'pim.sqlite3'}"
    missing = tmp_path / "none"
    assert main(["serve", database, f"--data={missing}"]) == 1
    assert f"no folder {missing}" in capsys.readouterr().err
    with PimServer(tmp_path / "other.sqlite3") as server:
        port = server.url.rpartition(":")[2]
        assert main(["serve", database, f"--port={port}"]) == 1
    assert "Cannot listen" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["frobnicate"],
        ["serve", "--port=70000"],
        ["serve", "--port=x"],
        ["serve", "--generate=0"],
        ["serve", "--generate=5", "--data=x"],
        ["serve", "--environment=Test"],
        ["approve"],
        ["approve", "--all", "A"],
        ["map"],
        ["edit", "A"],
        ["edit", "A", "no assignment"],
        ["edit", "A", "=x"],
        ["archive"],
        ["reactivate"],
        ["delete"],
    ],
)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_approve(database, capsys):
    assert main(["approve", "--database", database, "SB-0000001", "SB-0000002"]) == 0
    assert capsys.readouterr().out == "2 products approved.\n"
    assert main(["approve", "--database", database, "SB-0000003", "none"]) == 1
    assert "number none" in capsys.readouterr().err
    with Store(database) as store:
        assert len(store.find("products", status="Approved")) == 2
    assert main(["approve", "--database", database, "--all"]) == 0
    assert capsys.readouterr().out == "4 products approved.\n"


def test_credentials(database, capsys):
    assert main(["credentials", "--database", database, "--json"]) == 0
    with Store(database) as store:
        keys = store.credentials()
    assert json.loads(capsys.readouterr().out) == {
        "write": {
            "app_key": keys.write.app_key,
            "secret_key": keys.write.secret_key,
        },
        "read_only": {
            "app_key": keys.read_only.app_key,
            "secret_key": keys.read_only.secret_key,
        },
    }
    assert main(["credentials", "--database", database]) == 0
    assert keys.read_only.secret_key in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        ["credentials"],
        ["approve", "--all"],
        ["map", "Tree"],
        ["edit", "A", "b=c"],
        ["archive", "A"],
        ["reactivate", "A"],
        ["delete", "A"],
    ],
)
def test_no_database(tmp_path, capsys, command):
    path = tmp_path / "none.sqlite3"
    assert main([*command, f"--database={path}"]) == 1
    assert "no database" in capsys.readouterr().err
    assert not path.exists()


# Category trees and edits


@pytest.fixture
def served(boots):
    """The database of a server that goes on serving it."""
    boots.store.put("websites", {"id": guid("web"), "name": "Web"})
    boots.store.put(
        "products",
        product("B-1", templateId=guid("Boot"), Colour="Moss", Seasons="Spring"),
    )
    return boots, f"--database={boots.store.path}"


def test_map(served, capsys):
    server, database = served
    assert main(["map", "Shop tree", "Web", database]) == 0
    assert capsys.readouterr().out == "“Shop tree” feeds Web.\n"
    (link,) = server.store.get("categoryTaxonomies", guid("tree"))["websites"]
    assert link["websiteId"] == guid("web")
    assert main(["map", "Shop tree", database]) == 0
    assert capsys.readouterr().out == "“Shop tree” feeds no website.\n"
    assert server.store.get("categoryTaxonomies", guid("tree"))["websites"] == []


def test_map_unknown_names(served, capsys):
    server, database = served
    before = server.store.get("categoryTaxonomies", guid("tree"))
    assert main(["map", "Tree", "Web", database]) == 1
    assert "no category tree “Tree”. There is: Shop tree." in capsys.readouterr().err
    assert main(["map", "Shop tree", "Outlet", database]) == 1
    assert "no website “Outlet”. There is: Web." in capsys.readouterr().err
    server.store.put("websites", {"name": "Web"})
    assert main(["map", "Shop tree", "Web", database]) == 1
    assert "2 websites “Web”" in capsys.readouterr().err
    assert server.store.get("categoryTaxonomies", guid("tree")) == before


def test_edit(served, client, capsys):
    _, database = served
    values = ["colour=Ink & Co", "Seasons=Spring~Autumn", "Price=9.5", "PRODUCTTITLE=="]
    assert main(["edit", "B-1", *values, database]) == 0
    assert capsys.readouterr().out == "B-1 is at version 4, Ready for Approval.\n"
    (record,) = client.values("products")
    assert (record["Colour"], record["Seasons"], record["Price"]) == (
        "Ink & Co",
        "Spring~Autumn",
        9.5,
    )
    assert record["productTitle"] == "="
    assert record["percentComplete"] == 50
    assert main(["edit", "B-1", "Colour=", "--approve", database]) == 0
    assert capsys.readouterr().out == "B-1 is at version 5, Approved.\n"
    assert "Colour" not in client.values("products")[0]


def test_edit_a_translation(served, capsys):
    server, database = served
    server.store.put("languages", {"languageCode": "de-DE"})
    assert main(["edit", "B-1", "care.de-de=Bürsten", database]) == 0
    record = server.store.get("products", guid("B-1"))
    assert record["translations"] == {"de-DE": {"Care": "Bürsten"}}
    assert main(["edit", "B-1", "Summary.de-DE=x", database]) == 1
    assert "no such property" in capsys.readouterr().err
    assert main(["edit", "B-1", "deactivateOn=2027-01-31T18:30", database]) == 0
    record = server.store.get("products", guid("B-1"))
    assert record["deactivateOn"] == "2027-01-31T18:30:00Z"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none", "Colour=Moss"], "no product with the number none"),
        (["B-1", "Nonsense=x"], "Nonsense: The product has no such property. It has"),
        (["B-1", "status=Approved"], "no such property"),
        (["B-1", "Colour=Mauve"], "Colour: “Mauve” is none of its values: Moss"),
        (["B-1", "Price=x", "Dry=x"], "Dry: Choose true or false."),
        (["B-1", "productNumber="], "productNumber: This must not be empty."),
        (["B-1", "Care=\udcff"], "cannot be printed"),
    ],
)
def test_errors_of_edit(served, capsys, arguments, message):
    server, database = served
    before = server.store.find("products")
    assert main(["edit", *arguments, database]) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert message in error
    assert server.store.find("products") == before
