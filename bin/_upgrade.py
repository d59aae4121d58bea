"""What `bin/upgrade` does: backup, new code, migrate, restart, look; and everything back when a step fails.

1. stop the systemd units `mikrotik-billing-*`, if systemd runs them, so that no row is written after the backup
2. dump the database to BACKUP_STORAGE_PATH (default var/backups), mode 0600
3. with `--to REVISION`: check that revision out; install its packages
4. migrate, prepare (roles, periodic jobs), collectstatic
5. start the units and wait until /readyz answers 200
On failure, and when it is interrupted (Ctrl-C, a broken ssh session): check out the revision that ran before, install
its packages, restore the dump (in one transaction; what was written since step 2 is lost), start the units. Each step
is printed; nothing is asked. Exit code 0 only when the new code serves; 1 when the old one was put back or nothing was
changed; 2 when putting back failed too.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

CLONE = Path(os.environ.get("MB_HOME") or Path(__file__).resolve().parent.parent)
sys.path[:0] = [str(CLONE), str(CLONE / "bin")]

import psycopg  # noqa: E402 - the path above must come first
from _database import DatabaseToolError, ProductionDatabase  # noqa: E402

from config.env import EnvError, database_url, read_file  # noqa: E402
from config.env_rules import owner_problem  # noqa: E402

UNITS = "mikrotik-billing-*"
READY_SECONDS = 120
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RECORD = "deployed-revision"


class UpgradeError(Exception):
    """A sentence about the step that failed."""


def say(text: str) -> None:
    print(f"{datetime.datetime.now(datetime.UTC):%H:%M:%S} {text}", flush=True)


def settings_values(clone: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What settings see: `.env`, then the environment, then files named by NAME_FILE."""
    values = read_file(clone / ".env") | dict(environ)
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        if not values.get(name) and values.get(f"{name}_FILE"):
            values[name] = Path(values[f"{name}_FILE"]).read_text(encoding="utf-8").strip()
    return values


class Upgrade:
    """One upgrade of one clone."""

    def __init__(self, clone: Path, environ: Mapping[str, str], *, to: str | None, url: str) -> None:
        self.clone = clone
        self.environ = dict(environ)
        self.to = to
        self.url = url.rstrip("/")
        values = settings_values(clone, environ)
        owner = values.get("DATABASE_OWNER_URL") or values.get("DATABASE_URL")
        if not owner:
            raise UpgradeError("DATABASE_URL is not set: bin/upgrade is for an installation with its own PostgreSQL.")
        if problem := owner_problem(database_url(values.get("DATABASE_URL") or owner), database_url(owner)):
            raise UpgradeError(f"{problem}.")
        self.database = ProductionDatabase(owner)
        self.record = clone / "var" / RECORD
        self.before = self._revision_before()
        folder = Path(values.get("BACKUP_STORAGE_PATH") or "var/backups").expanduser()
        stamp = f"{datetime.datetime.now(datetime.UTC):%Y%m%d-%H%M%S}"
        self.dump = clone / folder / f"upgrade-{stamp}-{self.before[:12] or 'unknown'}.dump"
        self.units = self._running_units()

    # -- the plan ----------------------------------------------------------------------------------------------------

    def run(self) -> int:
        with _interruptions():
            return self._run()

    def _run(self) -> int:
        try:
            self._check_tree()
            self.database.refuse_unless_owner()
            self._units("stop")
            say(f"Backing up the database to {self.dump}")
            self.database.backup(self.dump)
        except (UpgradeError, DatabaseToolError, OSError) as error:
            say(f"Nothing was changed: {error}")
            self._units("start")
            return 1
        try:
            self._forward()
        except (UpgradeError, DatabaseToolError, OSError) as error:
            say(f"The upgrade failed: {error}")
            return self._back()
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.record.write_text(self._git("rev-parse", "HEAD") + "\n", encoding="ascii")
        say(f"Done. The backup from before stays at {self.dump}")
        return 0

    def _forward(self) -> None:
        if self.to:
            say(f"Checking out {self.to}")
            self._git("checkout", "--quiet", "--detach", self.to)
        self._install()
        self._manage("migrate", "--noinput")
        self._manage("prepare")
        self._manage("collectstatic", "--noinput")
        self._serve()

    def _back(self) -> int:
        for number in SIGNALS:  # half an old state would be worse than none
            signal.signal(number, signal.SIG_IGN)
        try:
            self._units("stop")
            if self.before:
                say(f"Going back to {self.before[:12]}")
                self._git("checkout", "--quiet", "--detach", self.before)
                self._install()
            else:
                say(
                    "Which revision ran before is not known (first bin/upgrade): the code stays; check out the old one."
                )
            say(f"Restoring the database from {self.dump}")
            self.database.restore(self.dump)
            self._manage("collectstatic", "--noinput")
            self._serve()
        except (UpgradeError, DatabaseToolError, OSError) as error:
            say(f"Going back failed: {error}")
            say(f"The database as it was is in {self.dump}; the old code is {self.before or 'not known'}.")
            return 2
        say(f"The old state is back. The backup stays at {self.dump}")
        return 1

    # -- steps -------------------------------------------------------------------------------------------------------

    def _revision_before(self) -> str:
        """The revision that serves now: HEAD when we change it, else what the last upgrade recorded."""
        if self.to:
            return self._git("rev-parse", "HEAD")
        record = self.clone / "var" / RECORD
        text = record.read_text(encoding="ascii").strip() if record.exists() else ""
        return text if re.fullmatch(r"[0-9a-f]{40,64}", text) else ""

    def _check_tree(self) -> None:
        changed = self._git("status", "--porcelain", "--untracked-files=no")
        if changed:
            raise UpgradeError(f"Files were changed by hand; commit or undo this first:\n{changed}")
        if self.to:
            self._git("rev-parse", "--verify", "--quiet", f"{self.to}^{{commit}}")

    def _install(self) -> None:
        say("Installing packages")
        base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
        self._call(
            [
                str(base if base.exists() else sys.executable),
                "-I",
                "bin/_install.py",
                str(self.clone),
                "requirements.txt",
            ]
        )

    def _manage(self, *arguments: str) -> None:
        say(f"manage.py {' '.join(arguments)}")
        self._call([str(self.clone / ".venv" / "bin" / "python"), "manage.py", *arguments])

    def _serve(self) -> None:
        if not self.units:
            say("systemd does not run this installation. Restart web, worker, routers and beat yourself;")
            say(f"then {self.url}/readyz must answer 200.")
            return
        self._units("start")
        say(f"Waiting for {self.url}/readyz")
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if time.monotonic() > deadline:
                raise UpgradeError(f"{self.url}/readyz did not answer 200 in {READY_SECONDS} s")
            time.sleep(1)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:  # noqa: S310 - http(s) checked in main
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _running_units(self) -> list[str]:
        systemctl = shutil.which("systemctl")
        if systemctl is None:
            return []
        command = [systemctl, "list-units", "--plain", "--no-legend", "--state=active,activating,failed", UNITS]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return [line.split()[0] for line in done.stdout.splitlines() if line.split()] if done.returncode == 0 else []

    def _units(self, verb: str) -> None:
        if self.units:
            say(f"systemctl {verb} {' '.join(self.units)}")
            self._call(["systemctl", verb, *self.units])

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(self.clone), *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise UpgradeError(f"git {' '.join(arguments)}: {done.stderr.strip() or 'not found'}")
        return done.stdout.strip()

    def _call(self, command: Sequence[str]) -> None:
        # A session of its own: Ctrl-C reaches only us, and nothing of an interrupted step works on while we go back.
        with subprocess.Popen(command, cwd=self.clone, env=self.environ, start_new_session=True) as process:
            try:
                code = process.wait()
            except BaseException:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise
        if code != 0:
            raise UpgradeError(f"{' '.join(command[:4])} ended with exit code {code}")


@contextlib.contextmanager
def _interruptions() -> Iterator[None]:
    """Inside, a signal that would end us is an UpgradeError in whatever step is running."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise UpgradeError(f"it was interrupted ({signal.Signals(number).name})")

    before = [(number, signal.signal(number, stop)) for number in SIGNALS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bin/upgrade", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--to", help="revision or tag to check out (git fetch first); default: the code as it lies here"
    )
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where /readyz answers (default %(default)s)")
    options = parser.parse_args()
    if not options.url.startswith(("http://", "https://")):
        parser.error("--url must start with http:// or https://")
    try:
        return Upgrade(CLONE, os.environ, to=options.to, url=options.url).run()
    except (UpgradeError, DatabaseToolError, EnvError) as error:
        say(f"Nothing was changed: {error}")
    except psycopg.OperationalError as error:
        say(f"Nothing was changed: the database cannot be reached: {error}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
