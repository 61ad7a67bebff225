"""Those who come to the admin, and what they may."""

from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

BOSS, PERMITTED, VIEWER, NOBODY = "boss", "permitted", "viewer", "nobody"
ALL = (
    *("view_loadtestrun", "launch_loadtestrun", "cancel_loadtestrun", "pin_loadtestrun"),
    *("change_loadtestrun", "change_loadtestconfiguration", "view_loadtestconfiguration"),
)


def client_of(name: str) -> Client:
    """A browser in which somebody is logged in; NOBODY is a stranger."""
    client = Client()
    if name != NOBODY:
        client.force_login(_user(name))
    return client


def _user(name: str) -> User:
    found = User.objects.filter(username=name).first()
    if found is not None:
        return found
    if name == BOSS:
        return User.objects.create_superuser(name)
    user = User.objects.create_user(name, is_staff=True)
    wanted = ALL if name == PERMITTED else ("view_loadtestrun",)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="runs", codename__in=wanted)
    )
    return user


def text_of(response: Any) -> str:
    """What a page holds; all of a download."""
    if getattr(response, "streaming", False):
        return b"".join(response.streaming_content).decode()
    return str(response.content.decode())
