"""What the router room tells the rooms above it. Ids, plural."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.events import Event


@dataclass(frozen=True)
class FirstLogin(Event):
    """Accounts used for the first time: `logins` pairs account id with the moment the first session began."""

    logins: Sequence[tuple[int, datetime]]


@dataclass(frozen=True)
class AccountsRemoved(Event):
    """The routers confirmed that these accounts are gone. `names` are (location id, kind, name, tag)."""

    names: Sequence[tuple[int, str, str, str]]


@dataclass(frozen=True)
class LocationDown(Event):
    """Two tries in a row failed. Told once per outage: a link that comes and goes is one outage."""

    location_ids: Sequence[int]


@dataclass(frozen=True)
class RouterCertificateChanged(Event):
    """Other certificates answer than the confirmed ones. Nothing is sent there until a person confirmed. Once per change."""

    location_ids: Sequence[int]


@dataclass(frozen=True)
class LocationUp(Event):
    """Steadily online again after a `LocationDown`."""

    location_ids: Sequence[int]
