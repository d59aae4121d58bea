"""Two database roles: the owner migrates, the application cannot own, truncate or create (`DATABASE_OWNER_URL`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
    kept = {key: connection.settings_dict[key] for key in ("USER", "PASSWORD")}
    options = connection.settings_dict["OPTIONS"]
    pool = options.pop("pool", None)
    _reconnect(connection, owner)
    try:
        yield
    finally:
        if pool is not None:
            options["pool"] = pool
        _reconnect(connection, kept)


def _reconnect(connection: object, credentials: dict[str, str]) -> None:
    connection.close()  # type: ignore[attr-defined]  # BaseDatabaseWrapper is untyped in the stubs' connections map
    if hasattr(connection, "close_pool"):
        connection.close_pool()
    connection.settings_dict.update(credentials)  # type: ignore[attr-defined]
