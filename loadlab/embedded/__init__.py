"""PostgreSQL and Valkey from wheels, for a checkout that names no servers of its own.

A server is started by the first call that needs it, shared by every process of the checkout and
left running until `stop`; its data stays in LOADLAB_VAR. Nothing starts at import.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from loadlab.embedded.errors import EmbeddedServerError
from loadlab.embedded.liveness import Pulse
from loadlab.embedded.places import var_folder
from loadlab.embedded.postgres import DATABASE, USER, Postgres
from loadlab.embedded.server import Server
from loadlab.embedded.valkey import Valkey

__all__ = [
    "EmbeddedServerError",
    "ServerStatus",
    "ensure_postgres",
    "ensure_valkey",
    "postgres_url",
    "status",
    "stop",
    "valkey_url",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """Whether one embedded server answers, and where."""

    name: str
    running: bool
    socket: Path
    log: Path


def ensure_postgres() -> Path:
    """Return the folder of PostgreSQL's socket; the server takes connections there."""
    return Postgres(var=var_folder()).ensure().parent


def ensure_valkey() -> Path:
    """Return Valkey's socket; the server takes commands there."""
    return Valkey(var=var_folder()).ensure()


def postgres_url() -> str:
    """Return a DATABASE_URL of the embedded PostgreSQL, which runs from now on."""
    return f"postgres://{USER}@/{DATABASE}?host={quote(str(ensure_postgres()), safe='')}"


def valkey_url() -> str:
    """Return a REDIS_URL of the embedded Valkey, which runs from now on.

    Its path stands as it is: arq decodes nothing there, and the socket's folder never needs it.
    """
    return f"unix://{ensure_valkey()}?db=0"


def stop() -> list[str]:
    """Stop the servers of this var folder and return the names of those that ran."""
    return [server.name for server in _servers() if server.stop()]


def status() -> list[ServerStatus]:
    """Return the state of both servers, starting neither."""
    return [
        ServerStatus(
            name=server.name,
            running=server.pulse() is Pulse.ANSWERS,
            socket=server.socket_path,
            log=server.log,
        )
        for server in _servers()
    ]


def _servers() -> tuple[Server, ...]:
    var = var_folder()
    return Valkey(var=var), Postgres(var=var)
