"""The sandbox PIM's database: JSON documents in SQLite, a table for each entity set.

A document is stored as the text that goes over the wire, with its ``@odata.etag``, so
that a page of products is one read and no parsing. What is said in other languages
stands in a column of its own, as it never goes over the wire as such.
"""

import itertools
import json
import os
import secrets
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from . import auth, generate
from .data import IMAGES, Record, read_folder
from .errors import (
    ConflictError,
    MissingReferenceError,
    SandboxError,
    UnknownProductsError,
)
from .messages import compact_json
from .odata import TRANSLATION, Language, Query, field_sql, moment_sql
from .schema import ENTITY_SETS, IDENTIFIER, EntitySet, Kind, Navigation, parse_guid

_LOCK_TIMEOUT = 30
"""How many seconds a writer waits for another one."""

_BATCH_SIZE = 1000


class Row(NamedTuple):
    id: str
    document: str


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    count: int | None


class Store:
    """All that the PIM knows. Safe to use from several threads and processes.

    Records are dicts in the shape of the wire, with ``@odata.etag`` and, where there
    are any, ``translations`` by language code. Every write gives a new etag.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.images = self.path.with_name(f"{self.path.name}-{IMAGES}")
        self._idle: list[sqlite3.Connection] = []
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            with self._writing() as connection:
                for statement in _schema():
                    connection.execute(statement)
                _create_credentials(connection)
        except (OSError, sqlite3.DatabaseError) as error:
            self.close()
            message = f"{self.path} cannot be used as the database: {error}"
            raise SandboxError(message) from error
        except SandboxError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    # Connections

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        finally:
            self._idle.append(connection)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that locks out other writers from its first read on."""
        with self._connection() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=_LOCK_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    # Credentials

    def credentials(self) -> auth.Credentials:
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT app_key, secret_key, read_only FROM credentials"
                " ORDER BY read_only"
            )
            return auth.Credentials(
                *(auth.Key(app, secret, bool(flag)) for app, secret, flag in rows)
            )

    # Filling an empty database

    def is_empty(self) -> bool:
        with self._connection() as connection:
            return _is_empty(connection)

    def load_folder(self, folder: str | os.PathLike[str]) -> None:
        """Load a data folder, and copy its pictures beside the database.

        Raises SandboxError when the folder has no data or the database has some.
        """
        self._fill(read_folder(Path(folder)))
        pictures = [
            path for path in (Path(folder) / IMAGES).glob("*") if path.is_file()
        ]
        if pictures:
            self.images.mkdir(exist_ok=True)
        for picture in pictures:
            shutil.copyfile(picture, self.images / picture.name)

    def generate(self, number_of_products: int) -> None:
        """Fill the database with made-up products, the same ones every time."""
        self._fill(generate.catalog(number_of_products))
        generate.write_pictures(self.images)

    def _fill(self, sets: Iterable[tuple[str, Iterable[Record]]]) -> None:
        with self._writing() as connection:
            if not _is_empty(connection):
                raise SandboxError(f"{self.path} has data already: nothing was loaded.")
            for set_name, records in sets:
                for batch in _batches(records):
                    _write(connection, ENTITY_SETS[set_name], batch)

    # Records

    @contextmanager
    def reading(self) -> Iterator["Records"]:
        """The records as they are at the first read of the block."""
        with self._connection() as connection, connection:
            connection.execute("BEGIN")
            yield Records(connection)

    @contextmanager
    def writing(self) -> Iterator["Records"]:
        """A transaction in which nobody else writes; an exception undoes it."""
        with self._writing() as connection:
            yield Records(connection)

    def get(self, set_name: str, id: str) -> Record | None:
        with self.reading() as records:
            return records.get(set_name, id)

    def find(self, set_name: str, **equals: Any) -> list[Record]:
        """The records whose properties have these values, ordered by id."""
        with self.reading() as records:
            return records.find(set_name, **equals)

    def put(self, set_name: str, record: Mapping[str, Any]) -> Record:
        """Write a whole record, in the place of the one with its id if there is one."""
        with self.writing() as records:
            return records.put(set_name, record)

    def insert(self, set_name: str, record: Mapping[str, Any]) -> Record:
        """Write a new record.

        Raises ConflictError if there is one like it, and MissingReferenceError if
        one that it refers to is not there.
        """
        with self.writing() as records:
            return records.insert(set_name, record)

    def patch(self, set_name: str, id: str, **changes: Any) -> Record | None:
        """Set properties as given, whatever the PIM's rules; None if it is gone."""
        with self.writing() as records:
            record = records.get(set_name, id)
            return records.put(set_name, {**record, **changes}) if record else None

    def update(
        self, set_name: str, id: str, change: Callable[[Record], Mapping[str, Any]]
    ) -> Record | None:
        """Set what ``change`` returns for the record; None if it is gone.

        Nobody else can write in between; an exception of ``change`` leaves all as
        it was. Raises MissingReferenceError as ``insert`` does.
        """
        with self.writing() as records:
            record = records.get(set_name, id)
            if record is None:
                return None
            changes = change(record)
            records.check_references(set_name, changes)
            return records.put(set_name, {**record, **changes})

    def delete(self, set_name: str, id: str) -> bool:
        with self.writing() as records:
            return records.delete(set_name, id)

    # The API's reads

    def property_names(self, entity_set: EntitySet) -> dict[str, str]:
        """The names of a set's properties by their spelling in lower case."""
        names = {name.lower(): name for name in entity_set.properties}
        if entity_set.is_open:
            with self._connection() as connection:
                custom = connection.execute(
                    "SELECT folded, name FROM custom_properties"
                )
                return {**dict(custom), **names}
        return names

    def localizable_names(self) -> frozenset[str]:
        """The names of the properties that may be translated, in lower case."""
        with self._connection() as connection:
            names = connection.execute(
                f"SELECT {field_sql('name')} FROM properties"
                f" WHERE {field_sql('isLocalizable')}"
            )
            return frozenset(str(name).lower() for (name,) in names)

    def page(self, entity_set: EntitySet, query: Query) -> Page:
        translation = TRANSLATION if query.language else "NULL"
        source = f'FROM "{entity_set.name}" AS it WHERE {query.where}'
        parameters = {**query.parameters, "limit": query.limit, "skip": query.skip}
        # Found by the indexes alone: documents are read of the page's records only.
        ids = (
            f"SELECT it.rowid {source}"
            f" ORDER BY {query.order_by} LIMIT :limit OFFSET :skip"
        )
        with self._connection() as connection:
            rows = connection.execute(
                f"SELECT it.id, it.document, {translation}"
                f' FROM "{entity_set.name}" AS it WHERE it.rowid IN ({ids})'
                f" ORDER BY {query.order_by}",
                parameters,
            )
            page = [
                Row(key, _in_language(query.language, *texts)) for key, *texts in rows
            ]
            count = None
            if query.count:
                (count,) = connection.execute(
                    f"SELECT count(*) {source}", parameters
                ).fetchone()
        return Page(page, count)

    def related(
        self, navigation: Navigation, ids: Iterable[str]
    ) -> dict[str, list[str]]:
        """The documents that point to each of these records, in their order."""
        key = field_sql(navigation.foreign_key)
        order = f"{field_sql(navigation.order)}, id" if navigation.order else "id"
        documents: dict[str, list[str]] = {}
        with self._connection() as connection:
            for owner, document in connection.execute(
                f'SELECT {key}, document FROM "{navigation.target}"'
                f" WHERE {key} IN (SELECT value FROM json_each(?)) ORDER BY {order}",
                (json.dumps(list(ids)),),
            ):
                documents.setdefault(owner, []).append(document)
        return documents

    # The screen's reads and the approval

    def status_counts(self, search: str = "") -> dict[str, int]:
        """How many of the products that match the search have each status."""
        with self._connection() as connection:
            status = field_sql("status")
            return dict(
                connection.execute(
                    f"SELECT coalesce({status}, ''), count(*) FROM products"
                    f" WHERE {_LISTED} GROUP BY 1 ORDER BY 1",
                    {"search": search, "status": ""},
                ).fetchall()
            )

    def products(
        self, status: str = "", search: str = "", *, limit: int, offset: int
    ) -> list[Record]:
        """Products for a person to look through, by number."""
        with self._connection() as connection:
            rows = connection.execute(
                f"SELECT document FROM products WHERE {_LISTED}"
                f" ORDER BY {field_sql('productNumber')}, id"
                " LIMIT :limit OFFSET :offset",
                {"search": search, "status": status, "limit": limit, "offset": offset},
            )
            return [json.loads(document) for (document,) in rows]

    def approve(self, numbers: Iterable[str]) -> int:
        """Set these products Approved; all of them, or none if one is unknown."""
        wanted = set(numbers)
        parameter = (json.dumps(sorted(wanted)),)
        number = field_sql("productNumber")
        condition = f"{number} IN (SELECT value FROM json_each(?))"
        with self._writing() as connection:
            known = connection.execute(
                f"SELECT {number} FROM products WHERE {condition}", parameter
            )
            if unknown := wanted - {known_number for (known_number,) in known}:
                raise UnknownProductsError(unknown, "Nothing was approved.")
            return connection.execute(f"{_APPROVE} {condition}", parameter).rowcount

    def approve_all(self, status: str = "", search: str = "") -> int:
        """Set all products Approved that are not yet, or those of a listing."""
        condition = f"{field_sql('status')} IS NOT 'Approved' AND {_LISTED}"
        with self._writing() as connection:
            return connection.execute(
                f"{_APPROVE} {condition}", {"status": status, "search": search}
            ).rowcount


class Records:
    """The records within one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, set_name: str, id: str) -> Record | None:
        row = self._connection.execute(
            f'SELECT document, translations FROM "{set_name}" WHERE id = ?',
            (id.lower(),),
        ).fetchone()
        return _record(*row) if row else None

    def find(self, set_name: str, **equals: Any) -> list[Record]:
        """The records whose properties have these values, ordered by id."""
        condition = (
            " AND ".join(f"{field_sql(name)} IS :{name}" for name in equals) or "TRUE"
        )
        rows = self._connection.execute(
            f'SELECT document, translations FROM "{set_name}"'
            f" WHERE {condition} ORDER BY id",
            equals,
        )
        return [_record(*row) for row in rows]

    def put(self, set_name: str, record: Mapping[str, Any]) -> Record:
        return _write(self._connection, ENTITY_SETS[set_name], [record])[0]

    def insert(self, set_name: str, record: Mapping[str, Any]) -> Record:
        unique = ENTITY_SETS[set_name].unique or "id"
        taken = self._connection.execute(
            f'SELECT 1 FROM "{set_name}" WHERE id = lower(?)'
            f" OR lower({field_sql(unique)}) = lower(?)",
            (record.get("id"), record.get(unique)),
        ).fetchone()
        if taken:
            raise ConflictError(f"{set_name} has one of this id or {unique} already.")
        self.check_references(set_name, record)
        return self.put(set_name, record)

    def check_references(self, set_name: str, values: Mapping[str, Any]) -> None:
        for name, target in ENTITY_SETS[set_name].references.items():
            if name in values and self.get(target, str(values[name])) is None:
                raise MissingReferenceError(
                    f"There is no {target}({values[name]}), which '{name}' names."
                )

    def delete(self, set_name: str, id: str) -> bool:
        cursor = self._connection.execute(
            f'DELETE FROM "{set_name}" WHERE id = ?', (id.lower(),)
        )
        return cursor.rowcount > 0


_LISTED = f"""
    (:status = '' OR {field_sql("status")} IS :status)
    AND (:search = '' OR instr(
        lower({field_sql("productNumber")} || char(10) || {field_sql("productTitle")}),
        lower(:search)
    ))
"""

# A version is what an editor changed: an approval is none, though its etag is new.
_APPROVE = """
    UPDATE products SET document = json_set(
        document,
        '$.status', 'Approved',
        '$."@odata.etag"', 'W/"' || lower(hex(randomblob(8))) || '"'
    ) WHERE
"""


def _schema() -> Iterator[str]:
    yield (
        "CREATE TABLE IF NOT EXISTS credentials"
        " (read_only INTEGER PRIMARY KEY, app_key TEXT, secret_key TEXT)"
    )
    yield (
        "CREATE TABLE IF NOT EXISTS custom_properties"
        " (folded TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID"
    )
    for entity_set in ENTITY_SETS.values():
        yield (
            f'CREATE TABLE IF NOT EXISTS "{entity_set.name}"'
            " (id TEXT PRIMARY KEY, document TEXT NOT NULL, translations TEXT)"
        )
        for index in entity_set.indexes:
            columns = [_indexed(entity_set, name) for name in index.split()]
            yield (
                f'CREATE INDEX IF NOT EXISTS "{entity_set.name}_{index}"'
                f' ON "{entity_set.name}" ({", ".join(columns)}, id)'
            )


def _indexed(entity_set: EntitySet, name: str) -> str:
    value = field_sql(name)
    return moment_sql(value) if entity_set.kind(name) is Kind.DATE else value


def _create_credentials(connection: sqlite3.Connection) -> None:
    if connection.execute("SELECT 1 FROM credentials").fetchone():
        return
    app_key = os.environ.get("PIM_APP_KEY", "")
    secret_key = os.environ.get("PIM_SECRET_KEY", "")
    if app_key or secret_key:
        write_key = auth.configured_key(app_key, secret_key)
    else:
        write_key = auth.new_key(read_only=False)
    connection.executemany(
        "INSERT INTO credentials (read_only, app_key, secret_key) VALUES (?, ?, ?)",
        [
            (key.read_only, key.app_key, key.secret_key)
            for key in (write_key, auth.new_key(read_only=True))
        ],
    )


def _is_empty(connection: sqlite3.Connection) -> bool:
    tables = " UNION ALL ".join(f'SELECT 1 FROM "{name}"' for name in ENTITY_SETS)
    return connection.execute(f"{tables} LIMIT 1").fetchone() is None


def _record(document: str, translations: str | None) -> Record:
    record: Record = json.loads(document)
    if translations:
        record["translations"] = json.loads(translations)
    return record


def _in_language(
    language: Language | None, document: str, translation: str | None
) -> str:
    """The document as it reads in the language."""
    if language is None or not (translation or language.localizable):
        return document
    record = json.loads(document)
    for name in record:
        if name.lower() in language.localizable:
            record[name] = None
    return compact_json({**record, **json.loads(translation or "{}")})


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    remaining = iter(records)
    while batch := list(itertools.islice(remaining, _BATCH_SIZE)):
        yield batch


def _write(
    connection: sqlite3.Connection,
    entity_set: EntitySet,
    records: Iterable[Mapping[str, Any]],
) -> list[Record]:
    written = [_normalized(entity_set, record) for record in records]
    connection.executemany(
        f'INSERT OR REPLACE INTO "{entity_set.name}" (id, document, translations)'
        " VALUES (?, ?, ?)",
        (_row(record) for record in written),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO custom_properties (folded, name) VALUES (?, ?)",
        [(name.lower(), name) for name in _custom_names(entity_set, written)],
    )
    return written


def _normalized(entity_set: EntitySet, record: Mapping[str, Any]) -> Record:
    """The record with a new etag, an id, and its Guids in one spelling."""
    guids = {
        name: parse_guid(value) or value
        for name, value in record.items()
        if entity_set.kind(name) is Kind.GUID and isinstance(value, str)
    }
    return {
        **record,
        "@odata.etag": f'W/"{secrets.token_hex(8)}"',
        "id": guids.pop("id", None) or str(uuid.uuid4()),
        **guids,
    }


def _row(record: Record) -> tuple[str, str, str | None]:
    document = {key: value for key, value in record.items() if key != "translations"}
    translations = record.get("translations")
    return (
        record["id"],
        compact_json(document),
        compact_json(translations) if translations else None,
    )


def _custom_names(entity_set: EntitySet, records: Iterable[Record]) -> set[str]:
    """The names of custom properties that these records use or define."""
    if entity_set.name == "properties":
        names = {str(record.get("name")) for record in records}
    elif entity_set.is_open:
        names = {name for record in records for name in record} - {"translations"}
    else:
        return set()
    known = ENTITY_SETS["products"].properties
    return {name for name in names if name not in known and IDENTIFIER.fullmatch(name)}
