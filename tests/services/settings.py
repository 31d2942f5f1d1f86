"""Settings of the processes that the service tests start.

``SERVICE_SITE`` names a JSON file with what differs from site to site: the tests'
``database``, the task ``backend``, more of ``wagtail_pim``, and the ``redis`` database.
"""

import json
import os
from pathlib import Path

from tests.settings import *  # noqa: F403

SITE = json.loads(Path(os.environ["SERVICE_SITE"]).read_text())

DATABASES["default"]["NAME"] = SITE["database"]  # noqa: F405
WAGTAIL_PIM = {**WAGTAIL_PIM, **SITE["wagtail_pim"]}  # noqa: F405

match SITE["backend"]:
    case "db":
        TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    case "rq":
        TASKS = {"default": {"BACKEND": "django_tasks_rq.RQBackend"}}
        INSTALLED_APPS += ["django_rq", "django_tasks_rq"]  # noqa: F405
        # A run takes as long as it takes: -1 is without limit.
        RQ_QUEUES = {"default": {"URL": SITE["redis"], "DEFAULT_TIMEOUT": -1}}
    case "celery":
        TASKS = {
            "default": {
                "BACKEND": "django_tasks_celery.CeleryBackend",
                "OPTIONS": {"CELERY_APP": "tests.services.celery.app"},
            }
        }
        CELERY_BROKER_URL = SITE["redis"]
