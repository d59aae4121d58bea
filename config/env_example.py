"""The text of `.env.example`: per variable one line of help and one line to set. Secrets have no example value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.env import REQUIRED, VARS, Var

HEADING = """\
# Settings of MikroTik Billing. Made by `manage.py env_example --write` from config/env.py; do not edit by hand.
# Copy to .env and fill in. NAME_FILE=/path may stand for any NAME: the file then holds the value.
# bin/demo needs none of this: it makes its own database and secrets under var/.
"""


def env_example() -> str:
    """The whole file. Only what is required stands without `#`, empty: the start says what is missing."""
    return "\n".join([HEADING, *(_lines(var) for var in VARS)])


def _lines(var: Var) -> str:
    if var.name in REQUIRED:
        example = f" Example: {var.example}" if var.example else ""
        return f"# {var.help} Required.{example}\n{var.name}=\n"
    return f"# {var.help}\n#{var.name}={var.example or _shown(var.default)}\n"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(value)
    return value.as_posix() if isinstance(value, Path) else str(value)
