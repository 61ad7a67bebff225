"""DATABASE_URL is PostgreSQL or refused, in a sentence without the password."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from loadlab.database import database


@pytest.mark.parametrize("url", [None, ""])
def test_without_a_url_the_embedded_server_is_chosen(url: str | None) -> None:
    assert database(url) == {"ENGINE": "loadlab.embedded", "NAME": "loadlab", "USER": "loadlab"}


def test_a_url_names_a_server_of_ones_own() -> None:
    chosen = database("postgres://ana:s%40crt@db.example:5433/loads?sslmode=require")
    assert chosen["ENGINE"] == "django.db.backends.postgresql"
    assert (chosen["HOST"], chosen["PORT"], chosen["NAME"]) == ("db.example", 5433, "loads")
    assert (chosen["USER"], chosen["PASSWORD"]) == ("ana", "s@crt")
    assert chosen["OPTIONS"] == {"sslmode": "require", "connect_timeout": 5}


def test_a_socket_folder_becomes_the_host() -> None:
    chosen = database("postgresql://loadlab@/loadlab?host=%2Ftmp%2Fa%20b&connect_timeout=1")
    assert chosen["HOST"] == "/tmp/a b"
    assert chosen["OPTIONS"] == {"connect_timeout": 1}


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("mysql://ana:secret@db/loads", "'mysql'"),
        ("sqlite:///loads.db", "'sqlite'"),
        ("postgis://ana:secret@db/loads", "'postgis'"),
        ("db.example/loads", "'no scheme'"),
        ("postgres://ana:secret@db:port/loads", "cannot be read"),
        ("postgres://[ana:secret@db/loads", "is not a URL"),
    ],
)
def test_anything_but_postgresql_is_refused_in_one_sentence(url: str, named: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^DATABASE_URL .*{named}") as refused:
        database(url)
    assert "write postgres://USER:PASSWORD@HOST:PORT/NAME" in str(refused.value)
    assert "secret" not in str(refused.value)
