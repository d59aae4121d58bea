"""The demo for somebody who is not root: in a copy of his own, with nothing of root's within reach.

Run as root, the tests beside this one prove root's half, and this one becomes `nobody`. Run by another account, all of
them prove that account's half; root's is then proven nowhere.
"""

from __future__ import annotations

import importlib.metadata
import os
import pwd
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import names

from .test_demo import House, built, read_until, stop

PACKAGES = ("psycopg", "psycopg-binary", "typing_extensions", names.WHEEL)
LEFT_OUT = shutil.ignore_patterns("site-packages", "dist-packages", "test", "__pycache__")


class Visitor(House):
    """A house that belongs to an account without rights, with a Python and packages that this account can read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        if os.geteuid() == 0:
            self.account = {"user": self.entry.pw_uid, "group": self.entry.pw_gid, "extra_groups": []}
        for name in PACKAGES:
            self._copy_package(name)
        self.python = self._readable_python()
        self.state.rmdir()  # only root keeps data there
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, self.entry.pw_uid, self.entry.pw_gid, follow_symlinks=False)

    def environment(self, **more: str) -> dict[str, str]:
        own = {
            "PATH": os.defpath, "HOME": "/nonexistent", "MB_STATE_ROOT": str(self.state),
            "PYTHONPATH": str(self.folder / "packages"), "LD_LIBRARY_PATH": str(self.folder / "python" / "lib"),
        }  # fmt: skip
        return own | more

    def owners(self) -> set[int]:
        """Of everything that lies in the house, and of every process that runs for it."""
        files = {path.lstat().st_uid for path in (self.folder, *self.folder.rglob("*"))}
        return files | {Path(f"/proc/{pid}").stat().st_uid for pid in self.running()}

    def _copy_package(self, name: str) -> None:
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or []:
            source, target = Path(str(distribution.locate_file(file))), self.folder / "packages" / file
            if ".." not in file.parts and "include" not in file.parts and source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)

    def _readable_python(self) -> str:
        """The one these tests run with (not through .venv), or a copy when it lies in root's home."""
        python = Path(sys.executable).resolve()
        try:
            subprocess.run([python, "-I", "-c", ""], check=True, **self.account)
        except PermissionError:
            base, copy = Path(sys.base_prefix), self.folder / "python"
            version = f"python{sys.version_info.major}.{sys.version_info.minor}"
            shutil.copytree(base / "lib" / version, copy / "lib" / version, ignore=LEFT_OUT)
            for library in (base / "lib").glob("libpython*.so*"):
                shutil.copy(library, copy / "lib")
            (copy / "bin").mkdir()
            python = Path(shutil.copy(python, copy / "bin"))
        return str(python)


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    with built(Visitor) as visitor:
        yield visitor


def test_without_rights_the_demo_checks_itself_and_keeps_its_data_at_home(visitor: Visitor) -> None:
    assert visitor.entry.pw_uid != 0
    for times in (1, 2):
        done = visitor.run("--check")
        assert (done.returncode, done.stderr) == (0, "")
        assert f"checked 200\nseeded {times} times; owner known: False\nStopping…" in done.stdout
        assert visitor.running() == []
    assert visitor.postgres_data() == [visitor.var / "postgres" / "demo" / "data"]
    assert visitor.owners() == {visitor.entry.pw_uid}
    assert not visitor.state.exists()


def test_without_rights_it_serves_and_everything_runs_as_that_account(visitor: Visitor) -> None:
    demo = visitor.start()
    read_until(demo, "Logs:")
    with urllib.request.urlopen(f"http://127.0.0.1:{visitor.port}/readyz") as answer:
        assert answer.status == 200
    assert len(visitor.running()) > 5
    assert visitor.owners() == {visitor.entry.pw_uid}
    code, said = stop(demo, signal.SIGINT)
    assert (code, said.splitlines()[-1]) == (0, "Stopped. Nothing is left running.")
    assert visitor.running() == []
