"""Where do the embedded servers keep their data, their logs and their sockets?"""

import hashlib
import os
import re
import stat
import sys
import tempfile
from pathlib import Path

from loadlab.embedded.errors import EmbeddedServerError

CHECKOUT = Path(__file__).resolve().parents[2]
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"
# sun_path holds 108 bytes on Linux and 104 on macOS, one of them the closing NUL
SOCKET_PATH_LIMIT_BYTES = 103 if sys.platform == "darwin" else 107
# a comma means several hosts to libpq; the others mean something to a URL or to postgresql.conf
_PLAIN = re.compile(r"[^,\"\\%?#\x00-\x1f\x7f]+")


def var_folder() -> Path:
    """Return LOADLAB_VAR, a relative one counted from the checkout; by default `var` there."""
    return (CHECKOUT / (os.environ.get("LOADLAB_VAR", "").strip() or "var")).resolve()


def socket_folder(var: Path) -> Path:
    """Return the folder of the sockets: `var/run`, or what that name points to."""
    run = var / "run"
    return run.readlink() if run.is_symlink() else run


def takes_sockets(folder: Path) -> bool:
    """Whether a socket in `folder` has an address that the system and both clients understand."""
    try:
        length = len(str(folder / LONGEST_SOCKET_NAME).encode())
    except UnicodeEncodeError:  # a file name that is not UTF-8
        return False
    return length <= SOCKET_PATH_LIMIT_BYTES and _PLAIN.fullmatch(str(folder)) is not None


def make_socket_folder(var: Path, *, owner: int) -> Path:
    """Make the folder of the sockets and return it.

    Where `var/run` is too long or too odd a path for a socket, it becomes a link to a private
    folder among the temporary files: a link, so that commands whose TMPDIR differs still agree.
    """
    run = var / "run"
    if takes_sockets(run):
        if run.is_symlink():  # the folder was moved here from a longer path
            run.unlink()
        run.mkdir(mode=0o700, exist_ok=True)
        return run
    folder = _temporary_folder(var, owner=owner)
    if not run.is_symlink() or run.readlink() != folder:
        run.unlink(missing_ok=True)
        run.symlink_to(folder)
    folder.mkdir(mode=0o700, exist_ok=True)
    refuse_a_strangers(folder, owners={os.geteuid(), owner})
    return folder


def refuse_a_strangers(folder: Path, *, owners: set[int]) -> None:
    """Raise unless `folder` is a private one of `owners`.

    It lies among everybody's files, and anyone may make one of that name first and listen in it.
    """
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or found.st_mode & 0o077:
        raise EmbeddedServerError(
            f"The sockets of the embedded servers belong in {folder}, which is not a private "
            "folder of this user: remove it, or set LOADLAB_VAR to a shorter path."
        )


def _temporary_folder(var: Path, *, owner: int) -> Path:
    digest = hashlib.sha256(os.fsencode(var)).hexdigest()[:12]
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - owner and mode are checked
        folder = parent.resolve() / f"loadlab-{owner}-{digest}"
        if takes_sockets(folder):
            return folder
    raise EmbeddedServerError(
        f"The path {var} is too long for a socket and so is the temporary folder: "
        "set LOADLAB_VAR to a shorter path."
    )
