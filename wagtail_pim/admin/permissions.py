"""Who may do what with the PIM."""

from __future__ import annotations

from typing import Any, Final

from wagtail.admin.auth import any_permission_required, permission_required
from wagtail.permission_policies import ModelPermissionPolicy

VIEW_RUNS: Final = "wagtail_pim.view_jobrun"
RUN_JOBS: Final = "wagtail_pim.run_jobs"
STOP_JOBS: Final = "wagtail_pim.stop_jobs"
CHANGE_SCHEDULES: Final = "wagtail_pim.change_jobschedule"
CHANGE_OPTIONS: Final = "wagtail_pim.change_pimoptions"
VIEW_PRODUCTS: Final = "wagtail_pim.view_pimlink"
REFRESH_PRODUCTS: Final = "wagtail_pim.refresh_pimlink"

# Whoever may do something with jobs has to see what comes of it.
_OF_JOBS: Final = (VIEW_RUNS, RUN_JOBS, STOP_JOBS, CHANGE_SCHEDULES)

may_view = any_permission_required(*_OF_JOBS)
may_run = permission_required(RUN_JOBS)
may_stop = permission_required(STOP_JOBS)
may_schedule = permission_required(CHANGE_SCHEDULES)


def can_view_jobs(user: Any) -> bool:
    """Whether the user may see the jobs and their runs."""
    return any(user.has_perm(permission) for permission in _OF_JOBS)


class RunPermissionPolicy(ModelPermissionPolicy):
    """Runs are looked at, and neither created, changed nor deleted."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        return action == "view" and can_view_jobs(user)
