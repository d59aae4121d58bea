"""The keys of the embedded mode, made once and kept in `var/secrets.env` (0600)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from pathlib import Path

from config.embedded.files import FileLock, read_env, write_env

_HEADING = (
    "Made once by the embedded mode. Keep it with your data: without FIELD_ENCRYPTION_KEYS\n"
    "stored router passwords cannot be read any more."
)
EMULATOR_PASSWORD = "EMULATOR_PASSWORD"  # noqa: S105 - the variable's name


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")


def _hex_key() -> str:
    """Hex, because settings refuse keys that contain words of example values, and hex cannot."""
    return secrets.token_hex(32)


_MAKERS: dict[str, Callable[[], str]] = {
    "SESSION_SECRET": _hex_key,
    "JWT_SECRET": _hex_key,
    "FIELD_ENCRYPTION_KEYS": _fernet_key,
    EMULATOR_PASSWORD: lambda: secrets.token_urlsafe(18),
}


def new_secrets() -> dict[str, str]:
    """A fresh set, for one test run."""
    return {name: make() for name, make in _MAKERS.items()}


def secrets_path(var: Path) -> Path:
    return var / "secrets.env"


def ensure_secrets(var: Path) -> dict[str, str]:
    """Return the keys of `var/secrets.env`, adding those that are missing and never changing one that is
    there.

    Raises PermissionError when the file belongs to another account, LockBusyError when two starts meet here.
    """
    path = secrets_path(var)
    lock = FileLock(var / "secrets.lock")
    lock.acquire()
    try:
        known = read_env(path)
        missing = {name: make() for name, make in _MAKERS.items() if not known.get(name)}
        if missing:
            known |= missing
            write_env(path, known, heading=_HEADING)
        elif path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return known
    finally:
        lock.release()
