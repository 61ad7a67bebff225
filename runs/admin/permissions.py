"""Who may do what in the admin: the same permissions as in the API, and staff only."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

VIEW = "runs.view_loadtestrun"
LAUNCH = "runs.launch_loadtestrun"
CANCEL = "runs.cancel_loadtestrun"
PIN = "runs.pin_loadtestrun"
JUDGE = "runs.change_loadtestrun"
NAME = "runs.change_loadtestconfiguration"
# As the admin asks for an action's permission: has_launch_permission
ASKED_AS = {VIEW: "view", LAUNCH: "launch", CANCEL: "cancel", PIN: "pin", JUDGE: "judge"}


def require(request: HttpRequest, permission: str) -> None:
    """403 for whoever has not got it; whoever is not staff has been sent to the login before."""
    if not may(request, permission):
        raise PermissionDenied


def may(request: HttpRequest, permission: str) -> bool:
    """Whether the person has the permission."""
    return request.user.has_perm(permission)
