"""As whom does a server run? As whoever starts it, except that PostgreSQL refuses root."""

import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from loadlab.embedded.errors import EmbeddedServerError

COMMAND_TIMEOUT_S = 120.0
_NOBODY = 65534
_TIMED_OUT = 124  # as timeout(1) says it
_UNSHARE = ("--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The user a server's programs run as: uid None means this process's own user."""

    uid: int | None = None
    gid: int | None = None
    prefix: tuple[str, ...] = ()

    @property
    def owner(self) -> int:
        """The user id that owns what the server writes."""
        return os.geteuid() if self.uid is None else self.uid

    def give(self, *paths: Path) -> None:
        """Hand files that this process made to the account."""
        if self.uid is not None and self.gid is not None:
            for path in paths:
                os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def take_over(self, folder: Path) -> None:
        """Hand everything in `folder` to the account, where another user made it."""
        if self.uid is not None and folder.stat().st_uid != self.uid:
            self.give(*folder.rglob("*"), folder)

    def run(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        log: IO[bytes],
        environment: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> int:
        """Run `command` to its end, in a session of its own so that Ctrl-C does not reach it.

        Its environment holds nothing of ours: a PGPORT or an unknown locale would mislead it.
        """
        path = os.environ.get("PATH", os.defpath)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return subprocess.run(  # noqa: S603 - programs of the wheels, paths of this checkout
                [*self.prefix, *map(str, command)],
                cwd=cwd,
                env={"PATH": path, "LC_ALL": "C", "TZ": "UTC", **(environment or {})},
                input=stdin.encode(),
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
                user=self.uid,
                group=self.gid,
                extra_groups=None if self.uid is None else [],
                timeout=COMMAND_TIMEOUT_S,
                check=False,
            ).returncode
        return _TIMED_OUT


def account_for(data: Path, *, program: Path, refuses_root: bool) -> Account:
    """Return the account whose server may use `data`, running `program`.

    Ordinary users run their own. Root runs a server over another user's data as that user, and one
    that refuses root in a user namespace, where root looks like nobody and still owns its files:
    no user, no chown. Where namespaces are forbidden, or a folder on the way admits root only by
    the capabilities that a namespace takes away, another user must do.
    """
    if os.geteuid() != 0:
        return _own()
    if data.exists() and data.stat().st_uid != 0:
        return _another(data.stat().st_uid, data=data, program=program)
    if not refuses_root:
        return _own()
    unshare = _unshare()
    barred = _barred(data, uid=0) or _barred(program, uid=0)
    if unshare and not barred:
        return Account(prefix=unshare)
    uid = barred.stat().st_uid if barred else 0
    return _another(uid or _nobody(), data=data, program=program)


def _own() -> Account:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:  # initdb refuses a user without a name, which containers are fond of
        return Account(prefix=_unshare())
    return Account()


def _another(uid: int, *, data: Path, program: Path) -> Account:
    barred = _barred(data, uid=uid) or _barred(program, uid=uid)
    if barred:
        raise EmbeddedServerError(
            f"A server may not run as root here, and user {uid} may not enter {barred}: work as an "
            "ordinary user, or set LOADLAB_VAR to a folder that everybody may enter."
        )
    try:
        return Account(uid=uid, gid=pwd.getpwuid(uid).pw_gid)
    except KeyError:
        return Account(uid=uid, gid=uid, prefix=_unshare())


def _nobody() -> int:
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        return _NOBODY


def _unshare() -> tuple[str, ...]:
    """The words that run a command as nobody in a user namespace; none where that is forbidden."""
    program = shutil.which("unshare")
    if program is None:
        return ()
    command = (program, *_UNSHARE)
    try:
        tried = subprocess.run(  # noqa: S603 - fixed words
            [*command, "true"], capture_output=True, check=False, timeout=10
        )
    except subprocess.TimeoutExpired:
        return ()
    return command if tried.returncode == 0 else ()


def _barred(path: Path, *, uid: int) -> Path | None:
    """Return the uppermost folder above `path` that `uid`, without capabilities, may not enter."""
    for folder in reversed(path.parents):
        if not folder.exists():
            break
        found = folder.stat()
        if not found.st_mode & (0o100 if found.st_uid == uid else 0o001):
            return folder
    return None
