"""Finds the PostgreSQL programs of the wheel, and copies them where an unprivileged account can read them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import secrets
import shutil
from pathlib import Path

from config.embedded import names

_LIBRARIES = f"{names.WHEEL_MODULE}.libs"
_UNUSED = shutil.ignore_patterns("include", "*.a", "__pycache__", "pkgconfig")


def wheel_folder() -> Path:
    """Folder of the installed wheel, found without importing it.

    Its Python interface runs `useradd` and changes the mode of parent folders (research/ui_ops.md §8.1), so
    it is never imported. Raises FileNotFoundError when the wheel is not installed or has no PostgreSQL 18.
    """
    spec = importlib.util.find_spec(names.WHEEL_MODULE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            f"{names.WHEEL} is not installed: pip install -r requirements.txt, or set DATABASE_URL."
        )
    folder = Path(spec.origin).resolve().parent
    if not (folder / names.INSTALL_FOLDER / "bin" / "postgres").is_file():
        raise FileNotFoundError(f"{names.WHEEL} in {folder} holds no PostgreSQL 18 for this machine.")
    return folder


def wheel_programs() -> Path:
    """The wheel's `bin` folder, for a caller that runs as its own account (psql, pg_dump, postgres)."""
    return wheel_folder() / names.INSTALL_FOLDER / "bin"


def copied_programs(state_root: Path) -> Path:
    """The `bin` folder of a copy under `state_root`, made once per wheel version and readable by everyone.

    The folder layout of site-packages is kept, because the programs find libpq by a path relative to
    themselves.
    """
    version = importlib.metadata.version(names.WHEEL)
    target = state_root / "binaries" / version
    programs = target / names.WHEEL_MODULE / names.INSTALL_FOLDER / "bin"
    if programs.is_dir():
        return programs
    source = wheel_folder()
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{version}.{secrets.token_hex(4)}")
    shutil.copytree(
        source / names.INSTALL_FOLDER,
        partial / names.WHEEL_MODULE / names.INSTALL_FOLDER,
        ignore=_UNUSED,
        symlinks=True,
    )
    libraries = source.parent / _LIBRARIES
    if libraries.is_dir():
        shutil.copytree(libraries, partial / _LIBRARIES)
    _open_to_everyone(partial)
    try:
        partial.rename(target)
    except OSError:
        # Another start finished the same copy first; both are equal, so ours is dropped.
        shutil.rmtree(partial, ignore_errors=True)
    if not programs.is_dir():
        raise FileNotFoundError(f"Could not copy PostgreSQL to {target}.")
    return programs


def _open_to_everyone(folder: Path) -> None:
    """A umask of 077 would leave a copy that the server's account cannot enter."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
