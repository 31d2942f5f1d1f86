"""The demo's second site: ``python -m sandbox_site.second_site PORT``.

As on a developer's new machine: it is empty, and Refresh fills it from the PIM, with a
key that can only read. What it shows then is written down for the demo to compare.
"""

import json
import os
import sys

from sandbox_site import local_site
from sandbox_site.var import var_folder

PAGES_FILE = "pages.json"


def main() -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox_site.settings"
    local_site.prepare(port=int(sys.argv[1]))
    code = local_site.run_job("refresh_published_products", "--all")
    pages = local_site.pages_by_kind()
    (var_folder() / PAGES_FILE).write_text(json.dumps(pages))
    return code


if __name__ == "__main__":
    sys.exit(main())
