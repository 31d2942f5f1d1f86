"""The lists "Runs" and "Products", and what all lists of the PIM's admin share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final
from uuid import UUID

import django_filters
from django import forms
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.admin_url_finder import AdminURLFinder, register_admin_url_finder
from wagtail.admin.filters import (
    DateRangePickerWidget,
    LocaleFilter,
    WagtailFilterSet,
)
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.ui.tables import (
    BaseColumn,
    Column,
    LocaleColumn,
    NumberColumn,
    StatusTagColumn,
    TitleColumn,
)
from wagtail.admin.views.generic import BaseListingView, PermissionCheckedMixin
from wagtail.admin.views.mixins import SpreadsheetExportMixin
from wagtail.models import Locale, Page
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail_modeladmin.helpers import PermissionHelper
from wagtail_modeladmin.options import ModelAdmin

from wagtail_pim.conf import i18n_enabled
from wagtail_pim.jobs import job_label
from wagtail_pim.jobs.words import duration_in_words, shown, started_by
from wagtail_pim.kinds import PRODUCT_KINDS
from wagtail_pim.models import JobRun, PimLink
from wagtail_pim.models.links import KINDS
from wagtail_pim.models.runs import Outcome, State, Trigger

from .addresses import RunURLFinder, product_addresses
from .permissions import RunPermissionPolicy, can_view_jobs
from .side_panel import may_refresh_record

EXPORTED_AT_ONCE: Final = 500
# Where a spreadsheet would see a formula begin: with a decimal comma, Excel parts the
# cells of a CSV file at semicolons, and heeds no quotation mark in the middle of one.
FORMULA: Final = re.compile(
    r"""(^|[;\r\n])(?=(?:[^\S\r\n]|")*[=+\-@＝＋－＠])|^(?=[\t\r\n])"""
)
# What no XLSX can hold.
NOT_IN_XLSX: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class TemplateColumn(Column):
    """A column whose cells have a template of their own, by the column's name."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.cell_template_name = f"wagtail_pim/admin/listing_{name}_cell.html"


class YesNoFilter(django_filters.ChoiceFilter):
    """A boolean whose two values have names."""

    def __init__(self, *, yes: Any, no: Any, **kwargs: Any) -> None:
        choices = [("True", yes), ("False", no)]
        super().__init__(
            choices=choices,
            widget=forms.RadioSelect,
            empty_label=gettext_lazy("All"),
            **kwargs,
        )


class ListingView(SpreadsheetExportMixin, PermissionCheckedMixin, BaseListingView):
    """A list that is looked at, searched, filtered and exported.

    Its texts come from the PIM: a spreadsheet must not take them for formulas.
    """

    permission_required = "view"
    paginate_by = 50
    table_classname = "listing pim-listing"
    is_searchable = True
    export_names: dict[str, Any] = {}

    @cached_property
    def list_export(self) -> list[str]:
        return list(self.export_names)

    @cached_property
    def export_headings(self) -> dict[str, Any]:
        return self.export_names

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.is_export:
            rows = self.exported(self.get_queryset())
            return self.as_spreadsheet(rows, request.GET["export"])
        return super().get(request, *args, **kwargs)

    def exported(self, queryset: QuerySet[Any]) -> Iterator[Any]:
        """All rows, not held in memory at the same time."""
        one_by_one = queryset.iterator(EXPORTED_AT_ONCE)
        while rows := list(islice(one_by_one, EXPORTED_AT_ONCE)):
            self.complete(rows)
            yield from rows

    def complete(self, rows: Sequence[Any]) -> None:
        """Add to the rows what their columns show besides the fields."""

    def get_table(self, object_list: Iterable[Any]) -> Any:
        rows = list(object_list)
        self.complete(rows)
        return super().get_table(rows)

    def preprocess_field_value(self, field: str, value: Any, export_format: str) -> Any:
        value = super().preprocess_field_value(field, value, export_format)
        if not isinstance(value, str):
            return value
        value = NOT_IN_XLSX.sub("\N{REPLACEMENT CHARACTER}", value)
        return FORMULA.sub(r"\1'", value)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["media"] += forms.Media(
            css={"all": [versioned_static("wagtail_pim/css/runs.css")]}
        )
        return context

    def pages(self, rows: Iterable[Any]) -> dict[int, Page]:
        """The rows' pages by id and of their own classes.

        With what is asked for permissions, so that no row costs a query.
        """
        wanted = {row.page_id for row in rows} - {None}
        pages = Page.objects.filter(pk__in=wanted).specific(defer=True)
        return {page.pk: page for page in pages.prefetch_workflow_states()}

    @cached_property
    def product_address(self) -> Callable[[UUID, str], str]:
        return product_addresses()

    @cached_property
    def urls(self) -> AdminURLFinder:
        return AdminURLFinder(self.request.user)


class ListPermissionHelper(PermissionHelper):
    """Whoever may view the objects has the list; nobody has any other view of them."""

    def user_can_list(self, user: Any) -> bool:
        return self.user_has_specific_permission(user, self.get_perm_codename("view"))

    def user_can_create(self, user: Any) -> bool:
        return False

    def user_can_edit_obj(self, user: Any, obj: Any) -> bool:
        return False

    def user_can_delete_obj(self, user: Any, obj: Any) -> bool:
        return False


class ListAdmin(ModelAdmin):
    """A list in the menu, shown by one of Wagtail's own listing views.

    No view that creates, changes or deletes has an address.
    """

    permission_helper_class = ListPermissionHelper
    history_view_enabled = False

    def get_admin_urls_for_registration(self) -> tuple[URLPattern, ...]:
        view, base = self.index_view_class, self.url_helper.base_url_path
        return (
            path(f"{base}/", view.as_view(), name=view.index_url_name),
            path(
                f"{base}/results/",
                view.as_view(results_only=True),
                name=view.index_results_url_name,
            ),
        )

    def get_permissions_for_registration(self) -> QuerySet[Permission]:
        """None: those of all models are registered at one place."""
        return Permission.objects.none()

    def register_admin_url_finders(self) -> None:
        """None: nothing of these models is edited."""

    def register_indexing(self) -> None:
        """None: what these models refer to may be deleted all the same."""


# Runs


def _job_choices() -> list[tuple[str, str]]:
    names = JobRun.objects.order_by("job").values_list("job", flat=True).distinct()
    return [(name, job_label(name)) for name in names]


class RunFilterSet(WagtailFilterSet):
    job = django_filters.ChoiceFilter(
        label=gettext_lazy("Job"),
        choices=_job_choices,
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )
    state = django_filters.MultipleChoiceFilter(
        label=gettext_lazy("State"),
        choices=State.choices(),
        widget=forms.CheckboxSelectMultiple,
    )
    dry_run = YesNoFilter(
        label=gettext_lazy("Dry run"),
        yes=gettext_lazy("Dry runs"),
        no=gettext_lazy("Runs that write"),
    )
    trigger = django_filters.MultipleChoiceFilter(
        label=gettext_lazy("Started by"),
        choices=Trigger.choices(),
        widget=forms.CheckboxSelectMultiple,
    )
    created_at = django_filters.DateFromToRangeFilter(
        label=gettext_lazy("Started"), widget=DateRangePickerWidget
    )

    class Meta:
        model = JobRun
        fields: list[str] = []


class RunsView(ListingView):
    model = JobRun
    permission_policy = RunPermissionPolicy(JobRun)
    page_title = gettext_lazy("Runs")
    header_icon = "history"
    verbose_name_plural = gettext_lazy("runs")
    index_url_name = "pim_runs_modeladmin_index"
    index_results_url_name = "pim_runs_modeladmin_results"
    is_searchable = False
    default_ordering = "-created_at"
    filterset_class = RunFilterSet
    columns = [
        TitleColumn(
            "created_at",
            label=gettext_lazy("Started"),
            accessor=lambda run: shown(run.created_at),
            sort_key="created_at",
            url_name="wagtail_pim:run",
            classname="pim-nowrap",
        ),
        TemplateColumn("run_job", label=gettext_lazy("Job"), sort_key="job"),
        TemplateColumn("run_state", label=gettext_lazy("State"), sort_key="state"),
        Column("started_by", label=gettext_lazy("Started by")),
        Column(
            "duration",
            label=gettext_lazy("Duration"),
            accessor=duration_in_words,
        ),
        *(
            NumberColumn(
                f"counts.{outcome.value}",
                label=capfirst(outcome.label),
                classname="pim-number",
            )
            for outcome in Outcome
            if outcome != Outcome.UNCHANGED
        ),
        NumberColumn(
            "acknowledged",
            label=gettext_lazy("Acknowledged"),
            sort_key="acknowledged",
            classname="pim-number",
        ),
    ]
    export_filename = "pim-runs"
    export_names = {
        "pk": gettext_lazy("Run"),
        "created_at": gettext_lazy("Started"),
        "finished_at": gettext_lazy("Finished"),
        "job_label": gettext_lazy("Job"),
        "get_state_display": gettext_lazy("State"),
        "dry_run": gettext_lazy("Dry run"),
        "started_by": gettext_lazy("Started by"),
        "worker": gettext_lazy("Worker"),
        **{f"counts.{outcome.value}": capfirst(outcome.label) for outcome in Outcome},
        "acknowledged": gettext_lazy("Acknowledged"),
        "error": gettext_lazy("Error"),
    }

    def get_base_queryset(self) -> QuerySet[JobRun]:
        return JobRun.objects.select_related("user")

    def complete(self, rows: Sequence[Any]) -> None:
        for run in rows:
            run.job_label = job_label(run.job)
            run.started_by = started_by(run)


class RunPermissionHelper(ListPermissionHelper):
    def user_can_list(self, user: Any) -> bool:
        return can_view_jobs(user)


class JobRunAdmin(ListAdmin):
    """The history of runs."""

    model = JobRun
    permission_helper_class = RunPermissionHelper
    menu_label = gettext_lazy("Runs")
    menu_icon = "history"
    base_url_path = "pim/runs"
    index_view_class = RunsView

    def register_admin_url_finders(self) -> None:
        register_admin_url_finder(JobRun, RunURLFinder)


# Products


def _status_choices() -> list[tuple[str, str]]:
    products = PimLink.objects.filter(kind__in=PRODUCT_KINDS).exclude(status="")
    statuses = products.order_by("status").values_list("status", flat=True).distinct()
    return [(status, status) for status in statuses]


def _locale_choices() -> list[tuple[str, str]]:
    return [(x.language_code, x.get_display_name()) for x in Locale.objects.all()]


class ProductFilterSet(WagtailFilterSet):
    status = django_filters.MultipleChoiceFilter(
        label=gettext_lazy("Status in the PIM"),
        choices=_status_choices,
        widget=forms.CheckboxSelectMultiple,
    )
    kind = django_filters.ChoiceFilter(
        label=gettext_lazy("Kind"),
        choices=[(kind, label) for kind, label in KINDS if kind in PRODUCT_KINDS],
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )
    live = YesNoFilter(
        field_name="page__live",
        label=gettext_lazy("On the site"),
        yes=gettext_lazy("Live"),
        no=gettext_lazy("Not live"),
    )
    locale = LocaleFilter(
        label=gettext_lazy("Locale"),
        choices=_locale_choices,
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )

    class Meta:
        model = PimLink
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # As Wagtail does with the pages themselves.
        if not i18n_enabled() or Locale.objects.count() < 2:
            del self.filters["locale"]


class ProductsView(ListingView):
    model = PimLink
    permission_policy = ModelPermissionPolicy(PimLink)
    page_title = gettext_lazy("Products")
    header_icon = "tag"
    verbose_name_plural = gettext_lazy("products")
    index_url_name = "pim_products_modeladmin_index"
    index_results_url_name = "pim_products_modeladmin_results"
    default_ordering = "number"
    filterset_class = ProductFilterSet
    search_fields = ["number", "page__title"]
    export_filename = "pim-products"
    export_names = {
        "number": gettext_lazy("Number"),
        "title": gettext_lazy("Title"),
        "locale.language_code": gettext_lazy("Locale"),
        "get_kind_display": gettext_lazy("Kind"),
        "status": gettext_lazy("Status in the PIM"),
        "specific_page.live": gettext_lazy("Live"),
        "version": gettext_lazy("Version"),
        "synced_at": gettext_lazy("Last synced"),
        "run_id": gettext_lazy("Run"),
        "guid": gettext_lazy("PIM Guid"),
        "page_id": gettext_lazy("Page"),
        "page_url": gettext_lazy("Address"),
        "address_in_pim": gettext_lazy("Address in the PIM"),
    }

    @cached_property
    def columns(self) -> list[BaseColumn]:
        locales = [LocaleColumn()] if i18n_enabled() else []
        return [
            Column("number", label=gettext_lazy("Number"), sort_key="number"),
            TitleColumn(
                "title",
                label=gettext_lazy("Title"),
                sort_key="page__title",
                get_url=lambda link: link.edit_url,
            ),
            *locales,
            Column(
                "kind",
                label=gettext_lazy("Kind"),
                accessor="get_kind_display",
                sort_key="kind",
            ),
            Column(
                "status", label=gettext_lazy("Status in the PIM"), sort_key="status"
            ),
            StatusTagColumn(
                "live",
                label=gettext_lazy("On the site"),
                accessor=lambda link: (
                    _("live") if link.specific_page.live else _("draft")
                ),
                primary=lambda link: link.specific_page.live,
                sort_key="page__live",
            ),
            Column(
                "version",
                label=gettext_lazy("Version"),
                sort_key="version",
                classname="pim-number",
            ),
            TemplateColumn(
                "synced", label=gettext_lazy("Last synced"), sort_key="synced_at"
            ),
            TemplateColumn("product_actions", label=gettext_lazy("Actions")),
        ]

    def get_base_queryset(self) -> QuerySet[PimLink]:
        """The numbers stand with the pages, in a table for each kind."""
        products = PimLink.objects.filter(kind__in=PRODUCT_KINDS)
        return products.select_related("locale").annotate(
            number=Coalesce(
                "page__productpage__product_number", "page__variantpage__product_number"
            )
        )

    def order_queryset(self, queryset: QuerySet[PimLink]) -> QuerySet[PimLink]:
        """The pages of a product in several languages keep their order."""
        ordered = super().order_queryset(queryset)
        return ordered.order_by(*ordered.query.order_by, "pk")

    def complete(self, rows: Sequence[Any]) -> None:
        pages = self.pages(rows)
        written_by = JobRun.objects.in_bulk({link.run_id for link in rows})
        for link in rows:
            page = link.specific_page = pages[link.page_id]
            link.title = page.get_admin_display_title()
            link.edit_url = self.urls.get_edit_url(page)
            link.page_url = page.get_full_url(self.request)
            link.address_in_pim = self.product_address(link.guid, link.number)
            link.may_refresh = may_refresh_record(self.request.user, link, page)
            link.run = written_by.get(link.run_id)
            link.run_url = link.run and self.urls.get_edit_url(link.run)


class PimLinkAdmin(ListAdmin):
    """Every product and variant that the PIM manages."""

    model = PimLink
    menu_label = gettext_lazy("Products")
    menu_icon = "tag"
    base_url_path = "pim/products"
    index_view_class = ProductsView
