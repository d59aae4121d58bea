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
    """The routers confirmed that these accounts are gone, and so are their rows: whoever points at them lets go now.

    `names` are (location id, kind, name, tag).
    """

    account_ids: Sequence[int]
    names: Sequence[tuple[int, str, str, str]]


@dataclass(frozen=True)
class LocationDown(Event):
    """Two tries in a row failed, or another router answers (which stops all tries). Told once per outage.

    A link that comes and goes is one outage; a restart that was asked for here is none while it is waited for.
    """

    location_ids: Sequence[int]


@dataclass(frozen=True)
class RouterCertificateChanged(Event):
    """Other certificates answer than the confirmed ones. Nothing is sent there until a person confirmed. Once per change."""

    location_ids: Sequence[int]


@dataclass(frozen=True)
class LocationUp(Event):
    """Steadily online again after a `LocationDown`."""

    location_ids: Sequence[int]


@dataclass(frozen=True)
class RouterAlerted(Event):
    """Something began to be wrong and stayed so for a minute: `alerts` are (location id, `AlertKind`). Told once."""

    alerts: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class RouterAlertEnded(Event):
    """What `RouterAlerted` told is right again."""

    alerts: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class RouterRestarted(Event):
    """A router restarted. `is_asked`: because two people here wanted it."""

    location_id: int
    is_asked: bool


@dataclass(frozen=True)
class ConfigChanged(Event):
    """The configuration of routers was changed by somebody else. `versions` are ids of `ConfigVersion`."""

    versions: Sequence[int]
