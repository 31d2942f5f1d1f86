#!/usr/bin/env python
"""Django's command line for the sandbox, from any folder or as a module."""

import os
import sys
from pathlib import Path


def main() -> None:
    # Run as a file, Python looks beside it and not in the repository.
    repository = str(Path(__file__).resolve().parent.parent)
    if repository not in sys.path:
        sys.path.insert(0, repository)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sandbox_site.settings")

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
