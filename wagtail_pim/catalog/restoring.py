"""All that stands on a page, kept as JSON; and the page made again of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import uuid4

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils.translation import gettext as _
from modelcluster.fields import ParentalManyToManyField
from modelcluster.models import get_all_child_relations
from taggit.managers import TaggableManager
from wagtail.models import (
    COMMENTS_RELATION_NAME,
    Locale,
    Page,
    PageViewRestriction,
    Site,
)

from wagtail_pim.exceptions import PimError
from wagtail_pim.models import JobRunItem, PimLink

from . import bulk
from .slugs import SlugAllocator

# What a page has by being this very page, at its place and in its state.
OF_THE_ROW: Final = (
    "pk",
    "path",
    "depth",
    "numchild",
    "url_path",
    "content_type",
    "alias_of",
    "locale",
    "live",
    "expired",
    "has_unpublished_changes",
    "locked",
    "locked_at",
    "locked_by",
    "latest_revision",
    "latest_revision_created_at",
    "live_revision",
    "first_published_at",
    "last_published_at",
)


class NotRestorableError(PimError):
    """The page can't be made again of what was kept, or not there."""

    code = "not_restorable"


# Keeping


def page_content(page: Page) -> dict[str, Any]:
    """All that stands on the page, its child relations and its draft, as JSON has it.

    ``page`` is the specific page.
    """
    parent = page.get_parent()
    link = PimLink.objects.filter(page=parent).first()
    draft = page.latest_revision if page.has_unpublished_changes else None
    content = {
        "model": page._meta.label_lower,
        "page": page.pk,
        "locale": page.locale.language_code,
        "data": page.serializable_data(),
        "draft": draft and draft.content,
        "many_to_many": {
            field.name: [related.pk for related in getattr(page, field.name).all()]
            for field in _many_to_many(page)
        },
        "tags": {
            field.name: [tag.name for tag in getattr(page, field.name).all()]
            for field in _tag_fields(page)
        },
        "restrictions": [
            {
                "restriction_type": restriction.restriction_type,
                "password": restriction.password,
                "groups": [group.pk for group in restriction.groups.all()],
            }
            for restriction in page.view_restrictions.all()
        ],
        "redirects": _redirects_to(page),
        "parent": {
            "page": parent.pk,
            "url_path": parent.url_path,
            "locale": parent.locale.language_code,
            "kind": link and link.kind,
            "guid": link and link.guid,
        },
    }
    kept: dict[str, Any] = json.loads(json.dumps(content, cls=DjangoJSONEncoder))
    return kept


def _many_to_many(page: Any) -> Iterator[Any]:
    """The relations that modelcluster leaves to Django."""
    for field in page._meta.many_to_many:
        is_plain = not isinstance(field, (ParentalManyToManyField, TaggableManager))
        if is_plain and field.remote_field.through._meta.auto_created:
            yield field


def _tag_fields(page: Any) -> list[Any]:
    fields = page._meta.get_fields()
    return [field for field in fields if isinstance(field, TaggableManager)]


def _redirects_to(page: Page) -> list[dict[str, Any]]:
    """Those of the site's, which go with the page to which they lead."""
    if not apps.is_installed("wagtail.contrib.redirects"):
        return []
    from wagtail.contrib.redirects.models import Redirect

    names = ("old_path", "site_id", "is_permanent", "redirect_page_route_path")
    return list(Redirect.objects.filter(redirect_page=page.pk).values(*names))


# Restoring


def parent_of(item: JobRunItem) -> Page:
    """The page below which the item's page goes again: the one where it was.

    Raises NotRestorableError where that is gone, or the item is no page's to restore.
    """
    content = _content_of(item)
    was = content["parent"]
    if was["guid"]:
        link = PimLink.objects.filter(
            kind=was["kind"],
            guid=was["guid"],
            locale__language_code=was["locale"],
        ).select_related("page")
        found = [each.page for each in link]
    else:
        # It may have been made by hand itself, and restored before.
        restored = JobRunItem.objects.filter(
            content__page=was["page"], page__isnull=False
        )
        found = list(Page.objects.filter(pk=was["page"])) or list(
            Page.objects.filter(pk__in=restored.values("page"))
        )
    if not found:
        raise NotRestorableError(
            _(
                "The page %(path)s, below which it stood, is not there any more. If it "
                "was made by hand too, restore that first. Or name another parent: "
                "manage.py pim restore %(item)s --parent PAGE."
            )
            % {"path": was["url_path"], "item": item.pk}
        )
    parent: Page = found[0].specific
    return parent


def _content_of(item: JobRunItem) -> dict[str, Any]:
    if item.content is None:
        raise NotRestorableError(
            _("Record %(item)s is not that of a page which was deleted.")
            % {"item": item.pk}
        )
    if item.page_id is not None:
        raise NotRestorableError(
            _("“%(title)s” is restored already: it is page %(page)d.")
            % {"title": item.title, "page": item.page_id}
        )
    content: dict[str, Any] = item.content
    return content


def restore(
    item: JobRunItem, parent: Page | None = None, *, user: Any = None
) -> tuple[Page, list[str]]:
    """Make the item's page again, as a draft; it, and what of it is gone meanwhile.

    Without a ``parent`` it goes where it was. Raises NotRestorableError, with the
    reason.
    """
    with transaction.atomic():
        item = JobRunItem.objects.select_for_update().get(pk=item.pk)
        content = _content_of(item)
        below = parent_of(item) if parent is None else parent
        below = bulk.lock_pages([below.pk])[below.pk]
        try:
            page, gone = _Restoration(content, below, user).carry_out()
        except ValidationError as error:
            raise NotRestorableError(
                _("“%(title)s” can't be restored: %(said)s")
                % {"title": item.title, "said": " ".join(error.messages)}
            ) from error
        item.page_id = page.pk
        item.save(update_fields=["page"])
    return page, gone


class _Restoration:
    """The making of one page; ``gone`` are the objects that it was linked with."""

    def __init__(self, content: Mapping[str, Any], parent: Page, user: Any) -> None:
        self._content = content
        self._parent = parent
        self._user = user
        self._gone: dict[str, None] = {}
        self._model = self._find_model()

    def _find_model(self) -> Any:
        label = self._content["model"]
        try:
            model: Any = apps.get_model(label)
        except LookupError as error:
            raise NotRestorableError(
                _("The site has no page type %(model)s any more.") % {"model": label}
            ) from error
        if not model.can_exist_under(self._parent):
            raise NotRestorableError(
                _("A page of type “%(type)s” can't stand below “%(parent)s”.")
                % {
                    "type": model.get_verbose_name(),
                    "parent": self._parent.get_admin_display_title(),
                }
            )
        return model

    def carry_out(self) -> tuple[Page, list[str]]:
        data, draft = self._content["data"], self._content["draft"]
        # By their names, tags are made again where they are gone.
        tagged = {field.through for field in _tag_fields(self._model)}
        tagged_items = {
            relation.get_accessor_name()
            for relation in get_all_child_relations(self._model)
            if relation.related_model in tagged
        }
        page = self._model.from_serializable_data(
            self._known_page({k: v for k, v in data.items() if k not in tagged_items})
        )
        page.live, page.has_unpublished_changes = False, True
        page.slug = self._free_slug(data["slug"])
        page.locale = self._locale()
        if self._user is not None:
            # As with a copy: whoever may only add pages edits those that are his own.
            page.owner = self._user
        if _is_translated(page):
            page.translation_key = uuid4()
        self._parent.add_child(instance=page)
        self._restrict(page)
        self._lead_to(page)
        self._relate(page)
        latest = page if draft is None else self._with_draft(page, draft)
        latest.save_revision(user=self._user, clean=False)
        restored: Page = self._model.objects.get(pk=page.pk)
        return restored, list(self._gone)

    def _restrict(self, page: Page) -> None:
        """Who may see it: where groups are gone, those that are left, if any."""
        groups = PageViewRestriction._meta.get_field("groups")
        for kept in self._content.get("restrictions", ()):
            restriction = PageViewRestriction(
                page=page,
                restriction_type=kept["restriction_type"],
                password=kept["password"],
            )
            restriction.save(user=self._user)
            restriction.groups.set(self._known_keys(groups, kept["groups"]))

    def _lead_to(self, page: Page) -> None:
        """The redirects that led to it, as far as none has their place."""
        redirects = self._content.get("redirects", ())
        if not redirects or not apps.is_installed("wagtail.contrib.redirects"):
            return
        from wagtail.contrib.redirects.models import Redirect

        sites = set(Site.objects.values_list("pk", flat=True)) | {None}
        for kept in redirects:
            place = {"site_id": kept["site_id"], "old_path": kept["old_path"]}
            if kept["site_id"] not in sites or Redirect.objects.filter(**place):
                continue
            Redirect.objects.create(**kept, redirect_page_id=page.pk)

    def _relate(self, page: Any) -> None:
        """What a page has to be saved for."""
        for field in _tag_fields(page):
            getattr(page, field.name).set(self._content["tags"].get(field.name, []))
        for field in _many_to_many(page):
            keys = self._content["many_to_many"].get(field.name, [])
            getattr(page, field.name).set(self._known_keys(field, keys))
        page.save(clean=False)

    def _with_draft(self, page: Any, draft: Mapping[str, Any]) -> Any:
        known = self._known_page(draft)
        known["pk"] = page.pk
        known["translation_key"] = page.translation_key
        is_same = draft["slug"] == self._content["data"]["slug"]
        known["slug"] = page.slug if is_same else self._free_slug(draft["slug"])
        # A page's comments are those of its row.
        known.pop(COMMENTS_RELATION_NAME, None)
        return page.with_content_json(known)

    def _free_slug(self, wanted: str) -> str:
        path = self._parent.path
        slugs = SlugAllocator({path: self._parent}, [(path, wanted)])
        return slugs.allocate(path, wanted)

    def _locale(self) -> Locale:
        code = self._content["locale"]
        locale = Locale.objects.filter(language_code=code).first()
        return locale or self._parent.locale

    # What it was linked with

    def _known_page(self, data: Mapping[str, Any]) -> dict[str, Any]:
        known = self._known(
            self._model, {k: v for k, v in data.items() if k not in OF_THE_ROW}
        )
        if known is None:
            raise NotRestorableError(
                _("It can't be without what is gone meanwhile: %(gone)s.")
                % {"gone": ", ".join(self._gone)}
            )
        return known

    def _known(self, model: Any, data: Mapping[str, Any]) -> dict[str, Any] | None:
        """As a new object, linked with what there is; None if it can't be so."""
        known: dict[str, Any] = {**data, "pk": None}
        for field in model._meta.get_fields():
            value = data.get(field.name)
            if isinstance(field, models.ManyToManyField) and value:
                known[field.name] = self._known_keys(field, value)
            elif (
                isinstance(field, models.ForeignKey)
                and value is not None
                and not self._known_keys(field, [value])
            ):
                if not field.null:
                    return None
                known[field.name] = None
        for relation in get_all_child_relations(model):
            name = relation.get_accessor_name()
            if name in known:
                known[name] = list(self._known_children(relation, known[name]))
        return known

    def _known_children(
        self, relation: Any, children: Iterable[Mapping[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        for child in children:
            without_parent = {
                k: v for k, v in child.items() if k != relation.field.name
            }
            known = self._known(relation.related_model, without_parent)
            if known is not None:
                yield known

    def _known_keys(self, field: Any, keys: Iterable[Any]) -> list[Any]:
        """Those of the keys that lead to an object still; the others are noted."""
        related = field.remote_field.model
        # Of a relation to many it is the primary key.
        target = getattr(field, "target_field", related._meta.pk).name
        known = []
        for key in keys:
            if related._base_manager.filter(**{target: key}).exists():
                known.append(key)
            else:
                self._gone[
                    _("%(field)s: %(type)s %(key)s")
                    % {
                        "field": field.verbose_name,
                        "type": related._meta.verbose_name,
                        "key": key,
                    }
                ] = None
        return known


def _is_translated(page: Page) -> bool:
    """Whether another page of the locale has the translation key by now."""
    return Page.objects.filter(
        translation_key=page.translation_key, locale=page.locale
    ).exists()
