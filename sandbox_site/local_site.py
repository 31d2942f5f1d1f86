"""What the demo does on one of its sites, in the process of that site."""

from __future__ import annotations

import sys
from collections import defaultdict

# The content of a page as the PIM has it, by the Guid of its record, by kind.
PagesByKind = dict[str, dict[str, str]]


def prepare(port: int) -> None:
    """Sets up Django; makes the database and the home pages as far as they lack."""
    import django
    from django.core.management import call_command

    django.setup()
    from sandbox_site.shop.setup import prepare_site

    call_command("migrate", verbosity=0, interactive=False)
    prepare_site(port)


def run_job(name: str, *options: str) -> int:
    """Runs the job; 0 is fine, 1 a failed run and 2 a run with failed items."""
    from django.core.management import CommandError, call_command

    try:
        call_command("pim", "run", name, *options)
    except CommandError as error:
        print(error, file=sys.stderr)
        return error.returncode
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def pages_by_kind() -> PagesByKind:
    from wagtail_pim.models import PimLink

    pages: PagesByKind = defaultdict(dict)
    links = PimLink.objects.filter(page__live=True)
    for kind, guid, content in links.values_list("kind", "guid", "content_hash"):
        pages[kind][str(guid)] = content
    return dict(pages)
