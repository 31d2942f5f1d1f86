"""Where people find things: runs in the admin, products in the PIM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, urljoin, urlsplit
from uuid import UUID

from wagtail.admin.admin_url_finder import ModelAdminURLFinder

from wagtail_pim.client.options import normalise_api_address
from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import ConfigurationError
from wagtail_pim.models import JobRun, PIMOptions

from .permissions import can_view_jobs

WEB_SCHEMES: Final = frozenset({"http", "https"})


class RunURLFinder(ModelAdminURLFinder):
    """Lets Wagtail's reports link to runs, which nobody edits."""

    edit_url_name = "wagtail_pim:run"

    def get_edit_url(self, instance: JobRun) -> Any:
        if self.user and not can_view_jobs(self.user):
            return None
        return self.construct_edit_url(instance)


def product_addresses() -> Callable[[UUID, str], str]:
    """Tells where the PIM's own screens show a product, by its Guid and number.

    ``WAGTAIL_PIM["PRODUCT_URL"]`` is relative to the API's host, where it names none.
    What can't be told is empty. The options are read once, for all products of a list.
    """
    pattern = get_config().product_url
    options = PIMOptions.current()
    try:
        api = normalise_api_address(options.in_force("api_address"))
    except ConfigurationError:
        pattern = ""

    def address(guid: UUID, number: str) -> str:
        if not pattern:
            return ""
        path = pattern.replace("{guid}", str(guid))
        path = path.replace("{number}", quote(number, safe=""))
        try:
            absolute = urljoin(api, path)
            return absolute if urlsplit(absolute).scheme in WEB_SCHEMES else ""
        except ValueError:
            return ""

    return address
