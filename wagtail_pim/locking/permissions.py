"""What people may not do with what the PIM manages."""

from __future__ import annotations

from typing import Any, Final

from wagtail.models import PagePermissionTester
from wagtail.permission_policies import ModelPermissionPolicy

# Copying is adding; Wagtail has no name of its own for unpublishing.
REFUSED_ACTIONS: Final = frozenset({"add", "delete", "unpublish"})


class CatalogPermissionTester(PagePermissionTester):
    """A catalog page is the site's own, but the order of its categories the PIM's."""

    def can_reorder_children(self) -> bool:
        return super().can_reorder_children() and not self.page.is_pim_managed()


class ManagedPagePermissionTester(CatalogPermissionTester):
    """Refuses besides what would take a managed page out of the PIM's hands.

    That the page is a managed one is asked last, as it may cost a query. Calls
    without a user, as the sync's own, do not come here.
    """

    def can_delete(self, ignore_bulk: bool = False) -> bool:
        # can_move() asks this too.
        return super().can_delete(ignore_bulk) and not self.page.is_pim_managed()

    def can_move_to(self, destination: Any) -> bool:
        # For superusers it does not ask can_move().
        return super().can_move_to(destination) and not self.page.is_pim_managed()

    def can_copy(self) -> bool:
        # can_copy_to() asks this too.
        return super().can_copy() and not self.page.is_pim_managed()

    def can_publish(self) -> bool:
        return super().can_publish() and not self._is_off_site()

    def can_set_view_restrictions(self) -> bool:
        # Wagtail asks can_publish() for this and the next: both stay the editors'.
        return super().can_publish()

    def can_unschedule(self) -> bool:
        return super().can_publish()

    def can_submit_for_moderation(self) -> bool:
        return super().can_submit_for_moderation() and not self._is_off_site()

    def _is_off_site(self) -> bool:
        """What the PIM took off the site does not come back by hand."""
        return not self.page.live and self.page.is_pim_managed()

    def can_unpublish(self) -> bool:
        return super().can_unpublish() and not self.page.is_pim_managed()


class ManagedModelPermissionPolicy(ModelPermissionPolicy):
    """For snippets and other models: only the PIM adds and deletes their objects.

    Superusers are refused too.
    """

    def user_has_permission(self, user: Any, action: str) -> bool:
        return action not in REFUSED_ACTIONS and super().user_has_permission(
            user, action
        )

    def users_with_any_permission(self, actions: Any) -> Any:
        allowed = set(actions) - REFUSED_ACTIONS
        users = super().users_with_any_permission(allowed)
        return users if allowed else users.none()
