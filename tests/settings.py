"""The sandbox's settings, made fast and independent of the machine's environment."""

import os
import tempfile

import wagtail

os.environ.setdefault("SANDBOX_VAR", tempfile.mkdtemp(prefix="wagtail-pim-tests-"))
for name in filter(lambda name: name.startswith("PIM_"), list(os.environ)):
    del os.environ[name]

from sandbox_site.settings import *  # noqa: E402, F403

# Whether the machine has a crontab is no matter of the tests.
SILENCED_SYSTEM_CHECKS = ["wagtail_pim.W003"]
# There is no worker: Django's default carries tasks out at once.
del TASKS  # noqa: F821
WAGTAIL_PIM = {**WAGTAIL_PIM, "TASK_BACKEND": "default"}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
INSTALLED_APPS = [
    "tests.trial",
    "wagtail.contrib.simple_translation",
    *INSTALLED_APPS,  # noqa: F405
]
ROOT_URLCONF = "tests.urls"
if wagtail.VERSION >= (8, 0):
    INSTALLED_APPS += ["wagtail.api.v3"]
