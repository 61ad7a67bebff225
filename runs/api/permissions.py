"""Who may do what: model permissions decide; nobody gets in without a login."""

from typing import Any, Protocol

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

VIEW = "runs.view_loadtestrun"
LAUNCH = "runs.launch_loadtestrun"
CANCEL = "runs.cancel_loadtestrun"
PIN = "runs.pin_loadtestrun"


class Guarded(Protocol):
    """A view that names a permission for each of its methods."""

    def permission_for(self, method: str) -> str | None:
        """What `method` needs; None where the view has no such method."""


def anonymous_may() -> bool:
    """Whether the API asks for no login at all: only on a machine for development."""
    # why DEBUG again: gunicorn runs no system check, which refuses this combination
    return bool(settings.LOADLAB_API_ANONYMOUS and settings.DEBUG)


class RunPermission(BasePermission):
    """The permission that the view names for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the caller has it; a method that is not there is left to be answered by 405."""
        guarded: Guarded = view
        needed = guarded.permission_for(str(request.method))
        if needed is None:
            return True
        if not request.user.is_authenticated:
            return anonymous_may()
        self.message = f"This needs the permission {needed}: ask an administrator for it."
        return request.user.has_perm(needed)


class StaffOrToken(BasePermission):
    """For machines that watch: a staff login or any token."""

    message = "This is for staff, or for a token."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the caller is staff or has come with a token."""
        if not request.user.is_authenticated:
            return anonymous_may()
        return bool(request.user.is_staff or request.auth)
