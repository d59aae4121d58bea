"""A complete environment, and the settings made from it."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from config import env as env_module
from config.env import VARS

ROOT = Path(__file__).resolve().parents[3]
KEY, OLD_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRET = "k" * 20 + "0123456789abcdef"
COMPLETE = {
    "DATABASE_URL": "postgresql://app:pw-app-123@localhost:5433/mb", "JWT_SECRET": SECRET + "j",
    "SESSION_SECRET": SECRET + "s", "FIELD_ENCRYPTION_KEYS": KEY,
}  # fmt: skip


def clean_environment(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    """Exactly these variables of the product; no `.env`, no `var/`."""
    for name in list(os.environ):
        if name.removesuffix("_FILE") in {var.name for var in VARS}:
            monkeypatch.delenv(name)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(env_module, "read_file", lambda _file: {})


def settings_with(monkeypatch: pytest.MonkeyPatch, **changes: str) -> dict[str, Any]:
    """The settings module, executed anew with exactly this environment (no `.env`, no `var/`)."""
    clean_environment(monkeypatch, {**COMPLETE, **changes})
    return runpy.run_path(str(ROOT / "config" / "settings.py"))
