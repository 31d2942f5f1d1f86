"""Settings of a site whose jobs are started by a real crontab.

Cron runs commands with hardly any environment, so what the settings read from there is
put before the command.
"""

import os
import shlex
from pathlib import Path

from sandbox_site.var import REPOSITORY
from tests.services.settings import *  # noqa: F403
from wagtail_pim.cron import cronjobs

FOLDER = Path(os.environ["SERVICE_SITE"]).parent

CRONJOBS = cronjobs()
CRONTAB_COMMENT = "wagtail-pim service test"
CRONTAB_DJANGO_MANAGE_PATH = str(REPOSITORY / "sandbox_site" / "manage.py")
CRONTAB_DJANGO_SETTINGS_MODULE = "tests.services.crontab_settings"
CRONTAB_COMMAND_PREFIX = "env " + " ".join(
    f"{name}={shlex.quote(os.environ[name])}"
    for name in ("SERVICE_SITE", "SANDBOX_VAR", "DATABASE_URL")
    if name in os.environ
)
CRONTAB_COMMAND_SUFFIX = f">> {shlex.quote(str(FOLDER / 'crontab.log'))} 2>&1"
