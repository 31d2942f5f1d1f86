"""A field's value as an editor reads it, in place of the control to change it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import Any, Final

from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.template.defaultfilters import linebreaksbr
from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from taggit.managers import TaggableManager
from wagtail.admin.admin_url_finder import AdminURLFinder
from wagtail.blocks import StreamValue
from wagtail.fields import RichTextField
from wagtail.images.models import AbstractImage, SourceImageIOError
from wagtail.models import Page
from wagtail.rich_text import expand_db_html

from wagtail_pim.sanitizing import clean_html

PICTURE_FILTER: Final = "max-320x200"
WEB_PREFIXES: Final = ("http://", "https://")
# Of a longer list the editor is told how much is left out.
SHOWN_ITEMS: Final = 200
# What would be wider than this is shown as JSON.
SHOWN_COLUMNS: Final = 12


class ValueDisplay:
    """Shows values to one user, who gets links to what that user may edit."""

    def __init__(self, user: Any = None) -> None:
        self._user = user

    @cached_property
    def _urls(self) -> AdminURLFinder:
        return AdminURLFinder(self._user)

    def field(self, instance: models.Model, name: str) -> SafeString:
        """The value of a field, or of a plain attribute where there is no field."""
        try:
            field = type(instance)._meta.get_field(name)
        except FieldDoesNotExist:
            return self._scalar(getattr(instance, name, None))
        if isinstance(field, TaggableManager) or field.many_to_many:
            return self._chips(getattr(instance, name).all())
        if field.one_to_many:
            return self._chips(getattr(instance, _accessor(field)).all())
        try:
            value = getattr(instance, name)
        except ObjectDoesNotExist:
            # A key that the database does not check, of an object that is gone.
            value = None
        if value is None or value == "":
            return _nothing()
        if getattr(field, "choices", None):
            return self._scalar(_labels(field.flatchoices, value))
        return self._of_class(field, value)

    def fields(
        self, instance: models.Model, names: Iterable[tuple[str, str]]
    ) -> SafeString:
        """Several values as a table with a row for each (name, heading)."""
        return _table(
            [], list(names), lambda pair: [pair[1], self.field(instance, pair[0])]
        )

    def relation(
        self, instance: models.Model, name: str, columns: Iterable[tuple[str, str]]
    ) -> SafeString:
        """Child objects as a table of (name, heading) columns."""
        columns = list(columns)
        children = getattr(instance, name).all()
        if isinstance(children, models.QuerySet):
            children = _with_targets(children, [column for column, _head in columns])
        return _table(
            [heading for _name, heading in columns],
            list(children),
            lambda child: [self.field(child, column) for column, _head in columns],
        )

    def _of_class(self, field: Any, value: Any) -> SafeString:
        if isinstance(field, models.ForeignKey):
            return self._object(value)
        if isinstance(field, models.JSONField):
            return self._json(value)
        if isinstance(field, RichTextField):
            return _rich_text(expand_db_html(value))
        if isinstance(field, models.URLField):
            return _link(value)
        if isinstance(field, models.FileField):
            return self._scalar(value.name)
        return self._scalar(value)

    def _scalar(self, value: Any) -> SafeString:
        """A value without parts, localised."""
        if value is None or value == "":
            return _nothing()
        if isinstance(value, bool):
            return format_html("{}", _("Yes") if value else _("No"))
        if isinstance(value, datetime):
            if timezone.is_aware(value):
                # The last and the first days of all time have no local time.
                with suppress(OverflowError):
                    value = timezone.localtime(value)
            return format_html("{}", formats.date_format(value, "DATETIME_FORMAT"))
        if isinstance(value, date):
            return format_html("{}", formats.date_format(value, "DATE_FORMAT"))
        if isinstance(value, time):
            return format_html("{}", formats.time_format(value))
        if isinstance(value, StreamValue):
            return _rich_text(str(value))
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._chips(value)
        if isinstance(value, models.Model):
            return self._object(value)
        return linebreaksbr(str(formats.localize(value)), autoescape=True)

    def _object(self, value: models.Model) -> SafeString:
        if isinstance(value, AbstractImage):
            return self._picture(value)
        label = _label(value)
        url = self._urls.get_edit_url(value)
        return format_html('<a href="{}">{}</a>', url, label) if url else label

    def _picture(self, image: AbstractImage) -> SafeString:
        try:
            picture = image.get_rendition(PICTURE_FILTER).img_tag(
                {"alt": "", "loading": "lazy"}
            )
        except (SourceImageIOError, OSError):
            picture = format_html(
                '<p class="pim-locked__missing">{}</p>',
                _("The file of this image is missing or broken."),
            )
        url = self._urls.get_edit_url(image)
        title = str(image.title)
        return format_html(
            '<figure class="pim-locked__picture">{}'
            "<figcaption>{}</figcaption></figure>",
            picture,
            format_html('<a href="{}">{}</a>', url, title) if url else title,
        )

    def _chips(self, values: Iterable[Any]) -> SafeString:
        values = list(values)
        if not values:
            return _nothing()
        return format_html(
            '<ul class="pim-locked__chips">{}</ul>{}',
            format_html_join(
                "", "<li>{}</li>", ((self._part(v),) for v in values[:SHOWN_ITEMS])
            ),
            _left_out(values),
        )

    def _json(self, value: Any) -> SafeString:
        """Specifications as a table, other lists as chips."""
        if value in ([], {}):
            return _nothing()
        if isinstance(value, Mapping):
            return _table(
                [], list(value.items()), lambda pair: [pair[0], self._part(pair[1])]
            )
        if isinstance(value, list) and all(isinstance(v, Mapping) for v in value):
            if all("value" in v and "name" in v for v in value):
                return _table([], value, self._specification)
            names = list(dict.fromkeys(name for v in value for name in v))
            if len(names) <= SHOWN_COLUMNS:
                return _table(
                    names, value, lambda v: [self._part(v.get(name)) for name in names]
                )
        return self._part(value)

    def _specification(self, entry: Mapping[str, Any]) -> list[SafeString]:
        """Label and value of one property of the PIM."""
        label = self._part(entry.get("displayName") or entry["name"])
        return [label, self._specified(entry)]

    def _specified(self, entry: Mapping[str, Any]) -> SafeString:
        """The value of one property of the PIM, which says of which kind it is."""
        value = entry["value"]
        if not isinstance(value, str) or not value:
            return self._part(value)
        if str(entry.get("controlType")).casefold() == "html":
            return _rich_text(value)
        if "date" in str(entry.get("type")).casefold():
            return self._scalar(_moment(value))
        return self._scalar(value)

    def _part(self, value: Any) -> SafeString:
        """A value inside of JSON, or of a list."""
        if isinstance(value, Mapping) or (
            isinstance(value, list)
            and any(isinstance(v, (Mapping, list)) for v in value)
        ):
            try:
                text = json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
            except RecursionError:
                return format_html("{}", _("Nested too deeply to be shown."))
            return format_html("<code>{}</code>", text)
        return self._scalar(value)


def _nothing() -> SafeString:
    return format_html(
        '<span class="pim-locked__nothing" aria-hidden="true">–</span>'
        '<span class="w-sr-only">{}</span>',
        _("Empty"),
    )


def _labels(choices: Iterable[tuple[Any, Any]], value: Any) -> Any:
    """The choices' labels; what is no choice stands for itself."""
    labels = {str(choice): str(label) for choice, label in choices}
    if isinstance(value, (list, tuple)):
        return [labels.get(str(item), item) for item in value]
    return labels.get(str(value), value)


def _accessor(relation: Any) -> str:
    """Under which name the model has the objects of a relation to many."""
    get = getattr(relation, "get_accessor_name", None)
    return get() if get else relation.name


def _with_targets(
    children: models.QuerySet[Any], columns: Iterable[str]
) -> models.QuerySet[Any]:
    """The children together with what they point to, in one query."""
    keys = [
        field.name
        for field in children.model._meta.concrete_fields
        if field.name in columns and isinstance(field, models.ForeignKey)
    ]
    return children.select_related(*keys) if keys else children


def _moment(value: str) -> Any:
    """The time behind the PIM's ISO 8601 text; midnight is that of a date alone."""
    try:
        moment = parse_datetime(value)
    except ValueError:
        return value
    if moment is None:
        return value
    if timezone.is_naive(moment):
        moment = moment.replace(tzinfo=UTC)
    return moment.date() if moment.time() == time() else moment


def _rich_text(html: str) -> SafeString:
    """Formatted text; sanitised here as well, for nobody knows who wrote the row."""
    cleaned = clean_html(html)
    if not cleaned:
        return _nothing()
    return format_html(
        '<div class="pim-locked__rich-text">{}</div>', SafeString(cleaned)
    )


def _left_out(items: Sequence[Any]) -> SafeString | str:
    count = len(items) - SHOWN_ITEMS
    if count <= 0:
        return ""
    text = ngettext("and %(count)s more", "and %(count)s more", count)
    return format_html(
        '<p class="pim-locked__more">{}</p>', text % {"count": formats.localize(count)}
    )


def _label(value: models.Model) -> SafeString:
    text = value.get_admin_display_title() if isinstance(value, Page) else str(value)
    return format_html("{}", text)


def _link(address: str) -> SafeString:
    """An address of the PIM's: followed by a click, if it is of the web at all."""
    if not address.lower().startswith(WEB_PREFIXES):
        return format_html("{}", address)
    return format_html(
        '<a href="{0}" target="_blank" rel="noreferrer noopener">{0}</a>', address
    )


def _table(
    headings: Sequence[str],
    items: Sequence[Any],
    cells: Callable[[Any], Sequence[Any]],
) -> SafeString:
    """A row of cells for each item; without headings, the first cell names the row."""
    if not items:
        return _nothing()
    head: str | SafeString = ""
    if headings:
        head = format_html(
            "<thead><tr>{}</tr></thead>",
            format_html_join(
                "", '<th scope="col">{}</th>', ((text,) for text in headings)
            ),
        )
    body = []
    for row in map(cells, items[:SHOWN_ITEMS]):
        first, rest = (row[:0], row) if headings else (row[:1], row[1:])
        body.append(
            format_html(
                "<tr>{}{}</tr>",
                format_html_join("", '<th scope="row">{}</th>', ((c,) for c in first)),
                format_html_join("", "<td>{}</td>", ((c,) for c in rest)),
            )
        )
    return format_html(
        '<table class="pim-locked__table">{}<tbody>{}</tbody></table>{}',
        head,
        SafeString("".join(body)),
        _left_out(items),
    )
