"""A private PostgreSQL server on a unix socket, owned by the process that started it."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg

from config.embedded import names
from config.embedded.account import server_account
from config.embedded.binaries import copied_programs, wheel_programs
from config.embedded.child import start_child
from config.embedded.files import FileLock, LockBusyError, read_env, write_env, write_private
from config.embedded.layout import lock_path, make_layout, remove_layout
from config.embedded.postmaster import clear_stale, read_pid_file, server_pid
from config.embedded.roles import create_roles
from config.embedded.server_settings import TlsListener, access_rules, server_settings
from core.db.grants import grant_application_role

_LOG_LIMIT = 10 * 1024 * 1024


class EmbeddedPostgresError(Exception):
    """The embedded server could not start or stop; the message is for the person at the terminal."""


class EmbeddedPostgres:
    """One embedded server: `with EmbeddedPostgres(root=..., name="demo") as server: server.app_url`.

    `root` holds its lock and, unless root runs it, its data under `root/name`; as root the data lies under
    `state_root` (default /var/lib/mikrotik-billing) and an existing unprivileged account runs it. `fast`
    gives up crash safety for tests. Raises EmbeddedPostgresError. Start it from the main thread: the kernel
    stops the server (fast shutdown) when the starting thread ends, however it ends.
    """

    def __init__(
        self,
        root: Path,
        name: str = "demo",
        *,
        fast: bool = False,
        state_root: Path = names.STATE_ROOT,
        programs: Path | None = None,
        tls: TlsListener | None = None,
    ) -> None:
        self.root = root
        self.name = name
        self.fast = fast
        self._state_root = state_root
        self._given_programs = programs
        self._tls = tls
        self._port = tls.port if tls else names.PORT
        self._lock = FileLock(lock_path(root, name))
        self._process: subprocess.Popen[bytes] | None = None
        self._passwords: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"EmbeddedPostgres(root={str(self.root)!r}, name={self.name!r}, fast={self.fast})"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def app_url(self) -> str:
        """URL of the application's role: rows only, cannot truncate or create (DATABASE_URL)."""
        return self.url(names.APP_ROLE)

    @property
    def owner_url(self) -> str:
        """URL of the role that owns and migrates the database (DATABASE_OWNER_URL)."""
        return self.url(names.OWNER_ROLE)

    def url(self, role: str, database: str = names.DATABASE) -> str:
        """A libpq URL with the role's password; secret."""
        folder = quote(str(self._layout.sockets), safe="/")
        # The port is named, because PGPORT in somebody's shell would otherwise decide it.
        return f"postgresql://{role}:{self._passwords[role]}@:{self._port}/{database}?host={folder}"

    @property
    def tls_url(self) -> str:
        """URL of the application's role over TLS to `localhost`; only with a `tls` listener."""
        password = self._passwords[names.APP_ROLE]
        return f"postgresql://{names.APP_ROLE}:{password}@localhost:{self._port}/{names.DATABASE}"

    @property
    def programs(self) -> Path:
        """Folder of psql, pg_dump and the other client programs, usable by the caller's account."""
        return self._programs

    @property
    def log_path(self) -> Path:
        return self._layout.log

    def start(self, *, wait_seconds: float = 60.0) -> None:
        """Start the server, creating it the first time, and wait until it accepts connections."""
        if sys.platform != "linux":
            raise EmbeddedPostgresError("The embedded PostgreSQL runs on Linux only. Set DATABASE_URL.")
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("Start the embedded server from the main thread: it ends with the starting thread.")
        if self.is_running():
            return
        self._take_lock()
        try:
            self._prepare()
            self._launch(wait_seconds)
            self._ensure_roles()
        except BaseException as error:
            self.stop()
            if isinstance(error, LookupError | OSError | ValueError | psycopg.Error | subprocess.SubprocessError):
                raise EmbeddedPostgresError(f"The embedded PostgreSQL did not start: {error}") from error
            raise

    def is_running(self) -> bool:
        """Whether the server started by this object still runs."""
        return self._process is not None and self._process.poll() is None

    def pid(self) -> int | None:
        """Process id of the running server."""
        return self._process.pid if self._process is not None and self.is_running() else None

    def stop(self, *, wait_seconds: float = 30.0) -> None:
        """Stop the server (`pg_ctl stop -m fast`, then harder) and release its lock. Harmless twice."""
        try:
            if self._process is not None:
                self._stop_server(wait_seconds)
        finally:
            self._process = None
            self._lock.release()

    def destroy(self) -> None:
        """Stop the server and delete all its data for good."""
        self.stop()
        self._take_lock()
        try:
            self._locate()
            self._end_leftover()
            remove_layout(self.root, self.name, self._layout)
        finally:
            self._lock.release()

    # -- steps
    # ---------------------------------------------------------------------------------------------------

    def _take_lock(self) -> None:
        self._lock.release()
        try:
            self._lock.acquire()
        except LockBusyError as error:
            raise EmbeddedPostgresError(
                f"The embedded PostgreSQL '{self.name}' in {self.root} is in use by process {error.pid}."
            ) from error

    def _locate(self) -> None:
        self._account = server_account()
        self._layout = make_layout(self.root, self.name, self._account, self._state_root)
        self._programs = self._given_programs or self._own_programs()

    def _own_programs(self) -> Path:
        return copied_programs(self._state_root) if self._account.switch else wheel_programs()

    def _prepare(self) -> None:
        self._locate()
        self._end_leftover()
        layout = self._layout
        if not layout.data.is_dir():
            self._create_cluster()
        self._passwords = {
            role: read_env(layout.credentials)[role] for role in (names.SUPER_ROLE, names.OWNER_ROLE, names.APP_ROLE)
        }
        tls = self._own_certificate() if self._tls else None
        text = server_settings(sockets=layout.sockets, rules=layout.access_rules, fast=self.fast, tls=tls)
        for path, content in ((layout.settings, text), (layout.access_rules, access_rules(tls))):
            write_private(path, content)
            path.chmod(0o644)

    def _own_certificate(self) -> TlsListener:
        """A copy of certificate and key that belongs to the server's account: PostgreSQL insists on it."""
        assert self._tls is not None  # noqa: S101 - for the type checker; the only caller looked
        copy = TlsListener(self._port, self._layout.home / "server.crt", self._layout.home / "server.key")
        for source, target in ((self._tls.certificate, copy.certificate), (self._tls.key, copy.key)):
            write_private(target, source.read_text(encoding="ascii"))
            os.chown(target, self._account.uid, self._account.gid)
        return copy

    def _end_leftover(self) -> None:
        """End a server whose supervisor was killed; we hold the lock, so nobody else owns it."""
        data = self._layout.data
        if server_pid(data) is not None:
            self._pg_ctl_stop("fast", 30.0)
        clear_stale(data, self._layout.sockets)

    def _create_cluster(self) -> None:
        """Build the data folder aside and rename it: a killed first start leaves nothing half made."""
        layout, account = self._layout, self._account
        passwords = {role: secrets.token_urlsafe(24) for role in (names.SUPER_ROLE, names.OWNER_ROLE, names.APP_ROLE)}
        for old in layout.home.glob("data.new*"):
            shutil.rmtree(old)
        fresh = layout.home / "data.new"
        fresh.mkdir(mode=0o700)
        if account.switch:
            os.chown(fresh, account.uid, account.gid)
        password_file = layout.home / "initdb.password"
        write_private(password_file, passwords[names.SUPER_ROLE] + "\n")
        if account.switch:
            os.chown(password_file, account.uid, account.gid)
        command = [
            str(self._programs / "initdb"),
            "-D",
            str(fresh),
            "-U",
            names.SUPER_ROLE,
            "--encoding=UTF8",
        ]
        command += self._locale_options()
        command += [
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
            *(["--no-sync"] if self.fast else []),
        ]
        try:
            done = self._run(command, timeout=120)
        finally:
            password_file.unlink()
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"initdb failed: {done.stderr.strip()[-600:]}")
        write_env(layout.credentials, passwords, heading="Passwords of the embedded PostgreSQL. Keep private.")
        fresh.rename(layout.data)

    def _locale_options(self) -> list[str]:
        """UTF-8 without the system's locales: from version 17 PostgreSQL brings its own."""
        version = self._run([str(self._programs / "postgres"), "--version"], timeout=30).stdout
        if int(version.split()[2].split(".")[0]) < 17:
            return ["--locale=C.UTF-8"]
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]

    def _launch(self, wait_seconds: float) -> None:
        layout, account = self._layout, self._account
        if layout.log.exists() and layout.log.stat().st_size > _LOG_LIMIT:
            layout.log.replace(layout.log.with_suffix(".log.1"))
        command = [str(self._programs / "postgres"), "-D", str(layout.data)]
        command += ["-c", f"config_file={layout.settings}"]
        log = os.open(layout.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            self._process = start_child(
                command, env=self._environment(), cwd=layout.home, output=log,
                stop_signal=signal.SIGINT, account=account, new_session=True,
            )  # fmt: skip
        finally:
            os.close(log)
        self._wait_ready(time.monotonic() + wait_seconds)

    def _wait_ready(self, deadline: float) -> None:
        while True:
            found = read_pid_file(self._layout.data)
            if (
                self._process is not None
                and found is not None
                and found.pid == self._process.pid
                and found.status == "ready"
            ):
                return
            if not self.is_running():
                raise EmbeddedPostgresError(f"PostgreSQL ended at once. Its last words:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL is not ready in time. Its last words:\n{self._log_tail()}")
            time.sleep(0.02)

    def _ensure_roles(self) -> None:
        owner_password, app_password = self._passwords[names.OWNER_ROLE], self._passwords[names.APP_ROLE]
        with psycopg.connect(self.url(names.SUPER_ROLE, "template1"), autocommit=True) as connection:
            create_roles(connection, owner_password=owner_password, app_password=app_password)
        with psycopg.connect(self.owner_url) as connection:
            grant_application_role(connection, names.APP_ROLE)

    def _stop_server(self, wait_seconds: float) -> None:
        assert self._process is not None  # noqa: S101 - for the type checker; the only caller looked
        for mode in ("fast", "immediate"):
            if not self.is_running():
                return
            self._pg_ctl_stop(mode, wait_seconds)
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                continue
        if self.is_running():
            self._process.kill()
            self._process.wait(timeout=10)

    def _pg_ctl_stop(self, mode: str, wait_seconds: float) -> None:
        command = [str(self._programs / "pg_ctl"), "stop", "-D", str(self._layout.data), "-m", mode, "-w"]
        self._run([*command, "-t", str(int(wait_seconds))], timeout=wait_seconds + 10)

    def _run(self, command: list[str], *, timeout: float) -> subprocess.CompletedProcess[str]:
        account = self._account
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False,
            cwd=self._layout.home, env=self._environment(),
            user=account.uid if account.switch else None, group=account.gid if account.switch else None,
            extra_groups=[] if account.switch else None,
        )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        """PG* variables of the caller would point our own tools at another server."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

    def _log_tail(self) -> str:
        try:
            return self._layout.log.read_text(encoding="utf-8", errors="replace")[-1500:].strip()
        except FileNotFoundError:
            return "(no log)"
