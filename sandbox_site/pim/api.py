"""The API below ``odata/``: from a signed request to its answer."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl, quote, unquote, urlencode

from . import products
from .auth import Authenticator
from .data import Record, with_absolute_urls
from .errors import ConflictError, MissingReferenceError, ODataError
from .messages import (
    Request,
    Response,
    compact_json,
    json_response,
    json_text_response,
)
from .odata import Language, Query, parse_query
from .schema import ENTITY_SETS, EntitySet, invalid_properties, parse_guid
from .store import Row, Store

ROOT = "/odata/"

_SET_OR_RECORD = re.compile(r"(?P<name>\w+)(?:\((?P<key>[^()]*)\))?")
_PRODUCTS_IN_LANGUAGE = re.compile(
    r"(?P<name>products)/GetInternal\(notificationId=null,languageId=(?P<key>[^,()]+),"
    r"isShowOnlyProductsMissingTranslations=false\)"
)
# Ours, in the likeness of the one above.
_IN_LANGUAGE = re.compile(
    r"(?P<name>(?!products/)\w+)/GetInternal\(languageId=(?P<key>[^,()]+)\)"
)


class Api:
    """Answers requests to the OData root.

    ``environment`` is the Active Publishing Environment; None makes this a PIM that
    does not serve its settings.
    """

    def __init__(self, store: Store, environment: str | None) -> None:
        self.environment = environment
        self._store = store
        self._authenticator = Authenticator(store.credentials())

    def authenticate(self, request: Request) -> None:
        self._authenticator.authenticate(request)

    def handle(self, request: Request) -> Response:
        path = unquote(request.path).removeprefix(ROOT)
        if path == "settings":
            return self._settings(request)
        in_language = _PRODUCTS_IN_LANGUAGE.fullmatch(path) or _IN_LANGUAGE.fullmatch(
            path
        )
        match = in_language or _SET_OR_RECORD.fullmatch(path)
        entity_set = ENTITY_SETS.get(match["name"]) if match else None
        if match is None or entity_set is None:
            raise ODataError(404, "NotFound", f"There is no resource '{path}'.")
        if in_language:
            _allow(request, {"GET"})
            language = self._language(entity_set, match["key"])
            return self._list(request, entity_set, language)
        if match["key"] is None:
            _allow(request, {"GET"} | (entity_set.methods & {"POST"}))
            if request.method == "POST":
                return self._create(request, entity_set)
            return self._list(request, entity_set)
        _allow(request, {"GET"} | (entity_set.methods & {"PATCH"}))
        key = parse_guid(match["key"])
        if key is None:
            raise ODataError(400, "InvalidKey", f"'{match['key']}' is not a Guid.")
        if request.method == "PATCH":
            return self._update(request, entity_set, key)
        return self._read(request, entity_set, key)

    def _settings(self, request: Request) -> Response:
        _allow(request, {"GET"})
        if self.environment is None:
            raise ODataError(404, "NotFound", "This PIM does not serve its settings.")
        return json_response(200, {"activePublishingEnvironment": self.environment})

    def _language(self, entity_set: EntitySet, key: str) -> Language | None:
        """The language of this key; None for the default one."""
        if key == "null":
            return None
        language = self._store.get("languages", key)
        if language is None:
            raise ODataError(400, "UnknownLanguage", f"There is no language '{key}'.")
        if language.get("isDefault"):
            return None
        # Properties are of products: of the rest nothing says what is localizable.
        names = self._store.localizable_names() if entity_set.is_open else frozenset()
        return Language(str(language["languageCode"]), names)

    # Reading

    def _list(
        self,
        request: Request,
        entity_set: EntitySet,
        language: Language | None = None,
    ) -> Response:
        query = parse_query(
            entity_set, request.query, self._store.property_names, language
        )
        page = self._store.page(entity_set, query)
        head: dict[str, Any] = {"@odata.context": _context(request, entity_set)}
        if page.count is not None:
            head["@odata.count"] = page.count
        if query.top is None and len(page.rows) == query.limit:
            head["@odata.nextLink"] = _next_link(request, query)
        records = ",".join(self._wire(request, entity_set, query, page.rows))
        text = f'{compact_json(head)[:-1]},"value":[{records}]}}'
        return json_text_response(200, text)

    def _read(self, request: Request, entity_set: EntitySet, id: str) -> Response:
        options = {name for name, _ in parse_qsl(request.query)}
        if options - {"$select", "$expand"}:
            raise ODataError(
                400, "InvalidQuery", "One record takes $select and $expand only."
            )
        query = parse_query(entity_set, request.query, self._store.property_names)
        return self._record(request, entity_set, id, query)

    def _record(
        self,
        request: Request,
        entity_set: EntitySet,
        id: str,
        query: Query,
        status: int = 200,
    ) -> Response:
        record = self._store.get(entity_set.name, id)
        if record is None:
            _raise_gone(entity_set, id)
        record.pop("translations", None)
        rows = [Row(id, compact_json(record))]
        (text,) = self._wire(request, entity_set, query, rows)
        context = f"{_context(request, entity_set)}/$entity"
        headers = {"ETag": record["@odata.etag"]}
        if status == 201:
            url = f"{request.base_url}{ROOT}{entity_set.name}({id})"
            headers["Location"] = url
        text = f"{compact_json({'@odata.context': context})[:-1]},{text[1:]}"
        return json_text_response(status, text, headers)

    def _wire(
        self,
        request: Request,
        entity_set: EntitySet,
        query: Query,
        rows: list[Row],
    ) -> Iterator[str]:
        """The records as text, untouched where the request asks for nothing more."""
        documents = [row.document for row in rows]
        selects = query.select is not None
        if selects or entity_set.embedded or entity_set.name == "assets":
            records = (_selected(entity_set, query, json.loads(d)) for d in documents)
            documents = [
                compact_json(with_absolute_urls(record, request.base_url))
                for record in records
            ]
        related = {
            name: self._store.related(
                entity_set.navigation[name], [row.id for row in rows]
            )
            for name in query.expand
            if name in entity_set.navigation
        }
        for row, document in zip(rows, documents, strict=True):
            collections = (
                f',"{name}":[{",".join(rows_by_id.get(row.id, ()))}]'
                for name, rows_by_id in related.items()
            )
            yield f"{document[:-1]}{''.join(collections)}}}"

    # Writing

    def _create(self, request: Request, entity_set: EntitySet) -> Response:
        record = _body(request, entity_set)
        _require(entity_set, {**dict.fromkeys(entity_set.required), **record})
        moment = products.now()
        try:
            created = self._store.insert(
                entity_set.name, {"createdOn": moment, "modifiedOn": moment, **record}
            )
        except ConflictError as conflict:
            raise ODataError(409, "Conflict", str(conflict)) from conflict
        except MissingReferenceError as error:
            raise _unknown_reference(error) from error
        return self._record(request, entity_set, created["id"], Query(), status=201)

    def _update(self, request: Request, entity_set: EntitySet, id: str) -> Response:
        changes = _body(request, entity_set)
        _require(entity_set, changes)
        if parse_guid(str(changes.pop("id", id))) != id:
            raise ODataError(400, "InvalidProperty", "The id cannot be changed.")

        def change(record: Record) -> Mapping[str, Any]:
            _check_etag(request, record)
            if entity_set.name == "products":
                return products.patched(record, changes)
            return {**changes, "modifiedOn": products.now()}

        try:
            updated = self._store.update(entity_set.name, id, change)
        except MissingReferenceError as error:
            raise _unknown_reference(error) from error
        if updated is None:
            _raise_gone(entity_set, id)
        if "return=representation" in request.headers.get("Prefer", ""):
            return self._record(request, entity_set, id, Query())
        return Response(204, headers={"ETag": updated["@odata.etag"]})


def _allow(request: Request, methods: set[str]) -> None:
    if request.method not in methods:
        allowed = ", ".join(sorted(methods))
        raise ODataError(
            405, "MethodNotAllowed", f"Allowed here: {allowed}.", {"Allow": allowed}
        )


def _raise_gone(entity_set: EntitySet, id: str) -> NoReturn:
    raise ODataError(404, "NotFound", f"There is no {entity_set.name}({id}).")


def _require(entity_set: EntitySet, values: Mapping[str, Any]) -> None:
    """Refuse values that leave a required property without one."""
    for name in entity_set.required:
        if name in values and not str(values[name] or "").strip():
            raise ODataError(400, "MissingProperty", f"'{name}' is required.")


def _unknown_reference(error: MissingReferenceError) -> ODataError:
    return ODataError(400, "UnknownReference", str(error))


def _check_etag(request: Request, record: Record) -> None:
    expected = request.headers.get("If-Match")
    if expected is None:
        return
    etags = [etag.strip() for etag in expected.split(",")]
    if "*" not in etags and record["@odata.etag"] not in etags:
        raise ODataError(
            412, "PreconditionFailed", "The record is not the one of If-Match any more."
        )


def _body(request: Request, entity_set: EntitySet) -> Record:
    """The record in the body, each of its properties of the right type."""
    try:
        record = json.loads(request.body, parse_constant=_refuse_constant)
        json.dumps(record, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ODataError(
            400, "InvalidBody", f"The body is not valid JSON: {error}"
        ) from error
    if not isinstance(record, dict):
        raise ODataError(400, "InvalidBody", "The body must be a JSON object.")
    record.pop("@odata.etag", None)
    for problem in invalid_properties(entity_set, record):
        raise ODataError(400, "InvalidProperty", problem)
    return record


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _selected(entity_set: EntitySet, query: Query, record: Record) -> Record:
    hidden = entity_set.embedded.difference(query.expand)
    kept = record.keys() - hidden
    if query.select is not None:
        kept &= query.select.union(query.expand, ["@odata.etag"])
    return {name: value for name, value in record.items() if name in kept}


def _context(request: Request, entity_set: EntitySet) -> str:
    return f"{request.base_url}{ROOT}$metadata#{entity_set.name}"


def _next_link(request: Request, query: Query) -> str:
    """The address of the next page.

    It counts records, as ASP.NET services do: a client that changes what it pages
    over skips some, here as there.
    """
    options = dict(parse_qsl(request.query))
    options["$skip"] = str(query.skip + query.limit)
    encoded = urlencode(options, quote_via=quote, safe="$")
    return f"{request.base_url}{request.path}?{encoded}"
