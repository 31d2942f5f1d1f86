"""What crontab calls, by way of django-crontab.

The site's settings list it. Either what is due by the schedules of the admin::

    from wagtail_pim.cron import cronjobs

    CRONJOBS = cronjobs()

or a job, at times of the site's own::

    CRONJOBS = [("0 2 * * *", "wagtail_pim.cron.publish_approved_products")]

django-crontab logs what is raised here, and exits with 0 all the same.
"""

# Settings import this module: there are no models yet.
from __future__ import annotations


def cronjobs() -> list[tuple[str, str]]:
    """One line a minute, which starts what is due."""
    return [("* * * * *", "wagtail_pim.cron.start_due_jobs")]


def start_due_jobs() -> None:
    from wagtail_pim.jobs.schedules import start_due
    from wagtail_pim.jobs.termination import told_of_sigterm

    with told_of_sigterm():
        start_due()


def synchronize_setup_data() -> None:
    _run("synchronize_setup_data")


def publish_approved_products() -> None:
    _run("publish_approved_products")


def refresh_published_products() -> None:
    _run("refresh_published_products")


def reconcile_catalog() -> None:
    _run("reconcile_catalog")


def _run(job: str) -> None:
    from wagtail_pim.jobs.schedules import run_when_free
    from wagtail_pim.jobs.termination import told_of_sigterm

    with told_of_sigterm():
        run_when_free(job)
