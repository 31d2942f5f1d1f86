"""Reading a data folder: one file of JSON lines an entity set, pictures beside them."""

import gzip
import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from .errors import SandboxError
from .schema import ENTITY_SETS, parse_guid

Record = dict[str, Any]

IMAGES = "images"
_URLS = ("urlLarge", "urlMedium", "urlSmall")


def read_folder(folder: Path) -> Iterator[tuple[str, Iterator[Record]]]:
    """The entity sets that the folder has files for, and the records of each."""
    if not folder.is_dir():
        raise SandboxError(f"There is no folder {folder}.")
    files = [
        (name, path)
        for name in ENTITY_SETS
        for path in (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz")
        if path.is_file()
    ]
    if not files:
        raise SandboxError(
            f"{folder} has no data: it needs files such as products.jsonl."
        )
    for name, path in files:
        yield name, _records(path)


def _records(path: Path) -> Iterator[Record]:
    with _open(path) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    record = json.loads(line)
                    if parse_guid(str(record["id"])) is None:
                        raise ValueError("its id is not a Guid")
                except (ValueError, TypeError, KeyError) as error:
                    message = f"{path}, line {number}, is not a record: {error!r}"
                    raise SandboxError(message) from error
                yield _with_served_urls(record)


def _open(path: Path) -> AbstractContextManager[Iterable[bytes]]:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _with_served_urls(record: Record) -> Record:
    """The record with the paths at which the server serves the folder's pictures."""
    for name in _URLS:
        url = record.get(name)
        if isinstance(url, str) and url.startswith(f"{IMAGES}/"):
            record[name] = f"/assets/{url.removeprefix(f'{IMAGES}/')}"
    return record


def with_absolute_urls(record: Record, base_url: str) -> Record:
    """The record as it goes over the wire: its pictures have a full address."""
    urls = {
        name: f"{base_url}{record[name]}"
        for name in _URLS
        if str(record.get(name)).startswith("/assets/")
    }
    return {**record, **urls}
