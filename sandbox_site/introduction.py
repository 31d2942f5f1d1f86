"""The steps of a site's introduction to its PIM, as the demo takes them.

Each finds what an earlier start has done: whoever comes again sees that nothing is
left to do, and one more change of a product.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from sandbox_site.local_site import PagesByKind, pages_by_kind, run_job
from sandbox_site.processes import python_module
from sandbox_site.second_site import PAGES_FILE
from sandbox_site.var import var_folder

ENDED_BY_SIGNAL: Final = 128
SETUP: Final = "synchronize_setup_data"
PUBLISH: Final = "publish_approved_products"
TITLE_SUFFIX: Final = " (new)"
COUNTED: Final = {
    "category": "categories",
    "product": "products",
    "variant": "variants",
}

Step = tuple[str, Callable[[], int]]


class DemoError(Exception):
    """Why the demo cannot go on; the message says what to do."""


def say(text: str) -> None:
    print(f"==> {text}", flush=True)


def take(steps: Sequence[Step]) -> int:
    """The worst exit code; 1 over 2 over 0. A step that fails is the last."""
    worst = 0
    for number, (title, step) in enumerate(steps, start=1):
        say(f"{number} of {len(steps)}: {title}")
        code = step()
        if code not in (0, 2):
            if code < ENDED_BY_SIGNAL:
                say(f"Stopped: step {number} failed, see above; what follows needs it.")
            return code
        worst = max(worst, code)
    return worst


def publish() -> int:
    return run_job(PUBLISH)


class Introduction:
    """All three jobs, in the order of a real introduction to the sandbox PIM.

    ``ask_pim`` calls the PIM's command line, for what its people would do there.
    """

    def __init__(
        self, ask_pim: Callable[..., str], read_only_key: dict[str, str], port: int
    ) -> None:
        self._ask_pim = ask_pim
        self._read_only_key = read_only_key
        self._port = port

    def steps(self) -> list[Step]:
        return [
            ("Synchronize setup data", self._set_up),
            ("In the PIM, map the category tree to the website", self._map_trees),
            ("Publish approved products", publish),
            ("In the PIM, change a product and approve it", self._change_product),
            ("Publish approved products again", self._publish_change),
            ("Refresh published products, on a second site", self._fill_second_site),
        ]

    def _set_up(self) -> int:
        from sandbox_site.shop.setup import prepare_catalog, prepare_relationship_types

        self._mapped = [tree for tree in _tree_mappings() if tree.websites]
        self._changed: tuple[str, str] | None = None
        prepare_relationship_types()
        if not self._mapped:
            self._website = prepare_catalog().title
        return run_job(SETUP)

    def _map_trees(self) -> int:
        if self._mapped:
            for mapping in self._mapped:
                websites = ", ".join(f"“{w.name}”" for w in mapping.websites)
                _tell(f"Nothing to do: “{mapping.tree.name}” feeds {websites}.")
            return 0
        for mapping in _tree_mappings():
            _tell(self._ask_pim("map", mapping.tree.name, self._website))
        return 0

    def _change_product(self) -> int:
        """Gives a title the suffix, or takes it away again: it always changes."""
        page = _first_product()
        if page is None:
            _tell("Nothing to do: no product is published.")
            return 0
        title = page.title.removesuffix(TITLE_SUFFIX)
        if title == page.title:
            title += TITLE_SUFFIX
        number = page.product_number
        _tell(f"“{page.title}” ({number}) becomes “{title}”.")
        _tell(self._ask_pim("edit", number, f"productTitle={title}", "--approve"))
        self._changed = number, title
        return 0

    def _publish_change(self) -> int:
        from wagtail.models import Locale

        from wagtail_pim.models import ProductPage

        code = publish()
        if self._changed and code in (0, 2):
            number, title = self._changed
            page = ProductPage.objects.get(
                product_number=number, locale=Locale.get_default()
            )
            told = "is" if page.title == title else "is not"
            _tell(f"The shop's page of {number} {told} called “{title}” now.")
        return code

    def _fill_second_site(self) -> int:
        folder = var_folder() / "second"
        _tell(f"Its folder is {folder}; its key can only read.")
        # A database that the environment names is the shop's.
        environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
        environment |= {"SANDBOX_VAR": str(folder)} | self._read_only_key
        with python_module(
            "sandbox_site.second_site", str(self._port), environment=environment
        ) as process:
            code = process.wait()
        if code in (0, 2):
            compare(pages_by_kind(), _noted_pages(folder))
        return code if code >= 0 else 1


def compare(shop: PagesByKind, second: PagesByKind) -> None:
    """Prints how many pages both sites have, and whether they show the same."""
    print(f"    {'shop':>6} {'second':>6}")
    for kind, name in COUNTED.items():
        counts = (len(pages.get(kind, {})) for pages in (shop, second))
        print("    " + " ".join(f"{count:>6}" for count in counts) + f" {name}")
    ours, theirs = _all_pages(shop), _all_pages(second)
    missing = ours.keys() - theirs.keys()
    more = theirs.keys() - ours.keys()
    different = {key for key in ours.keys() & theirs.keys() if ours[key] != theirs[key]}
    if missing or different:
        _tell(
            f"They are not the same: of the shop's pages, {len(missing)} are missing "
            f"on the second site and {len(different)} differ there."
        )
    elif more:
        _tell(
            "All pages of the shop are the same on the second site. It has "
            f"{len(more)} more, of products that were Published in the PIM before the "
            "shop came: Refresh brings them to the shop too."
        )
    else:
        _tell("Both sites show the same.")


def _all_pages(pages: PagesByKind) -> dict[tuple[str, str], str]:
    return {
        (kind, guid): content
        for kind, of_kind in pages.items()
        for guid, content in of_kind.items()
    }


def _noted_pages(folder: Path) -> PagesByKind:
    pages: PagesByKind = json.loads((folder / PAGES_FILE).read_text())
    return pages


def _tree_mappings() -> list[Any]:
    from wagtail_pim.catalog.category_planner import tree_mappings
    from wagtail_pim.exceptions import PimError
    from wagtail_pim.jobs.base import connect

    try:
        client = connect().client
        return tree_mappings(client.taxonomies(), client.websites())
    except PimError as error:
        message = f"The category trees of the PIM can't be read: {error}"
        raise DemoError(message) from error


def _first_product() -> Any:
    """The shop's first product of those that are Published in the PIM."""
    from wagtail.models import Locale

    from wagtail_pim.client.client import PUBLISHED
    from wagtail_pim.models import ProductPage

    published = ProductPage.objects.live().filter(
        pim_link__status__iexact=PUBLISHED, locale=Locale.get_default()
    )
    return published.order_by("product_number").first()


def _tell(text: str) -> None:
    print(f"    {text.strip()}", flush=True)
