"""Makes `.venv` and installs a hashed requirements file into it, only when that file changed. Standard
library only.

Usage: `_install.py CLONE requirements.txt`. Runs with any Python 3.11+, before anything is installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

NO_VENV = (
    "This Python cannot make a virtual environment.\n"
    "On Debian or Ubuntu: apt-get install python3-venv   (elsewhere: install pip for it)"
)
NO_INSTALL = (
    "Installing the packages failed (see above). The first run needs a network, or a pip configured with a\n"
    "local package source; later runs work offline. Nothing is half done: run the same command again."
)


NO_FIT = (
    "The packages in {venv} do not fit together (see above). What {name} pins was installed as pinned; a package that an\n"
    "older version left behind is harmless and goes when {venv} is deleted and made again. Otherwise the pins are wrong."
)


def venv_python(venv: Path) -> Path:
    return venv / "bin" / "python"


def works(python: Path) -> bool:
    """Whether this interpreter starts and is new enough (its base may have been removed or replaced)."""
    if not python.exists():
        return False
    code = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([python, "-I", "-c", code], capture_output=True, check=False).returncode == 0


def has_pip(python: Path | str) -> bool:
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


def make_venv(venv: Path) -> None:
    """Create it with pip inside, or without one when only the system's pip exists (`pip --python`)."""
    if venv.exists():
        shutil.rmtree(venv)
    if importlib.util.find_spec("ensurepip") is not None:
        print(f"Making {venv} with Python {sys.version.split()[0]}", flush=True)
        done = subprocess.run([sys.executable, "-m", "venv", venv], check=False)
        if done.returncode == 0:
            return
        shutil.rmtree(venv, ignore_errors=True)
    if not has_pip(sys.executable):
        sys.exit(NO_VENV)
    print(f"Making {venv} with Python {sys.version.split()[0]} and the system's pip", flush=True)
    if subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=False).returncode != 0:
        sys.exit(NO_VENV)


def pip_command(venv: Path) -> list[str]:
    python = str(venv_python(venv))
    if has_pip(python):
        return [python, "-m", "pip"]
    if not has_pip(sys.executable):
        sys.exit(NO_VENV)
    return [sys.executable, "-m", "pip", "--python", python]


def fingerprint(requirements: Path, venv: Path) -> str:
    """What must be equal for an installation to count as done: the pins and the interpreter."""
    version = subprocess.run(
        [venv_python(venv), "-I", "-c", "import sys; print(sys.version)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    return hashlib.sha256(requirements.read_bytes() + version.encode()).hexdigest()


def install(venv: Path, requirements: Path) -> None:
    stamp = venv / f".installed-{requirements.stem}"
    wanted = fingerprint(requirements, venv)
    if stamp.is_file() and stamp.read_text(encoding="ascii").strip() == wanted:
        return
    print(f"Installing {requirements.name} into {venv}", flush=True)
    stamp.unlink(missing_ok=True)
    command = [*pip_command(venv), "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run([*command, "--require-hashes", "--no-deps", "-r", requirements], check=False)
    if done.returncode != 0:
        sys.exit(NO_INSTALL)
    check(venv, requirements)
    partial = stamp.with_name(stamp.name + ".new")
    partial.write_text(wanted + "\n", encoding="ascii")
    partial.replace(stamp)


def check(venv: Path, requirements: Path) -> None:
    """Say so when an installed package misses another one: without a resolver nobody else does. Needs no network.

    Not an end: an environment that is kept over years holds packages nobody pins any more. The pipeline and the image
    start from nothing and do end there.
    """
    done = subprocess.run([*pip_command(venv), "check", "--disable-pip-version-check"], check=False)
    if done.returncode != 0:
        print(NO_FIT.format(venv=venv, name=requirements.name), file=sys.stderr, flush=True)


def main() -> None:
    clone, requirements = Path(sys.argv[1]), Path(sys.argv[1]) / sys.argv[2]
    venv = clone / ".venv"
    var = clone / "var"
    var.mkdir(exist_ok=True)
    descriptor = os.open(var / "install.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # Two scripts started at once must not install into one folder at the same time.
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    if not works(venv_python(venv)):
        make_venv(venv)
    install(venv, requirements)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except PermissionError as error:
        sys.exit(f"{error.filename} belongs to another account: run this as the account that made it.")
