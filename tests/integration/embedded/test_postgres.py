"""The embedded PostgreSQL for real: roles, survival, recovery, and what it leaves on the machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.embedded import names
from config.embedded.account import server_account
from config.embedded.files import read_env
from config.embedded.layout import lock_path
from config.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError

from .waiting import eventually, is_alive

FOREVER = "import time; time.sleep(600)"


@pytest.fixture(scope="module")
def state_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Stands for /var/lib/mikrotik-billing; the server's account must be able to reach it."""
    import shutil
    import tempfile

    root = Path(tempfile.mkdtemp(prefix="mb-state-"))
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, state_root: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("shared"), "shared", fast=True, state_root=state_root) as server:
        yield server


@pytest.fixture
def server(tmp_path: Path, state_root: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres", "one", fast=True, state_root=state_root)
    yield server
    server.destroy()


def value(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def run(url: str, query: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(query.encode())


def test_it_is_postgresql_18_on_a_unix_socket_only(shared: EmbeddedPostgres) -> None:
    assert str(value(shared.app_url, "SHOW server_version")).startswith("18.")
    assert value(shared.app_url, "SHOW listen_addresses") == ""
    assert value(shared.app_url, "SHOW server_encoding") == "UTF8"
    assert value(shared.app_url, "SHOW timezone") == "UTC"
    assert value(shared.app_url, "SELECT upper('é')") == "É"


def test_fast_is_only_for_tests(server: EmbeddedPostgres) -> None:
    settings = ("fsync", "synchronous_commit", "full_page_writes")
    server.start()
    assert [value(server.app_url, f"SHOW {name}") for name in settings] == ["off", "off", "off"]
    assert value(server.app_url, "SHOW max_connections") == "200"
    server.stop()
    server.fast = False
    server.start()
    assert [value(server.app_url, f"SHOW {name}") for name in settings] == ["on", "on", "on"]


def test_a_wrong_password_is_refused(shared: EmbeddedPostgres) -> None:
    password = shared.app_url.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(shared.app_url.replace(password, "x" * len(password)))


def test_the_application_reads_and_writes_rows_of_the_owners_tables(shared: EmbeddedPostgres) -> None:
    run(shared.owner_url, "CREATE TABLE rows (id bigserial PRIMARY KEY, word text)")
    run(shared.app_url, "INSERT INTO rows (word) VALUES ('a'), ('b')")
    run(shared.app_url, "UPDATE rows SET word = 'c' WHERE word = 'a'")
    run(shared.app_url, "DELETE FROM rows WHERE word = 'b'")
    assert value(shared.app_url, "SELECT string_agg(word, ',') FROM rows") == "c"


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE guarded",
        "ALTER TABLE guarded ADD COLUMN x int",
        "ALTER TABLE guarded DISABLE TRIGGER USER",
        "DROP TABLE guarded",
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE DATABASE mine",
        "CREATE ROLE mine",
        "SET ROLE mb_owner",
        "COPY guarded TO PROGRAM 'true'",
    ],
)
def test_the_application_may_not(shared: EmbeddedPostgres, statement: str) -> None:
    run(
        shared.owner_url,
        "CREATE TABLE IF NOT EXISTS guarded (id int); DELETE FROM guarded; INSERT INTO guarded VALUES (1)",
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(shared.app_url, statement)
    assert value(shared.app_url, "SELECT count(*) FROM guarded") == 1


def test_a_database_the_owner_creates_serves_the_application_at_once(shared: EmbeddedPostgres) -> None:
    run(shared.owner_url, "CREATE DATABASE test_made")
    made = shared.url(names.OWNER_ROLE, "test_made"), shared.url(names.APP_ROLE, "test_made")
    run(made[0], "CREATE TABLE rows (id int)")
    with psycopg.connect(made[1], autocommit=True) as application:
        application.execute("INSERT INTO rows VALUES (1)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("TRUNCATE rows")
        # Dropping it ends the application's open connection.
        run(shared.owner_url, "DROP DATABASE test_made WITH (FORCE)")
        with pytest.raises(psycopg.OperationalError):
            application.execute("SELECT 1")


def test_passwords_are_private_and_in_no_log(shared: EmbeddedPostgres) -> None:
    credentials = shared.log_path.with_name("credentials.env")
    assert credentials.stat().st_mode & 0o777 == 0o600
    assert shared.log_path.stat().st_mode & 0o777 == 0o600
    passwords = read_env(credentials)
    assert sorted(passwords) == ["mb_app", "mb_owner", "mb_super"]
    assert len({*passwords.values()}) == 3
    log = shared.log_path.read_text()
    command = Path(f"/proc/{shared.pid()}/cmdline").read_text()
    assert not any(password in log + command + repr(shared) for password in passwords.values())


def test_values_of_a_refused_row_are_not_logged(shared: EmbeddedPostgres) -> None:
    run(shared.owner_url, "CREATE TABLE codes (code text UNIQUE)")
    with psycopg.connect(shared.app_url, autocommit=True) as connection:
        connection.execute("INSERT INTO codes VALUES (%s)", ["VOUCHER-CODE-1"])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO codes VALUES (%s)", ["VOUCHER-CODE-1"])
    log = shared.log_path.read_text()
    assert "codes_code_key" in log
    assert "VOUCHER-CODE-1" not in log


def test_data_and_passwords_survive_a_restart(server: EmbeddedPostgres) -> None:
    server.start()
    urls = server.app_url, server.owner_url
    run(server.owner_url, "CREATE TABLE kept AS SELECT 7 AS id")
    server.stop()
    assert not server.is_running()
    server.stop()

    server.start()
    assert (server.app_url, server.owner_url) == urls
    assert value(server.app_url, "SELECT id FROM kept") == 7


def test_a_killed_postmaster_is_recovered_with_its_data(server: EmbeddedPostgres) -> None:
    server.fast = False
    server.start()
    run(server.owner_url, "CREATE TABLE kept AS SELECT 7 AS id")
    pid = server.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not server.is_running())

    server.start()
    assert server.pid() != pid
    assert value(server.app_url, "SELECT id FROM kept") == 7


def test_a_pid_file_with_a_recycled_pid_does_not_stop_the_start(server: EmbeddedPostgres) -> None:
    server.start()
    pid = server.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not server.is_running())
    server.stop()
    data = server.log_path.with_name("data")
    stranger = subprocess.Popen([sys.executable, "-c", FOREVER])
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        (data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        server.start()
        assert value(server.app_url, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_half_made_first_start_is_begun_again(server: EmbeddedPostgres) -> None:
    server.start()
    home = server.log_path.parent
    server.stop()
    (home / "data").rename(home / "data.new")  # killed between initdb and the rename

    server.start()
    assert not (home / "data.new").exists()
    assert value(server.app_url, "SELECT 1") == 1


def test_two_supervisors_never_share_one_server(server: EmbeddedPostgres, state_root: Path) -> None:
    server.start()
    second = EmbeddedPostgres(server.root, server.name, fast=True, state_root=state_root)
    with pytest.raises(EmbeddedPostgresError, match=f"in use by process {os.getpid()}"):
        second.start()
    second.stop()
    assert value(server.app_url, "SELECT 1") == 1


HOLDER = """
import sys, time, pathlib
from config.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(pathlib.Path(sys.argv[1]), "one", fast=True, state_root=pathlib.Path(sys.argv[2]))
server.start()
print(server.pid(), flush=True)
time.sleep(600)
"""


def held(server: EmbeddedPostgres, state_root: Path) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-c", HOLDER, str(server.root), str(state_root)]
    holder = subprocess.Popen(command, cwd=names.CLONE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    return holder, int(holder.stdout.readline())


def test_a_killed_supervisor_takes_its_server_along(server: EmbeddedPostgres, state_root: Path) -> None:
    holder, pid = held(server, state_root)
    assert is_alive(pid)
    holder.kill()
    holder.wait()
    assert eventually(lambda: not is_alive(pid))
    server.start()
    assert "automatic recovery" not in server.log_path.read_text()  # it was a clean shutdown


def test_a_server_that_outlived_its_supervisor_is_found_and_replaced(
    server: EmbeddedPostgres, state_root: Path
) -> None:
    holder, pid = held(server, state_root)
    os.kill(pid, signal.SIGSTOP)  # it cannot follow the kernel's signal yet
    holder.kill()
    holder.wait()
    os.kill(pid, signal.SIGCONT)
    server.start()
    assert server.pid() != pid
    assert not is_alive(pid)
    assert value(server.app_url, "SELECT 1") == 1


def test_destroy_leaves_no_file_but_the_lock(tmp_path: Path, state_root: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "gone", "gone", fast=True, state_root=state_root)
    server.start()
    home, pid = server.log_path.parent, server.pid()
    server.destroy()
    assert pid is not None
    assert not is_alive(pid)
    assert not home.exists()
    assert [path.name for path in server.root.iterdir()] == [lock_path(server.root, "gone").name]


def modes(paths: list[Path]) -> dict[Path, tuple[int, int, int]]:
    return {path: (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in paths}


def test_no_mode_or_owner_outside_its_own_folders_changes(tmp_path: Path, state_root: Path) -> None:
    deep = tmp_path / "closed" / "clone"
    deep.mkdir(parents=True)
    deep.parent.chmod(0o700)
    outside = [deep, *deep.parents, *state_root.parents, names.CLONE, *names.CLONE.parents, Path("/var/lib")]
    outside += [Path(sys.prefix), Path(sys.prefix) / "lib"]
    accounts = Path("/etc/passwd").read_bytes()
    before = modes(outside)
    server = EmbeddedPostgres(deep / "var", "modes", fast=True, state_root=state_root)
    server.start()
    during = modes(outside)
    server.destroy()
    assert during == before
    assert modes(outside) == before
    assert Path("/etc/passwd").read_bytes() == accounts


def test_the_server_runs_as_an_unprivileged_account(shared: EmbeddedPostgres) -> None:
    pid = shared.pid()
    assert pid is not None
    assert Path(f"/proc/{pid}").stat().st_uid == server_account().uid != 0


def test_a_long_path_still_gets_a_socket(tmp_path: Path, state_root: Path) -> None:
    root = tmp_path.joinpath(*["a-rather-long-folder-name"] * 5)
    server = EmbeddedPostgres(root, "long", fast=True, state_root=state_root)
    try:
        server.start()
        assert value(server.app_url, "SELECT 1") == 1
    finally:
        server.destroy()


def test_a_failed_start_says_why_and_lets_go(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("config.embedded.postgres.server_settings", lambda **_: "shared_buffers = 'nonsense'\n")
        with pytest.raises(EmbeddedPostgresError, match="shared_buffers"):
            server.start()
    assert not server.is_running()
    server.start()
    assert value(server.app_url, "SELECT 1") == 1


def test_variables_of_the_caller_do_not_mislead_it(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("PGPORT", "1")
    server.start()
    assert value(server.app_url, "SELECT 1") == 1
    assert (server.log_path.with_name("s") / names.SOCKET_NAME).is_socket()
