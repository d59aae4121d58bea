"""bin/upgrade against a real PostgreSQL and a real git clone: forward, and all the way back when a step fails."""

from __future__ import annotations

import http.server
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.embedded import names
from config.embedded.postgres import EmbeddedPostgres
from config.env import EnvError

sys.path.insert(0, str(names.CLONE / "bin"))

from _upgrade import Upgrade, UpgradeError

MANAGE = """
import os, sys, psycopg
STATEMENTS = {statements!r}
if sys.argv[1] == "migrate":
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as connection:
        for statement in STATEMENTS:
            connection.execute(statement)
"""
OLD = ["CREATE TABLE IF NOT EXISTS kept (id int PRIMARY KEY, word text)"]
NEW = ["ALTER TABLE kept ADD COLUMN added int DEFAULT 5", "CREATE TABLE IF NOT EXISTS fresh (id int)"]
BROKEN = [*NEW, "DELETE FROM kept", "SELECT 1/0"]
SYSTEMCTL = """#!/bin/sh
echo "$@" >> "{log}"
if [ "$1" = list-units ]; then echo "mikrotik-billing-web.service loaded active running Web"; fi
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path_factory.mktemp("upgrade"), "test-upgrade", fast=True)
    server.start()
    yield server
    server.destroy()


class Clone:
    """A git clone whose manage.py knows `migrate`, with two revisions after the one that runs."""

    def __init__(self, folder: Path, server: EmbeddedPostgres, database: str) -> None:
        self.folder = folder
        self.owner = server.url(names.OWNER_ROLE, database)
        self.app = server.url(names.APP_ROLE, database)
        self.git("init", "--quiet", "--initial-branch", "main")
        (folder / "bin").mkdir()
        (folder / ".gitignore").write_text("var/\n.venv/\n")
        (folder / "bin" / "_install.py").write_text(
            "import sys; open('var/installs', 'a').write(sys.argv[2] + '\\n')\n"
        )
        (folder / "var").mkdir()
        (folder / ".venv" / "bin").mkdir(parents=True)
        python = folder / ".venv" / "bin" / "python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        self.old = self.commit(OLD)
        self.new = self.commit(OLD + NEW)
        self.broken = self.commit(OLD + BROKEN)
        self.git("checkout", "--quiet", "--detach", self.old)
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute(OLD[0].encode())
            connection.execute("INSERT INTO kept VALUES (1, 'paid'), (2, 'owed')")

    def git(self, *arguments: str) -> str:
        options = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *options, *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, statements: list[str]) -> str:
        (self.folder / "manage.py").write_text(MANAGE.format(statements=statements))
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", "step")
        return self.git("rev-parse", "HEAD")

    def upgrade(self, to: str | None, url: str = "http://127.0.0.1:9", **values: str) -> Upgrade:
        environ = dict(os.environ) | {"DATABASE_URL": self.app, "DATABASE_OWNER_URL": self.owner}
        environ.pop("BACKUP_STORAGE_PATH", None)
        environ |= values
        return Upgrade(self.folder, environ, to=to, url=url)

    def facts(self) -> dict[str, object]:
        """Tables, rows and the application's rights."""
        with psycopg.connect(self.app, autocommit=True) as connection:
            return {
                "tables": connection.execute(
                    "SELECT table_name, string_agg(column_name, ',' ORDER BY ordinal_position)"
                    " FROM information_schema.columns WHERE table_schema = 'public' GROUP BY 1 ORDER BY 1"
                ).fetchall(),
                "rows": connection.execute("SELECT id, word FROM kept ORDER BY id").fetchall(),
                "rights": connection.execute(
                    "SELECT r, has_table_privilege('kept', r) FROM unnest(ARRAY['INSERT', 'TRUNCATE']) r ORDER BY r"
                ).fetchall(),
            }


@pytest.fixture
def clone(tmp_path: Path, server: EmbeddedPostgres, request: pytest.FixtureRequest) -> Iterator[Clone]:
    database = "upgrade_" + str(abs(hash(request.node.name)))
    with psycopg.connect(server.owner_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}".encode())
    folder = tmp_path / "clone"
    folder.mkdir()
    yield Clone(folder, server, database)
    with psycopg.connect(server.owner_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl that writes down what it was asked."""
    folder, log = tmp_path / "programs", tmp_path / "systemctl.log"
    folder.mkdir()
    program = folder / "systemctl"
    program.write_text(SYSTEMCTL.format(log=log))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return log


@pytest.fixture
def readyz() -> Iterator[tuple[str, list[int]]]:
    """A web server whose /readyz answers the codes of a list, the last one for ever."""
    codes = [200]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(codes.pop(0) if len(codes) > 1 else codes[0])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{web.server_address[1]}", codes
    web.shutdown()
    web.server_close()


BEFORE = {
    "tables": [("kept", "id,word")],
    "rows": [(1, "paid"), (2, "owed")],
    "rights": [("INSERT", True), ("TRUNCATE", False)],
}


def test_forward(clone: Clone, systemctl: Path, readyz: tuple[str, list[int]]) -> None:
    upgrade = clone.upgrade(clone.new, readyz[0])
    assert upgrade.run() == 0
    assert clone.git("rev-parse", "HEAD") == clone.new
    assert clone.facts() == BEFORE | {"tables": [("fresh", "id"), ("kept", "id,word,added")]}
    assert (clone.folder / "var" / "deployed-revision").read_text() == clone.new + "\n"
    assert (clone.folder / "var" / "installs").read_text() == "requirements.txt\n"
    assert upgrade.dump.parent == clone.folder / "var" / "backups"
    assert stat.S_IMODE(upgrade.dump.stat().st_mode) == 0o600
    assert [path.name for path in upgrade.dump.parent.iterdir()] == [upgrade.dump.name]
    assert [line.split()[0] for line in systemctl.read_text().splitlines()] == ["list-units", "stop", "start"]


def test_the_backup_goes_where_the_settings_say(
    clone: Clone, systemctl: Path, readyz: tuple[str, list[int]], tmp_path: Path
) -> None:
    """From `.env`, from the environment (which wins), and beside the code when the path is relative."""
    (clone.folder / ".gitignore").write_text("var/\n.venv/\n.env\n")
    clone.git("commit", "--quiet", "--all", "--message", "ignore")
    (clone.folder / ".env").write_text(f"BACKUP_STORAGE_PATH={tmp_path}/of the file\n")
    places = [
        (tmp_path / "of the file", {}),
        (tmp_path / "disk" / "backups", {"BACKUP_STORAGE_PATH": f"{tmp_path}/disk/backups"}),
        (clone.folder / "var" / "elsewhere", {"BACKUP_STORAGE_PATH": "var/elsewhere"}),
    ]
    for folder, values in places:
        upgrade = clone.upgrade(None, readyz[0], **values)
        assert upgrade.run() == 0
        assert [path.name for path in folder.iterdir()] == [upgrade.dump.name]
        assert stat.S_IMODE((folder / upgrade.dump.name).stat().st_mode) == 0o600
    assert not (clone.folder / "var" / "backups").exists()


def test_without_room_for_the_backup_nothing_is_changed(
    clone: Clone, systemctl: Path, readyz: tuple[str, list[int]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    upgrade = clone.upgrade(clone.new, readyz[0], BACKUP_STORAGE_PATH=f"{tmp_path}/file/backups")
    assert upgrade.run() == 1
    assert "Nothing was changed: " in capfd.readouterr().out
    assert clone.facts() == BEFORE
    assert clone.git("rev-parse", "HEAD") == clone.old
    assert [line.split()[0] for line in systemctl.read_text().splitlines()] == ["list-units", "stop", "start"]


def test_a_failed_migration_puts_code_and_data_back(
    clone: Clone, systemctl: Path, readyz: tuple[str, list[int]], capfd: pytest.CaptureFixture[str]
) -> None:
    assert clone.facts() == BEFORE
    upgrade = clone.upgrade(clone.broken, readyz[0])
    assert upgrade.run() == 1
    # The migration had added a column and a table and deleted every row, each committed.
    assert clone.facts() == BEFORE
    assert clone.git("rev-parse", "HEAD") == clone.old
    assert [line.split()[0] for line in systemctl.read_text().splitlines()] == ["list-units", "stop", "stop", "start"]
    said = capfd.readouterr().out
    assert "The upgrade failed: " in said
    assert "The old state is back." in said
    assert clone.owner.split(":")[2].split("@")[0] not in said
    with psycopg.connect(clone.owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE later (id int)")
    with psycopg.connect(clone.app, autocommit=True) as connection:
        connection.execute("INSERT INTO later VALUES (1)")  # the owner's default rights came back too


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interruption_in_the_middle_puts_code_and_data_back(
    clone: Clone, systemctl: Path, readyz: tuple[str, list[int]], capfd: pytest.CaptureFixture[str], name: str
) -> None:
    """Ctrl-C, a stopping machine, an ssh session that breaks: told in a sentence, and again while it goes back."""
    clone.git("checkout", "--quiet", clone.new)
    manage = clone.folder / "manage.py"
    word = f"import os, signal, sys; sys.argv[1:2] == ['migrate'] and os.kill(os.getppid(), signal.{name})"
    manage.write_text(f"{manage.read_text()}\n{word}\nif sys.argv[1:2] == ['migrate']:\n    signal.pause()\n")
    clone.git("commit", "--quiet", "--all", "--message", "interrupted")
    interrupted = clone.git("rev-parse", "HEAD")
    clone.git("checkout", "--quiet", "--detach", clone.old)
    assert clone.upgrade(interrupted, readyz[0]).run() == 1
    assert clone.facts() == BEFORE
    assert clone.git("rev-parse", "HEAD") == clone.old
    assert [line.split()[0] for line in systemctl.read_text().splitlines()] == ["list-units", "stop", "stop", "start"]
    assert f"The upgrade failed: it was interrupted ({name})" in capfd.readouterr().out
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_new_code_that_never_gets_ready_is_put_back(
    clone: Clone, systemctl: Path, readyz: tuple[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("_upgrade.READY_SECONDS", 0)
    readyz[1][:] = [503, 200]
    assert clone.upgrade(clone.new, readyz[0]).run() == 1
    assert clone.facts() == BEFORE
    assert clone.git("rev-parse", "HEAD") == clone.old


def test_without_systemd_it_says_what_to_restart(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("_upgrade.shutil.which", lambda name: None if name == "systemctl" else "/usr/bin/pg_dump")
    assert clone.upgrade(clone.new).run() == 0
    assert "Restart web, worker, routers and beat yourself;" in capfd.readouterr().out


def test_a_pulled_revision_goes_back_to_the_recorded_one(
    clone: Clone, systemctl: Path, readyz: tuple[str, list[int]]
) -> None:
    assert clone.upgrade(clone.old, readyz[0]).run() == 0
    clone.git("checkout", "--quiet", "--detach", clone.broken)  # what `git pull` does
    upgrade = clone.upgrade(None, readyz[0])
    assert upgrade.before == clone.old
    assert upgrade.run() == 1
    assert clone.git("rev-parse", "HEAD") == clone.old
    assert clone.facts() == BEFORE


def test_without_the_owners_role_nothing_is_stopped(
    clone: Clone, systemctl: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert clone.upgrade(clone.new, DATABASE_OWNER_URL="").run() == 1
    assert (clone.facts(), clone.git("rev-parse", "HEAD")) == (BEFORE, clone.old)
    assert "set DATABASE_OWNER_URL to the role that does" in capfd.readouterr().out
    assert [line.split()[0] for line in systemctl.read_text().splitlines()] == ["list-units", "start"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://own:pw@/other", "DATABASE_OWNER_URL leads to another host and database than DATABASE_URL;"),
        ("postgresql://own:pw@db.example.net/other?sslmode=disable", "has sslmode=disable, which sends passwords"),
    ],
)
def test_another_database_of_the_owner_is_not_touched(clone: Clone, systemctl: Path, url: str, words: str) -> None:
    with pytest.raises((UpgradeError, EnvError), match=words):
        clone.upgrade(clone.new, DATABASE_OWNER_URL=url)
    assert (clone.facts(), clone.git("rev-parse", "HEAD")) == (BEFORE, clone.old)
    assert not systemctl.exists()  # nobody was asked to stop


def test_changed_files_and_unknown_revisions_stop_it_before_anything_happens(clone: Clone) -> None:
    (clone.folder / "manage.py").write_text("changed by hand")
    upgrade = clone.upgrade(clone.new)
    assert upgrade.run() == 1
    assert not upgrade.dump.exists()
    clone.git("checkout", "--quiet", "manage.py")
    upgrade = clone.upgrade("no-such-revision")
    assert upgrade.run() == 1
    assert not upgrade.dump.exists()
    assert clone.facts() == BEFORE


def test_the_embedded_mode_has_nothing_to_upgrade(tmp_path: Path) -> None:
    with pytest.raises(UpgradeError, match="DATABASE_URL is not set"):
        Upgrade(tmp_path, {}, to=None, url="http://127.0.0.1:9")
