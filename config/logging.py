from __future__ import annotations

from pathlib import Path
from typing import Any


def logging_config(level: str, log_dir: Path) -> dict[str, Any]:
    return {"version": 1, "disable_existing_loggers": False}
