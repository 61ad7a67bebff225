"""Does the process of this host that should be here answer? One question, one sentence."""

import asyncio
import http.client
import socket
from enum import StrEnum

from django.conf import settings

from runs.models import Daemon
from runs.models.daemon import DaemonRole
from workers.supervising import answering

PATIENCE_S = 5.0
PORT = 8000


class Role(StrEnum):
    """What a process of loadlab is there for."""

    WEB = "web"
    DISPATCHER = "dispatcher"
    COLLECTOR = "collector"
    WORKER = "worker"


def answers_here(role: Role, *, queue: str = "load_test", port: int = PORT) -> bool:
    """Whether a process of this role, for a worker of this queue, has lately been heard of here.

    Here means this host, which in a container is the container: others of a scaled service do not
    answer for it.
    """
    if role is Role.WEB:
        return _web_answers(port)
    if role is Role.WORKER:
        reports = asyncio.run(answering(queue))
        return any(report.description.host == socket.gethostname() for report in reports)
    alive = Daemon.objects.alive(DaemonRole(role.value))
    return bool(alive.filter(host=socket.gethostname()).exists())


def _web_answers(port: int) -> bool:
    """Whether /healthz answers; a redirect to https is an answer too."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/healthz", headers={"Host": _own_host()})
        return connection.getresponse().status < http.HTTPStatus.BAD_REQUEST
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _own_host() -> str:
    """A name under which the web lets itself be asked."""
    named = [host.lstrip(".") for host in settings.ALLOWED_HOSTS if host != "*"]
    return "localhost" if not named or "localhost" in named else named[0]
