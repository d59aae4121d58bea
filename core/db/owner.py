"""Two database roles: the owner migrates, the application cannot own, truncate or create (`DATABASE_OWNER_URL`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connections


@contextmanager
def as_owner(alias: str = "default") -> Iterator[None]:
    """Let the connection of this thread work as the owner; without DATABASE_OWNER_URL nothing changes.

    Only for migrations and the tests' flush helper. Must not be entered inside a transaction.
    """
    owner = settings.DATABASE_OWNER
    if not owner:
        yield
        return
    connection = connections[alias]
    if connection.in_atomic_block:
        raise RuntimeError("cannot change the database role inside a transaction")
    settings_dict = connection.settings_dict
    kept = {key: settings_dict[key] for key in ("USER", "PASSWORD", "OPTIONS")}
    without_pool = {key: value for key, value in kept["OPTIONS"].items() if key != "pool"}
    _close(connection)
    settings_dict.update({**owner, "OPTIONS": without_pool})
    try:
        yield
    finally:
        _close(connection)
        settings_dict.update(kept)


def _close(connection: Any) -> None:
    """End the connection and its pool: pooled connections still speak for the old role."""
    connection.close()
    connection.close_pool()
