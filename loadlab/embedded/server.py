"""What the two servers share: found by socket, started under a lock, mended and stopped."""

import contextlib
import os
import pwd
import re
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil

from loadlab.embedded.accounts import Account
from loadlab.embedded.errors import EmbeddedServerError
from loadlab.embedded.liveness import Pulse, locked, processes_in, wait_until
from loadlab.embedded.places import (
    make_socket_folder,
    refuse_a_strangers,
    socket_folder,
    takes_sockets,
)

ANSWER_TIMEOUT_S = 5.0
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
_LAST_LINES = 15
_COMPLAINT = re.compile(r"FATAL|PANIC|error|Bad |Can't", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server(ABC):
    """One embedded server, whose data, log and socket lie in one var folder."""

    var: Path

    name: ClassVar[str]
    key: ClassVar[str]
    program_name: ClassVar[str]
    socket_name: ClassVar[str]
    url_variable: ClassVar[str]

    @property
    def data(self) -> Path:
        """The folder that holds the data, and the working directory of the server."""
        return self.var / self.key

    @property
    def log(self) -> Path:
        """The file that the server writes its log to."""
        return self.var / "log" / f"{self.key}.log"

    @property
    def socket_path(self) -> Path:
        """The socket that the server listens on."""
        return socket_folder(self.var) / self.socket_name

    def ensure(self) -> Path:
        """Return the socket once the server answers, starting the server first if need be."""
        with self._explained():
            if self.pulse() is not Pulse.ANSWERS:
                with locked(self.var):
                    self._start_unless_alive()
            return self.socket_path

    def stop(self) -> bool:
        """End the server; whether there was one."""
        if not self.var.exists():
            return False
        with self._explained(), locked(self.var):
            pulse = self.pulse()
            running = self.processes()
            if pulse is not Pulse.ABSENT and not running:
                raise EmbeddedServerError(
                    f"{self.name} answers on {self.socket_path} and is no process that this user "
                    "may see: stop it as the user who started it."
                )
            self._end(running)
            return bool(running)

    def pulse(self) -> Pulse:
        """Ask the server's socket whether the server is alive."""
        path = self.socket_path
        if not takes_sockets(path.parent):
            return Pulse.ABSENT  # no server can be there, nor a link to where one is
        if (self.var / "run").is_symlink() and path.parent.exists():
            refuse_a_strangers(
                path.parent, owners={os.geteuid(), (self.var / "run").lstat().st_uid}
            )
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_TIMEOUT_S)
            try:
                connection.connect(str(path))
                return self.answer(connection)
            except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
                return Pulse.ABSENT
            except (TimeoutError, BlockingIOError, ConnectionError):
                return Pulse.SILENT  # alive and busy, or on its way up or down

    def processes(self) -> list[psutil.Process]:
        """Return the server's live processes."""
        return processes_in(self.data, program=self.program_name)

    @abstractmethod
    def answer(self, connection: socket.socket) -> Pulse:
        """Say on a fresh `connection` what the server makes of a greeting."""

    @abstractmethod
    def account(self) -> Account:
        """Return the account that the server runs as."""

    @abstractmethod
    def start(self, account: Account) -> None:
        """Start the server in the background, none of it being alive; its socket says if it is."""

    @abstractmethod
    def ask_to_end(self, process: psutil.Process) -> None:
        """Tell one of the server's processes to end."""

    def refusal(self) -> EmbeddedServerError:
        """Return the error of a server that did not start, with the last words of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        lines = [line.strip() for line in text.splitlines() if line.strip()][-_LAST_LINES:]
        complaints = [line for line in lines if _COMPLAINT.search(line)]
        last = (complaints or lines or ["it said nothing"])[-1]
        return EmbeddedServerError(
            f"{self.name} did not start ({last}): read {self.log}, mend what it names and try "
            f"again, or set {self.url_variable} to a server of your own."
        )

    def _start_unless_alive(self) -> None:
        if not wait_until(lambda: self.pulse() is not Pulse.SILENT, timeout_s=START_TIMEOUT_S):
            raise EmbeddedServerError(
                f"{self.name} runs but has not answered for {START_TIMEOUT_S:.0f} s: read "
                f"{self.log}, or end it with `make down` and try again."
            )
        if self.pulse() is Pulse.ANSWERS:
            return
        account = self.account()
        # why: a killed server's children live on for a moment and hold its shared memory; one
        # whose socket was removed holds the data and can be reached by nobody
        self._end(self.processes())
        account.give(make_socket_folder(self.var, owner=account.owner))
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("ab"):
            account.give(self.log)
        self.start(account)
        wait_until(self._answers_or_died, timeout_s=START_TIMEOUT_S)
        if self.pulse() is not Pulse.ANSWERS:
            raise self.refusal()

    def _answers_or_died(self) -> bool:
        return self.pulse() is Pulse.ANSWERS or not self.processes()

    def _end(self, running: list[psutil.Process]) -> None:
        for process in running:
            with contextlib.suppress(psutil.NoSuchProcess):
                self.ask_to_end(process)
        if running and not wait_until(lambda: not self.processes(), timeout_s=STOP_TIMEOUT_S):
            pids = ", ".join(str(process.pid) for process in self.processes())
            raise EmbeddedServerError(
                f"{self.name} (process {pids}) was told to end and still runs: read {self.log}, "
                "end it yourself and try again."
            )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise EmbeddedServerError(
                f"{self.name} cannot be used in {self.var} ({error.strerror or error}"
                f"{_owner_of(self.var)}): set LOADLAB_VAR to a folder of your own, or "
                f"{self.url_variable} to a server of your own."
            ) from error


def _owner_of(folder: Path) -> str:
    try:
        uid = folder.stat().st_uid
    except OSError:
        return ""
    if uid == os.geteuid():
        return ""
    try:
        return f"; it belongs to {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"; it belongs to user {uid}"
