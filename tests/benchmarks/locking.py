"""How much longer does the editor take to open because fields are locked?

::

    python -m tests.benchmarks.locking [ROUNDS]

Opens three pages with the same sixty fields and panels in turn, in a database of its
own: one that the PIM manages, one of the same type made by hand, and one of a type
that knows nothing of a PIM.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from statistics import median
from time import perf_counter
from typing import Any

import django
import wagtail

ROUNDS = 40
TARGET = 1.2


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with throwaway_database():
        milliseconds = measure(rounds)
    print(f"Wagtail {wagtail.__version__}, Django {django.__version__}, ", end="")
    print(f"{rounds} rounds, medians")
    print(f"{'edit view of':<34}{'ms':>8}{'ratio to unlocked':>20}")
    unlocked = milliseconds["a page type without a PIM"]
    for label, times in milliseconds.items():
        # Of each round, so that what slows the machine down slows both.
        ratio = median(
            mine / other for mine, other in zip(times, unlocked, strict=True)
        )
        print(f"{label:<34}{median(times):>8.1f}{ratio:>20.2f}")
    print(f"Target: a managed page takes at most {TARGET} times as long.")


@contextmanager
def throwaway_database() -> Iterator[None]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    from django.test import utils

    utils.setup_test_environment()
    databases = utils.setup_databases(verbosity=0, interactive=False)
    try:
        yield
    finally:
        utils.teardown_databases(databases, verbosity=0)
        utils.teardown_test_environment()


def measure(rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each opening by what was opened."""
    from django.contrib.auth import get_user_model
    from django.test import Client
    from django.urls import reverse

    client = Client()
    client.force_login(get_user_model().objects.create_superuser("admin"))
    addresses = {
        label: reverse("wagtailadmin_pages:edit", args=[page.pk])
        for label, page in make_pages().items()
    }
    times: dict[str, list[float]] = {label: [] for label in addresses}
    for number in range(rounds + 1):
        for label, address in addresses.items():
            begin = perf_counter()
            response = client.get(address)
            duration = (perf_counter() - begin) * 1000
            assert response.status_code == 200, label
            assert (b"Managed in PIM" in response.content) is ("manag" in label)
            if number:
                # The first round fills caches.
                times[label].append(duration)
    return times


def make_pages() -> dict[str, Any]:
    from wagtail.models import Site

    from tests.locking.conftest import make_managed
    from tests.trial.models import SIXTY_NAMES, SixtyLockedPage, SixtyOpenPage

    samples = ("Some text", "Longer\ntext", 1234, True, date(2026, 3, 1), "s")
    values = {
        name: samples[number % len(samples)] for number, name in enumerate(SIXTY_NAMES)
    }
    home = Site.objects.get(is_default_site=True).root_page

    def add(model: Any, slug: str) -> Any:
        page = model(title=slug, slug=slug, product_number="N-1", **values)
        return home.add_child(instance=page)

    managed = add(SixtyLockedPage, "managed")
    make_managed(managed)
    return {
        "a page type without a PIM": add(SixtyOpenPage, "open"),
        "a managed page": managed,
        "the same type, made by hand": add(SixtyLockedPage, "hand-made"),
    }


if __name__ == "__main__":
    main()
