"""Obtains assets of the PIM that the environment names; run as a script.

The arguments are their Guids; what became of them is printed as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any
from uuid import UUID

import django


def main() -> None:
    django.setup()

    from django.core.management import call_command

    from wagtail_pim.catalog.assets import obtain_assets
    from wagtail_pim.jobs.base import connect

    call_command("migrate", verbosity=0)
    pim = connect()
    report = []
    # The second time there is nothing to do.
    for _time in range(2):
        assets: list[Any] = list(pim.client.assets(map(UUID, sys.argv[1:])))
        rows, faults = obtain_assets(
            assets, pim.downloader.fetch, lambda: None, lambda: None
        )
        report.append(
            {
                "images": [
                    [type(row.image).__name__, row.image.title, row.image.credit]
                    for row in rows.values()
                    if row and row.image
                ],
                "renditions": [
                    type(row.image.get_rendition("width-1")).__name__
                    for row in rows.values()
                    if row and row.image
                ],
                "documents": [
                    [type(row.document).__name__, row.document.title]
                    for row in rows.values()
                    if row and row.document
                ],
                "faults": [fault.reason for fault in faults],
            }
        )
    print(json.dumps(report))


if __name__ == "__main__":
    main()
