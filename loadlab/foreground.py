"""Everything that loadlab needs on one machine, in the foreground until Ctrl-C: `make up`.

Says what it cannot do before it starts anything, prepares database, static files and the demo user,
then runs the processes of the Procfile by honcho.
"""

import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connections
from honcho import manager
from honcho.environ import parse_procfile
from honcho.printer import Printer

from workers.running import STOP_S

CHECKOUT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
PORT = "8000"
# why not honcho's 5 s: a worker takes that long to put its tasks back, and killed it puts none back
KILL_AFTER_S = STOP_S + 4


def main() -> int:
    """Prepare and run; the exit code: 0 told to stop, 1 could not go on, 2 wrong settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loadlab.settings")
    try:
        django.setup()  # reads .env, where PORT may stand
        port = asked_port(os.environ)
        refuse_a_taken(port)
        prepare(url=f"http://{HOST}:{port}")
    except (Exception, KeyboardInterrupt) as error:
        told = _in_a_sentence(error)
        if told is None:
            raise
        if str(told):
            sys.stderr.write(f"{told}\n")
        return told.returncode
    return run((CHECKOUT / "Procfile").read_text(), port=port)


def asked_port(environment: Mapping[str, str]) -> int:
    """PORT, by default 8000."""
    asked = environment.get("PORT") or PORT
    if not (asked.isascii() and asked.isdecimal() and 0 < int(asked[:6]) < 65_536):
        raise ImproperlyConfigured(f"PORT is {asked!r}: it must be a number from 1 to 65535.")
    return int(asked)


def refuse_a_taken(port: int) -> None:
    """Raise CommandError where the web could not listen: said before anything is started."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} of {HOST} cannot be used ({error.strerror}): stop what listens there "
                "(another `make up`?), or choose another port, as in `make up PORT=8001`."
            ) from error


def prepare(*, url: str) -> None:
    """Check the settings, bring tables and static files up to date, say who may log in where."""
    call_command("check", stdout=StringIO())  # why: a worker would find out when all is started
    call_command("migrate", interactive=False, verbosity=0)
    if settings.STATIC_ROOT:  # without one they are served from where they lie
        call_command("collectstatic", interactive=False, verbosity=0)
    call_command("demo_user", url=url)
    connections.close_all()  # why: the processes to come are forks of this one


def run(procfile: str, *, port: int) -> int:
    """Run the processes until a signal, or until one of them ends, which ends the others."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    environment = {**os.environ, "PATH": path, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    processes = Foreground(printer=Printer(_Output()))
    for name, command in parse_procfile(procfile).processes.items():
        processes.add_process(name, command, env=environment, cwd=str(CHECKOUT))
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # a closed terminal; nohup ignores it
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    manager.KILL_WAIT = KILL_AFTER_S
    processes.loop()
    if processes.told_to_stop:
        return 0
    sys.stderr.write("A process ended by itself, so the others were stopped: see its last lines.\n")
    return 1


class Foreground(manager.Manager):  # type: ignore[misc]  # honcho has no types
    """honcho's manager, which may be told to stop while it is still starting.

    honcho itself then asks for processes whose ids it does not know yet, dies of that and leaves
    behind what it has started.
    """

    @property
    def told_to_stop(self) -> bool:
        """Whether a signal came before any process ended by itself."""
        return self.returncode in {known["rc"] for known in manager.SIGNALS.values()}

    def terminate(self) -> None:
        """End all processes, if they have all begun; else the loop asks again once they have."""
        if self._all_started():
            super().terminate()

    def _any_stopped(self) -> bool:
        return self.returncode is not None or super()._any_stopped()


class _Output:
    """Standard output; once nobody reads it any more, there is nobody to be in front of."""

    def __init__(self) -> None:
        self._is_read = True

    def isatty(self) -> bool:
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def write(self, text: str) -> None:
        self._do(sys.stdout.write, text)

    def flush(self) -> None:
        self._do(sys.stdout.flush)

    def _do(self, act: Callable[..., object], *arguments: str) -> None:
        if not self._is_read:
            return
        try:
            act(*arguments)
        except OSError:
            self._is_read = False  # why first: the signal's handler writes as well
            _let_go_of_stdout()
            os.kill(os.getpid(), signal.SIGTERM)


def _let_go_of_stdout() -> None:
    """Write to nothing from now on: what the buffer still holds would fail again at exit."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


def _in_a_sentence(error: BaseException) -> CommandError | None:
    if isinstance(error, KeyboardInterrupt):
        return CommandError("", returncode=130)
    if isinstance(error, ImproperlyConfigured):
        return CommandError(str(error), returncode=2)
    from runs.cli.exits import refusal  # why here: it needs the apps

    return refusal(error)


if __name__ == "__main__":
    sys.exit(main())
