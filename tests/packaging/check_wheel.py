"""Builds the distributions and installs the wheel into an empty virtual environment.

Run as a script: it takes a minute and needs a package index.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "wagtail_pim"
SHIPPED = {".css", ".html", ".js", ".mo", ".po", ".py", ".svg", ".txt", ".typed"}

# Runs where neither the project nor its sandbox can be imported by accident.
SITE = """
import django
from django.conf import settings
from wagtail_pim.cron import cronjobs

settings.configure(
    SECRET_KEY="only for this check",
    INSTALLED_APPS=[
        "wagtail_pim", "wagtail_modeladmin", "django_crontab",
        "wagtail.contrib.settings", "wagtail.contrib.redirects",
        "wagtail.users", "wagtail.images", "wagtail.documents", "wagtail.snippets",
        "wagtail.search", "wagtail.admin", "wagtail", "modelcluster", "taggit",
        "django.contrib.auth", "django.contrib.contenttypes",
        "django.contrib.messages", "django.contrib.sessions",
        "django.contrib.staticfiles",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
    }],
    STATIC_URL="/static/",
    USE_TZ=True,
    WAGTAILADMIN_BASE_URL="http://localhost",
    CRONJOBS=cronjobs(),
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.template.loader import get_template
from django.utils import translation

import wagtail_pim
from wagtail_pim.jobs.schedules import in_words, next_times

assert "site-packages" in wagtail_pim.__file__, wagtail_pim.__file__
call_command("migrate", verbosity=0)
for screen in ("findings", "jobs", "run", "schedule"):
    get_template(f"wagtail_pim/admin/{screen}.html")
for script in ("jobs", "run-progress", "test-connection"):
    assert finders.find(f"wagtail_pim/js/{script}.js")
assert in_words("0 2 * * *") == "At 02:00"
assert len(next_times("0 2 * * *")) == 3
with translation.override("de"):
    assert translation.gettext("Test connection") != "Test connection"
print("installed and working")
"""


def shipped_files() -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*")
        if path.suffix in SHIPPED or path.name == "py.typed"
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build = [sys.executable, "-m", "build", "--outdir", folder / "dist", ROOT]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
        [wheel] = (folder / "dist").glob("*.whl")
        [sdist] = (folder / "dist").glob("*.tar.gz")
        with zipfile.ZipFile(wheel) as archive:
            in_wheel = set(archive.namelist())
        with tarfile.open(sdist) as archive:
            in_sdist = {member.split("/", 1)[-1] for member in archive.getnames()}
        assert not (missing := shipped_files() - in_wheel), missing
        assert not (missing := shipped_files() - in_sdist), missing
        assert not [n for n in in_wheel if n.startswith(("sandbox_site", "tests"))]
        assert {"LICENSE", "README.md", "CHANGELOG.md", ".ci/run"} <= in_sdist

        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv" / "bin" / "python"
        install = [python, "-m", "pip", "install", "-q", wheel]
        subprocess.run(install, check=True)
        subprocess.run([python, "-c", SITE], check=True, cwd=folder)


if __name__ == "__main__":
    main()
