"""A field's value as an editor reads it, in place of the control to change it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final

from django.core.exceptions import FieldDoesNotExist
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.template.defaultfilters import linebreaksbr
from django.utils import formats, timezone
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from taggit.managers import TaggableManager
from wagtail.admin.admin_url_finder import AdminURLFinder
from wagtail.blocks import StreamValue
from wagtail.fields import RichTextField
from wagtail.images.models import AbstractImage
from wagtail.images.shortcuts import get_rendition_or_not_found
from wagtail.models import Page
from wagtail.rich_text import expand_db_html
from wagtail.utils.text import text_from_html

PICTURE_FILTER: Final = "max-320x200"
WEB_SCHEMES: Final = ("http://", "https://")


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
        value = getattr(instance, name)
        if value is None or value == "":
            return _nothing()
        if getattr(field, "choices", None):
            return self._scalar(_labels(field.flatchoices, value))
        return self._of_class(field, value)

    def relation(
        self, instance: models.Model, name: str, columns: Iterable[tuple[str, str]]
    ) -> SafeString:
        """Child objects as a table of (name, heading) columns."""
        columns = list(columns)
        return _table(
            [heading for _name, heading in columns],
            [
                [self.field(child, column) for column, _heading in columns]
                for child in getattr(instance, name).all()
            ],
        )

    def _of_class(self, field: Any, value: Any) -> SafeString:
        if isinstance(field, models.ForeignKey):
            return self._object(value)
        if isinstance(field, models.JSONField):
            return self._json(value)
        if isinstance(field, RichTextField):
            return format_html(
                '<div class="pim-locked__rich-text">{}</div>',
                # Sanitised when it was written, as the site's own rich text is.
                SafeString(expand_db_html(value)),
            )
        if isinstance(field, models.URLField):
            return _link(value)
        if isinstance(field, models.FileField):
            return self._scalar(value.name) if value else _nothing()
        return self._scalar(value)

    def _scalar(self, value: Any) -> SafeString:
        """A value without parts, localised."""
        if value is None or value == "":
            return _nothing()
        if isinstance(value, bool):
            return format_html("{}", _("Yes") if value else _("No"))
        if isinstance(value, datetime):
            if timezone.is_aware(value):
                value = timezone.localtime(value)
            return format_html("{}", formats.date_format(value, "DATETIME_FORMAT"))
        if isinstance(value, date):
            return format_html("{}", formats.date_format(value, "DATE_FORMAT"))
        if isinstance(value, time):
            return format_html("{}", formats.time_format(value))
        if isinstance(value, StreamValue):
            value = text_from_html(str(value))
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
        rendition = get_rendition_or_not_found(image, PICTURE_FILTER)
        url = self._urls.get_edit_url(image)
        return format_html(
            '<figure class="pim-locked__picture">{}'
            "<figcaption>{}</figcaption></figure>",
            rendition.img_tag({"alt": ""}),
            format_html('<a href="{}">{}</a>', url, image.title)
            if url
            else image.title,
        )

    def _chips(self, values: Iterable[Any]) -> SafeString:
        shown = [self._scalar(value) for value in values]
        if not shown:
            return _nothing()
        return format_html(
            '<ul class="pim-locked__chips">{}</ul>',
            format_html_join("", "<li>{}</li>", ((item,) for item in shown)),
        )

    def _json(self, value: Any) -> SafeString:
        """Specifications as a table, other lists as chips."""
        if value in ([], {}):
            return _nothing()
        if isinstance(value, Mapping):
            return _table([], [[str(k), self._part(v)] for k, v in value.items()])
        if isinstance(value, list) and all(isinstance(v, Mapping) for v in value):
            if all("value" in v and "name" in v for v in value):
                return _table(
                    [],
                    [
                        [v.get("displayName") or v["name"], self._part(v["value"])]
                        for v in value
                    ],
                )
            names = list(dict.fromkeys(str(name) for v in value for name in v))
            return _table(
                names, [[self._part(v.get(name)) for name in names] for v in value]
            )
        return self._part(value)

    def _part(self, value: Any) -> SafeString:
        """A value inside of JSON."""
        if isinstance(value, Mapping) or (
            isinstance(value, list)
            and any(isinstance(v, (Mapping, list)) for v in value)
        ):
            text = json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
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
    labels = dict(choices)
    if isinstance(value, (list, tuple)):
        return [str(labels.get(item, item)) for item in value]
    return str(labels.get(value, value))


def _label(value: models.Model) -> SafeString:
    text = value.get_admin_display_title() if isinstance(value, Page) else str(value)
    return format_html("{}", text)


def _link(address: str) -> SafeString:
    """An address of the PIM's: followed by a click, if it is of the web at all."""
    if not address.lower().startswith(WEB_SCHEMES):
        return format_html("{}", address)
    return format_html(
        '<a href="{0}" target="_blank" rel="noreferrer noopener">{0}</a>', address
    )


def _table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> SafeString:
    """A table; without headings, the first cell of each row names the row."""
    if not rows:
        return _nothing()
    head: str | SafeString = ""
    if headings:
        cells = format_html_join(
            "", '<th scope="col">{}</th>', ((text,) for text in headings)
        )
        head = format_html("<thead><tr>{}</tr></thead>", cells)
    body = []
    for row in rows:
        first, rest = (row[:0], row) if headings else (row[:1], row[1:])
        body.append(
            format_html(
                "<tr>{}{}</tr>",
                format_html_join("", '<th scope="row">{}</th>', ((c,) for c in first)),
                format_html_join("", "<td>{}</td>", ((c,) for c in rest)),
            )
        )
    return format_html(
        '<div class="pim-locked__scroll"><table class="pim-locked__table">{}'
        "<tbody>{}</tbody></table></div>",
        head,
        SafeString("".join(body)),
    )
