"""Emulated routers for tests, and ways to ask them — not our tables — what is on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import librouteros
import pytest

from locations.choices import TlsMode
from locations.emulator.router import EmulatedRouter
from locations.models import Location, RouterState
from locations.sync import connections

PASSWORD = "router-password-for-tests"  # of an emulator on loopback
VERSIONS = ("6.49.17", "7.16.1")  # one of each RouterOS in use
BOTH = pytest.mark.parametrize("version", VERSIONS)


@contextmanager
def emulated(**options: Any) -> Iterator[EmulatedRouter]:
    """A running emulated router; its connections of ours are closed with it."""
    router = EmulatedRouter(password=PASSWORD, **options)
    router.start()
    try:
        yield router
    finally:
        connections.close_all()
        router.stop()


def location_of(router: EmulatedRouter, name: str = "Pos 1", **fields: Any) -> Location:
    """The location row that points at the emulated router."""
    location = Location.objects.create(
        name=name, host="127.0.0.1", username="billing", password=PASSWORD,
        **{"port": router.port, "tls_mode": TlsMode.NONE, **fields},
    )  # fmt: skip
    RouterState.objects.create(location=location)
    return location


def second_client(router: EmulatedRouter) -> Any:
    """librouteros: a client we did not write, for asking the router."""
    return librouteros.connect("127.0.0.1", "billing", PASSWORD, port=router.port, encoding="utf-8")


def on_router(router: EmulatedRouter, menu: str) -> list[dict[str, Any]]:
    """Rows of a menu, asked by the second client."""
    client = second_client(router)
    try:
        return [dict(row) for row in client.path(menu)]
    finally:
        client.close()


def hotspot_users(router: EmulatedRouter) -> dict[str, dict[str, Any]]:
    """Hotspot users on the router by name, without the built-in trial user."""
    return {row["name"]: row for row in on_router(router, "/ip/hotspot/user") if row["name"] != "default-trial"}


class Clock:
    """A settable server clock for `location_run(now=clock)` and services."""

    def __init__(self, at: datetime):
        self.at = at

    def __call__(self) -> datetime:
        return self.at
