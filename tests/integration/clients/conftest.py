"""Clients that strangers wrote, in a virtual environment of their own under var/."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from locations.emulator import EmulatedRouter

ROOT = Path(__file__).resolve().parents[3]
REQUIREMENTS = ROOT / "requirements-clients.txt"
PASSWORD = "router-password-for-clients"  # of an emulator on loopback
VERSION = "7.21.3"
INSTALL_SECONDS = 600


@pytest.fixture(scope="session")
def client_tools() -> Path:
    """The folder with the programs. Installed once per content of the requirements file; that needs a network or
    uv's cache, and a run that cannot have them is an error, not a skipped test."""
    pins = REQUIREMENTS.read_bytes() + sys.version.encode()
    home = ROOT / "var" / f"clients-{hashlib.sha256(pins).hexdigest()[:12]}"
    if not home.is_dir():
        (ROOT / "var").mkdir(exist_ok=True)
        for old in (ROOT / "var").glob("clients-*"):
            shutil.rmtree(old, ignore_errors=True)
        _install(home)
    return home / "bin"


def _install(home: Path) -> None:
    """Into the place itself, since scripts name their interpreter by its path; a broken one is taken away again."""
    uv = str(Path(sys.executable).parent / "uv")
    try:
        for command in (
            [uv, "venv", "--quiet", "--python", sys.executable, str(home)],
            [uv, "pip", "sync", "--quiet", "--python", str(home / "bin/python"), "--require-hashes", str(REQUIREMENTS)],
        ):
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
            assert done.returncode == 0, f"the clients cannot be installed: {done.stderr[-2000:]}"
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for the settings of a client, deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="mb-clients-") as folder:
        yield Path(folder)


@pytest.fixture
def full_router() -> Iterator[EmulatedRouter]:
    """A router with some life on it; its API user may do everything."""
    with EmulatedRouter(VERSION, password=PASSWORD, group="full", tls="anonymous", random_seed=1) as router:
        yield router
