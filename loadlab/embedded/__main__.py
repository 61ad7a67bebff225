"""`python -m loadlab.embedded start|stop|status`: what `make down` calls."""

import argparse
import sys

import environ

from loadlab.embedded import EmbeddedServerError, ensure_postgres, ensure_valkey, status, stop
from loadlab.embedded.places import CHECKOUT


def main() -> int:
    """Start or stop the servers of this checkout, or say how they are."""
    parser = argparse.ArgumentParser(prog="python -m loadlab.embedded")
    parser.add_argument("action", choices=sorted(_ACTIONS))
    act = _ACTIONS[parser.parse_args().action]
    environ.Env.read_env(CHECKOUT / ".env")  # why: LOADLAB_VAR may be set there
    try:
        lines = act()
    except EmbeddedServerError as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is a command
        return 1
    print("\n".join(lines))  # noqa: T201
    return 0


def _started() -> list[str]:
    """For programs that are not ours and begin before a command of ours needs the servers."""
    ensure_valkey()
    ensure_postgres()
    return _states()


def _stopped() -> list[str]:
    return [f"{name} is stopped." for name in stop()] or ["No embedded server was running."]


def _states() -> list[str]:
    return [
        f"{one.name}: {'runs on' if one.running else 'does not run on'} {one.socket}, log {one.log}"
        for one in status()
    ]


_ACTIONS = {"start": _started, "stop": _stopped, "status": _states}

if __name__ == "__main__":
    sys.exit(main())
