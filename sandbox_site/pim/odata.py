"""OData query options, translated to SQL over JSON documents.

A record is one row ``(id, document, translations)`` of the table of its entity set.
Values of the client reach SQL as parameters only; names reach it only if they are
names of properties that the set has.
"""

import copy
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from odata_query import ast
from odata_query.grammar import ODataLexer, ODataParser
from sly.lex import Token

from .errors import ODataError
from .schema import ENTITY_SETS, EntitySet, Kind, is_moment

PAGE_SIZE = 1000
"""How many records a page has when the client does not say ``$top``."""

_MAX_INTEGER = 2**31 - 1

# SQLite cannot read more.
_MAX_FILTER_DEPTH = 16
_MAX_FILTER_TERMS = 500

NamesOf = Callable[[EntitySet], Mapping[str, str]]
"""Gives a set's property names, by their case-folded spelling."""


@dataclass(frozen=True)
class Language:
    """The language that records are read in.

    A translation stands in the place of the default language's value. ``localizable``
    are the names, in lower case, of the properties that are null without one.
    """

    code: str
    localizable: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Query:
    """The options of one request, ready for SQL. The table's alias is ``it``."""

    where: str = "TRUE"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    order_by: str = "it.id"
    top: int | None = None
    skip: int = 0
    count: bool = False
    select: frozenset[str] | None = None
    expand: tuple[str, ...] = ()
    language: Language | None = None

    @property
    def limit(self) -> int:
        return PAGE_SIZE if self.top is None else self.top


TRANSLATION = "(SELECT value FROM json_each(it.translations) WHERE key = :language)"
"""What a record says in the language of the parameter, or NULL."""


def field_sql(name: str, document: str = "document") -> str:
    """A property's value. Spelt one way only, or SQLite would not use the indexes."""
    return f"json_extract({document}, '$.\"{name}\"')"


def moment_sql(sql: str) -> str:
    """A date as a moment, whatever its zone. Spelt one way only, for the indexes."""
    return f"julianday({sql})"


def parse_query(
    entity_set: EntitySet,
    raw_query: str,
    names_of: NamesOf,
    language: Language | None = None,
) -> Query:
    """The options of a raw query string, or an ODataError that says what is wrong.

    With a language, text is filtered and ordered by its translation.
    """
    options = _options(raw_query)
    names_of = functools.cache(names_of)
    names = names_of(entity_set)
    translator = _FilterTranslator(entity_set, names_of, language)
    where = translator.translate(options["$filter"]) if "$filter" in options else "TRUE"
    return Query(
        where=where,
        parameters=translator.parameters,
        order_by=", ".join([*_order(options.get("$orderby", ""), translator), "it.id"]),
        top=_integer(options, "$top") if "$top" in options else None,
        skip=_integer(options, "$skip") if "$skip" in options else 0,
        count=_boolean(options, "$count") if "$count" in options else False,
        select=_select(options.get("$select", "*"), entity_set, names),
        expand=tuple(_expand(options.get("$expand", ""), entity_set)),
        language=language,
    )


_OPTIONS = frozenset(
    {"$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$count"}
)


def _options(raw_query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in parse_qsl(raw_query, keep_blank_values=True):
        if name not in _OPTIONS:
            raise _invalid(f"The query option '{name}' is unknown.")
        if name in options:
            raise _invalid(f"The query option '{name}' stands twice.")
        if not value.strip():
            raise _invalid(f"The query option '{name}' is empty.")
        options[name] = value.strip()
    return options


def _integer(options: Mapping[str, str], name: str) -> int:
    text = options[name]
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > _MAX_INTEGER:
        raise _invalid(f"'{name}' must be a whole number from 0 to {_MAX_INTEGER}.")
    return int(text)


def _boolean(options: Mapping[str, str], name: str) -> bool:
    if options[name] not in ("true", "false"):
        raise _invalid(f"'{name}' must be true or false.")
    return options[name] == "true"


def _select(
    text: str, entity_set: EntitySet, names: Mapping[str, str]
) -> frozenset[str] | None:
    """The names of the properties to keep, or None for all."""
    selected = _list(text)
    if "*" in selected:
        return None
    return frozenset(
        resolve(name, entity_set, names)
        for name in selected
        if _navigation_name(entity_set, name) is None
    )


def _expand(text: str, entity_set: EntitySet) -> Iterator[str]:
    if re.search(r"\(\s*\$expand", text, re.IGNORECASE):
        # The service has this fault: whoever sends it must learn of it here.
        raise ODataError(
            500, "InternalServerError", "An $expand inside a collection failed."
        )
    for name in _list(text):
        navigation = _navigation_name(entity_set, name)
        if navigation is None:
            raise _invalid(f"{entity_set.name} cannot expand '{name}'.")
        yield navigation


def _navigation_name(entity_set: EntitySet, name: str) -> str | None:
    names = [*entity_set.navigation, *entity_set.embedded]
    return next((known for known in names if known.lower() == name.lower()), None)


def _order(text: str, translator: "_FilterTranslator") -> Iterator[str]:
    for item in _list(text):
        match = re.fullmatch(r"(\w+)(?:\s+(asc|desc))?", item)
        if match is None:
            raise _invalid(f"'{item}' is not an order.")
        yield f"{translator.order_by(match[1])} {match[2] or 'asc'}"


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",")] if text else []


def resolve(name: str, entity_set: EntitySet, names: Mapping[str, str]) -> str:
    """The spelling in which the set has a property that a client named."""
    try:
        return names[name.lower()]
    except KeyError:
        message = f"{entity_set.name} has no property '{name}'."
        raise _invalid(message) from None


def _invalid(message: str) -> ODataError:
    return ODataError(400, "InvalidQuery", message)


def _whole_word(rule: Any) -> Any:
    """The rule of a token, that no longer matches the beginning of a longer name."""

    def action(lexer: ODataLexer, token: Token) -> Token:
        return rule(lexer, token)

    action.pattern = rf"(?:{rule.pattern})\b"  # type: ignore[attr-defined]
    return action


class _Lexer(ODataLexer):
    """Reads ``allergens`` and ``trueColor`` as names, not as ``all`` and ``true``."""

    tokens = ODataLexer.tokens
    NULL = _whole_word(ODataLexer.NULL)
    BOOLEAN = _whole_word(ODataLexer.BOOLEAN)
    ANY = _whole_word(ODataLexer.ANY)
    ALL = _whole_word(ODataLexer.ALL)


def _tokens(text: str) -> Iterator[Token]:
    """The tokens of a filter; ``in (x)`` as ``in (x,)``, the parser's spelling."""
    items_in_list: int | None = None
    for token in _Lexer().tokenize(text):
        if token.type == "IN":
            items_in_list = 1
        elif token.type == "," and items_in_list is not None:
            items_in_list += 1
        elif token.type == ")":
            if items_in_list == 1:
                yield _comma_before(token)
            items_in_list = None
        yield token


def _comma_before(token: Token) -> Token:
    comma = copy.copy(token)
    comma.type = comma.value = ","
    return comma


@dataclass(frozen=True)
class _Operand:
    """A piece of SQL and the type of its value; ``None`` is the type of null."""

    sql: str
    kind: Kind | None


@dataclass(frozen=True)
class _Scope:
    """The records that names refer to: those of the set, or of a lambda's rows."""

    entity_set: EntitySet
    alias: str


_COMPARATORS: Mapping[type[ast._Comparator], str] = {
    ast.Eq: "IS",
    ast.NotEq: "IS NOT",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}

_TEXT_FUNCTIONS: Mapping[str, str] = {
    "contains": "instr({0}, {1}) > 0",
    "startswith": "substr({0}, 1, length({1})) = {1}",
    "endswith": "substr({0}, length({0}) - length({1}) + 1) = {1}",
}

_SQL_TYPES: Mapping[Kind, str] = {
    Kind.STRING: "'text'",
    Kind.GUID: "'text'",
    Kind.DATE: "'text'",
    Kind.NUMBER: "'integer', 'real'",
    Kind.BOOLEAN: "'integer'",
}
"""The types that SQLite gives the values of JSON."""


class _FilterTranslator:
    """Translates a ``$filter``; gathers its values in ``parameters``."""

    def __init__(
        self, entity_set: EntitySet, names_of: NamesOf, language: Language | None
    ) -> None:
        self.parameters: dict[str, Any] = {}
        if language:
            self.parameters["language"] = language.code
        self._language = language
        self._names_of = names_of
        self._root = _Scope(entity_set, "it")
        # Inside of an any: the name of its variable, and the rows it stands for.
        self._variable = ""
        self._related = self._root
        self._depth = 0

    def translate(self, text: str) -> str:
        try:
            node = ODataParser().parse(_tokens(text))
        except Exception as error:
            # On some nonsense the library raises other errors than its own.
            raise _invalid(f"The filter cannot be read: {error}") from error
        return self._condition(node)

    def order_by(self, name: str) -> str:
        operand = self._property(self._root, name)
        if operand.kind is Kind.STRINGS:
            raise _invalid(f"Records cannot be ordered by '{name}'.")
        return _comparable(operand, operand.kind)

    def _condition(self, node: ast._Node) -> str:
        operand = self._operand(node)
        if operand.kind not in (Kind.BOOLEAN, Kind.DYNAMIC):
            raise _invalid("A condition must be true or false.")
        return _comparable(operand, Kind.BOOLEAN)

    def _operand(self, node: ast._Node) -> _Operand:
        self._depth += 1
        if self._depth > _MAX_FILTER_DEPTH:
            raise _invalid("The filter is nested too deeply.")
        try:
            return self._translate(node)
        finally:
            self._depth -= 1

    def _translate(self, node: ast._Node) -> _Operand:
        match node:
            case ast.BoolOp(op=operator):
                word = " AND " if isinstance(operator, ast.And) else " OR "
                terms = [self._condition(term) for term in _terms(node)]
                return _Operand(f"({word.join(terms)})", Kind.BOOLEAN)
            case ast.UnaryOp(op=ast.Not(), operand=negated):
                # A comparison with null is false in OData, and unknown in SQL.
                sql = f"NOT coalesce({self._condition(negated)}, FALSE)"
                return _Operand(sql, Kind.BOOLEAN)
            case ast.Compare(comparator=ast.In(), left=left, right=ast.List(val=items)):
                return self._in(self._operand(left), items)
            case ast.Compare(comparator=comparator, left=left, right=right):
                return self._compare(comparator, left, right)
            case ast.CollectionLambda(owner=ast.Identifier(name=name)):
                return self._any(name, node)
            case ast.Identifier(name=name, namespace=()):
                return self._property(self._root, name)
            case ast.Attribute(owner=ast.Identifier(name=self._variable), attr=name):
                return self._property(self._related, name)
            case ast.Call(func=ast.Identifier(name=name), args=arguments):
                return self._call(name, arguments)
            case ast._Literal():
                return self._literal(node)
        raise _invalid(f"The filter has a part that is not supported: {node}")

    def _in(self, left: _Operand, items: Iterable[ast._Node]) -> _Operand:
        pairs = [_same_kind(left, self._operand(item)) for item in items]
        values = ", ".join(value for _, value in pairs)
        return _Operand(f"({pairs[0][0]} IN ({values}))", Kind.BOOLEAN)

    def _compare(
        self, comparator: ast._Comparator, left: ast._Node, right: ast._Node
    ) -> _Operand:
        word = _COMPARATORS.get(type(comparator))
        if word is None:
            raise _invalid("'in' needs a list in parentheses.")
        left_sql, right_sql = _same_kind(self._operand(left), self._operand(right))
        return _Operand(f"({left_sql} {word} {right_sql})", Kind.BOOLEAN)

    def _call(self, name: str, arguments: list[ast._Node]) -> _Operand:
        template = _TEXT_FUNCTIONS.get(name)
        if template is None:
            raise _invalid(f"The function '{name}' is not supported.")
        operands = [self._operand(argument) for argument in arguments]
        if any(each.kind not in (Kind.STRING, Kind.DYNAMIC) for each in operands):
            raise _invalid(f"The function '{name}' takes text.")
        values = [_comparable(operand, Kind.STRING) for operand in operands]
        return _Operand(f"({template.format(*values)})", Kind.BOOLEAN)

    def _any(self, name: str, node: ast.CollectionLambda) -> _Operand:
        navigation_name = _navigation_name(self._root.entity_set, name)
        navigation = self._root.entity_set.navigation.get(navigation_name or "")
        if navigation is None or not isinstance(node.operator, ast.Any):
            raise _invalid(f"'{name}' cannot be asked for any or all of its rows.")
        if self._variable:
            raise _invalid("One any inside another is not supported.")
        condition = "TRUE"
        if node.lambda_ is not None:
            self._variable = node.lambda_.identifier.name
            self._related = _Scope(ENTITY_SETS[navigation.target], "related")
            condition = self._condition(node.lambda_.expression)
            self._variable = ""
        key = field_sql(navigation.foreign_key, "related.document")
        # The plus takes the column's affinity away, which would bar the index.
        sql = (
            f'EXISTS (SELECT 1 FROM "{navigation.target}" AS related'
            f" WHERE {key} = +it.id AND {condition})"
        )
        return _Operand(sql, Kind.BOOLEAN)

    def _property(self, scope: _Scope, name: str) -> _Operand:
        name = resolve(name, scope.entity_set, self._names_of(scope.entity_set))
        kind = scope.entity_set.kind(name)
        if name == "id":
            return _Operand(f"{scope.alias}.id", kind)
        value = field_sql(name, f"{scope.alias}.document")
        # What has an index is a code, the same in all languages.
        is_code = name in scope.entity_set.indexes
        is_text = kind in (Kind.STRING, Kind.DYNAMIC) and not is_code
        if self._language and is_text and scope is self._root:
            translation = field_sql(name, TRANSLATION)
            if name.lower() in self._language.localizable:
                value = translation
            else:
                value = f"coalesce({translation}, {value})"
        return _Operand(value, kind)

    def _literal(self, node: ast._Node) -> _Operand:
        match node:
            case ast.Null():
                return _Operand("NULL", None)
            case ast.String(val=text):
                return self._parameter(text, Kind.STRING)
            case ast.GUID(val=text):
                return self._parameter(text.lower(), Kind.GUID)
            case ast.Boolean(py_val=truth):
                return _Operand("TRUE" if truth else "FALSE", Kind.BOOLEAN)
            case ast.Integer(val=text) | ast.Float(val=text):
                return self._parameter(_number(text), Kind.NUMBER)
            case ast.DateTime(val=text) if is_moment(text.upper()):
                return self._parameter(text.upper(), Kind.DATE)
        raise _invalid(f"The value {getattr(node, 'val', node)} is not supported.")

    def _parameter(self, value: Any, kind: Kind) -> _Operand:
        name = f"value{len(self.parameters)}"
        self.parameters[name] = value
        return _Operand(f":{name}", kind)


def _terms(node: ast.BoolOp) -> list[ast._Node]:
    """The terms of ``a or b or c``, which the parser gives as ``(a or b) or c``."""
    terms: list[ast._Node] = []
    rest: ast._Node = node
    while isinstance(rest, ast.BoolOp) and rest.op == node.op:
        terms.append(rest.right)
        rest = rest.left
    if len(terms) >= _MAX_FILTER_TERMS:
        raise _invalid("The filter has too many terms.")
    return [rest, *reversed(terms)]


def _number(text: str) -> int | float:
    """A number that SQLite can hold."""
    number = float(text)
    if abs(number) >= 2**63 or "." in text or "e" in text.lower():
        return number
    return int(text)


def _same_kind(left: _Operand, right: _Operand) -> tuple[str, str]:
    """Both sides of a comparison as SQL, if their types can be compared."""
    kinds = {
        Kind.NUMBER if operand.kind is Kind.INTEGER else operand.kind
        for operand in (left, right)
    } - {None}
    if len(kinds) > 1:
        kinds -= {Kind.DYNAMIC}
    if len(kinds) > 1 or Kind.STRINGS in kinds:
        joined = " and ".join(f"{operand.kind}" for operand in (left, right))
        raise _invalid(f"Values of the types {joined} cannot be compared.")
    kind = next(iter(kinds), None)
    return _comparable(left, kind), _comparable(right, kind)


def _comparable(operand: _Operand, kind: Kind | None) -> str:
    """The SQL of a value, for a comparison in which values are of this kind.

    Dates are compared as moments. A custom property of another type than the value
    that it is compared with counts as null: SQLite alone would rank any text above
    any number.
    """
    sql = operand.sql
    types = _SQL_TYPES.get(kind) if kind else None
    if operand.kind is Kind.DYNAMIC and types:
        sql = f"CASE WHEN typeof({sql}) IN ({types}) THEN {sql} END"
    return moment_sql(sql) if kind is Kind.DATE else sql
