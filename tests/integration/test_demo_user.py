"""Somebody to log in as: once, with a password, on the embedded database only."""

from io import StringIO

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import call_command
from django.db import connection

from runs.demo_user import create_demo_user

pytestmark = pytest.mark.django_db


def test_the_first_call_makes_a_superuser_and_tells_its_password_the_next_does_neither() -> None:
    password = create_demo_user()
    user = authenticate(username="demo", password=password)
    assert user is not None
    assert user.is_superuser
    assert create_demo_user() is None


def test_where_there_is_a_superuser_none_is_made() -> None:
    get_user_model().objects.create_superuser("ana", password="a-password-of-hers")
    assert create_demo_user() is None
    assert not get_user_model().objects.filter(username="demo").exists()


def test_a_user_of_that_name_keeps_the_password() -> None:
    get_user_model().objects.create_user("demo", password="a-password-of-theirs")
    assert create_demo_user() is None
    assert authenticate(username="demo", password="a-password-of-theirs") is not None


def test_on_a_database_of_somebodys_own_none_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "ENGINE", "django.db.backends.postgresql")
    assert create_demo_user() is None
    assert not get_user_model().objects.exists()
    out = StringIO()
    call_command("demo_user", url="http://127.0.0.1:8000", stdout=out)
    assert out.getvalue() == "loadlab is on http://127.0.0.1:8000/admin/\n"


def test_the_command_shows_the_password_once() -> None:
    said = []
    for _ in range(2):
        out = StringIO()
        call_command("demo_user", stdout=out)
        said.append(out.getvalue())
    assert "(shown this once)" in said[0]
    assert "password " not in said[1].replace("changepassword", "")
    assert "`loadlab changepassword demo` sets another" in said[1]
