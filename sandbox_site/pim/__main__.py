"""The command line of the sandbox PIM: ``python -m sandbox_site.pim``."""

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from . import lifecycle
from .categories import map_tree_by_name
from .errors import SandboxError
from .products import edit_by_number
from .server import PimServer
from .store import Store


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except SandboxError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    database = argparse.ArgumentParser(add_help=False)
    database.add_argument(
        "--database",
        type=Path,
        default=Path(os.environ.get("PIM_DATABASE", "var/pim.sqlite3")),
        help="the SQLite file (default: $PIM_DATABASE or var/pim.sqlite3)",
    )
    parser = argparse.ArgumentParser(
        prog="python -m sandbox_site.pim", description="A sandbox PIM."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", parents=[database], help="serve the API")
    serve.set_defaults(run=_serve)
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=_port, default=8001, help="0 takes a free one")
    source = serve.add_mutually_exclusive_group()
    source.add_argument("--data", type=Path, metavar="DIR", help="load a data folder")
    source.add_argument(
        "--generate", type=_count, metavar="N", help="make up N products"
    )
    environment = serve.add_mutually_exclusive_group()
    environment.add_argument(
        "--environment",
        choices=["Production", "Sandbox"],
        default="Sandbox",
        help="the Active Publishing Environment (default: Sandbox)",
    )
    environment.add_argument(
        "--no-settings",
        dest="environment",
        action="store_const",
        const=None,
        help="be a PIM that does not serve its settings",
    )

    approve = commands.add_parser(
        "approve", parents=[database], help="set products Approved"
    )
    approve.set_defaults(run=_approve)
    products = approve.add_mutually_exclusive_group(required=True)
    products.add_argument("--all", action="store_true", help="all products")
    products.add_argument("numbers", nargs="*", default=[], metavar="NUMBER")

    mapping = commands.add_parser(
        "map", parents=[database], help="set the website that a category tree feeds"
    )
    mapping.set_defaults(run=_map)
    mapping.add_argument("tree", metavar="TREE", help="the tree's name")
    mapping.add_argument(
        "website",
        nargs="?",
        metavar="WEBSITE",
        help="the website's name (default: the tree feeds none)",
    )

    edit = commands.add_parser(
        "edit", parents=[database], help="change a product's properties"
    )
    edit.set_defaults(run=_edit)
    edit.add_argument("number", metavar="NUMBER")
    edit.add_argument(
        "values",
        nargs="+",
        type=_assignment,
        metavar="NAME=VALUE",
        help="an empty value takes the property away; several have ~ between them;"
        " NAME.de-DE is the translation into that language",
    )
    edit.add_argument("--approve", action="store_true", help="approve it at once")

    for name, act, done, about in (
        ("archive", lifecycle.archive, "archived", "archive products, Approved"),
        ("reactivate", lifecycle.reactivate, "reactivated", "bring them back"),
        ("delete", lifecycle.delete, "deleted", "delete products and their variants"),
    ):
        end = commands.add_parser(name, parents=[database], help=about)
        end.set_defaults(run=_end, act=act, done=done)
        end.add_argument("numbers", nargs="+", metavar="NUMBER")

    credentials = commands.add_parser(
        "credentials", parents=[database], help="print the two keys"
    )
    credentials.set_defaults(run=_credentials)
    credentials.add_argument("--json", action="store_true")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError
    return port


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError
    return count


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ValueError
    return name, value


def _serve(options: argparse.Namespace) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with Store(options.database) as store:
        _fill(store, options)
    stopped = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stopped.set())
    with PimServer(
        options.database, options.host, options.port, options.environment
    ) as server:
        print(f"The sandbox PIM serves at {server.url}/", flush=True)
        stopped.wait()


def _fill(store: Store, options: argparse.Namespace) -> None:
    if options.data is None and options.generate is None:
        return
    if not store.is_empty():
        print(f"{store.path} has data already: nothing was loaded.", file=sys.stderr)
    elif options.data is not None:
        store.load_folder(options.data)
    else:
        store.generate(options.generate)


def _approve(options: argparse.Namespace) -> None:
    with _existing_store(options.database) as store:
        count = store.approve_all() if options.all else store.approve(options.numbers)
    _print_count(count, "approved")


def _end(options: argparse.Namespace) -> None:
    with _existing_store(options.database) as store:
        _print_count(options.act(store, options.numbers), options.done)


def _print_count(count: int, done: str) -> None:
    print(f"{count} product{'' if count == 1 else 's'} {done}.")


def _map(options: argparse.Namespace) -> None:
    with _existing_store(options.database) as store:
        map_tree_by_name(store, options.tree, options.website)
    print(f"“{options.tree}” feeds {options.website or 'no website'}.")


def _edit(options: argparse.Namespace) -> None:
    with _existing_store(options.database) as store:
        product = edit_by_number(
            store, options.number, options.values, approve=options.approve
        )
    version, status = product["currentVersionNumber"], product["status"]
    print(f"{product['productNumber']} is at version {version}, {status}.")


def _credentials(options: argparse.Namespace) -> None:
    with _existing_store(options.database) as store:
        credentials = store.credentials()
    if options.json:
        keys = {
            name: {"app_key": key.app_key, "secret_key": key.secret_key}
            for name, key in credentials._asdict().items()
        }
        print(json.dumps(keys, indent=2))
        return
    for name, key in credentials._asdict().items():
        print(f"{name}:\n  app key:    {key.app_key}\n  secret key: {key.secret_key}")


def _existing_store(path: Path) -> Store:
    if not path.is_file():
        raise SandboxError(f"There is no database {path}: serve creates one.")
    return Store(path)


if __name__ == "__main__":
    sys.exit(main())
