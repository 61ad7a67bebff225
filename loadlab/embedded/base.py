"""Django's PostgreSQL backend over the embedded server: the first connection starts it."""

from typing import Any

from django.db.backends.postgresql import base, client
from django.db.utils import OperationalError

from loadlab.embedded import EmbeddedServerError, ensure_postgres
from loadlab.embedded.postgres import PORT


class DatabaseClient(client.DatabaseClient):
    """`manage.py dbshell` on the embedded server."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Any
    ) -> tuple[list[str], dict[str, str] | None]:
        """Return psql's arguments, with the place of the embedded server."""
        return super().settings_to_cmd_args_env({**settings_dict, **_address()}, parameters)


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects to wherever the embedded server listens, and sees to it that it does."""

    display_name = "PostgreSQL (embedded)"
    client_class = DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        """Return the parameters of a connection to a server that runs."""
        address = _address()
        return {**super().get_connection_params(), "host": address["HOST"], "port": address["PORT"]}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, once more where the server went away since its parameters were asked for."""
        try:
            return super().get_new_connection(conn_params)
        except self.Database.OperationalError:
            return super().get_new_connection({**conn_params, **self.get_connection_params()})


def _address() -> dict[str, Any]:
    try:
        return {"HOST": str(ensure_postgres()), "PORT": PORT}
    except EmbeddedServerError as error:
        # why: whoever bears a database that is away bears this one too
        raise OperationalError(str(error)) from error
