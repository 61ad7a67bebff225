"""Clients of the API with the token of somebody."""

from typing import Any

from django.contrib.auth.models import Permission, User
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

TASKS = "/api/v1/tasks/"
ALL = ("view_loadtestrun", "launch_loadtestrun", "cancel_loadtestrun", "pin_loadtestrun")


class Caller(APIClient):
    """Somebody who sends a token with every request."""

    def __init__(self, name: str, *permissions: str, **fields: Any) -> None:
        super().__init__()
        self.user = User.objects.create_user(name, **fields)
        self.user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="runs", codename__in=permissions)
        )
        self.token = Token.objects.create(user=self.user)
        self.credentials(HTTP_AUTHORIZATION=f"Token {self.token.key}")
