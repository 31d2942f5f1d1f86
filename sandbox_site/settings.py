"""Settings of the sandbox: a Wagtail project like any other.

Nothing here is fit for production: ``DEBUG`` is on and the secret key is made at the
first start. The PIM's address and keys come from the environment (``PIM_API_ADDRESS``,
``PIM_APP_KEY``, ``PIM_SECRET_KEY``, ``PIM_ENVIRONMENT``), where wagtail-pim finds them.
"""

import os

import dj_database_url
import django
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _

from sandbox_site.var import kept_secret, var_folder
from wagtail_pim.cron import cronjobs

VAR = var_folder()

DEBUG = True
SECRET_KEY = kept_secret("secret-key", get_random_secret_key)
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]

INSTALLED_APPS = [
    "sandbox_site.shop",
    "wagtail_pim",
    "wagtail_modeladmin",
    "django_crontab",
    "django_tasks_db",
    "wagtail.contrib.redirects",
    "wagtail.contrib.settings",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.locales",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]

ROOT_URLCONF = "sandbox_site.urls"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

if os.environ.get("DATABASE_URL"):
    DATABASES = {"default": dj_database_url.config(conn_health_checks=True)}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": VAR / "site.sqlite3",
            "OPTIONS": {
                # A job writes while visitors read: readers never wait, and a writer
                # waits its turn instead of failing halfway through a transaction.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
            },
        }
    }

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
LANGUAGES = WAGTAIL_CONTENT_LANGUAGES = [
    ("en", _("English")),
    ("de", _("German")),
    ("fr", _("French")),
]
WAGTAIL_I18N_ENABLED = True
TIME_ZONE = "Europe/Berlin"

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR / "media"

CONSOLE_EMAIL = "django.core.mail.backends.console.EmailBackend"
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": CONSOLE_EMAIL}}
else:
    EMAIL_BACKEND = CONSOLE_EMAIL

WAGTAIL_SITE_NAME = "Spokewell"
# The sandbox asks nobody on the internet for anything.
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAILADMIN_BASE_URL = os.environ.get("SANDBOX_URL", "http://localhost:8000")
WAGTAILSEARCH_BACKENDS = {
    "default": {"BACKEND": "wagtail.search.backends.database"},
}

# Wagtail's own small tasks are done at once, so that no run has to wait for them.
TASKS = {
    "default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"},
    "pim": {"BACKEND": "django_tasks_db.DatabaseBackend"},
}
CRONJOBS = cronjobs()

WAGTAIL_PIM = {
    "DEFAULT_PRODUCT_PAGE": "shop.GenericProductPage",
    "DEFAULT_VARIANT_PAGE": "shop.GenericVariantPage",
    "TASK_BACKEND": "pim",
}
