"""Routers, what should be on them, and what they told us.

Every `DesiredRow` is its own outbox: `revision <> applied_revision` means the router does not have it yet
(DESIGN §3.1). Rows of `RouterState`, `RouterSession` and `Observation` are written by the writer, never by people.
"""

from __future__ import annotations

from locations.models.access import RouterLogin
from locations.models.configs import ConfigBackup, ConfigVersion
from locations.models.desired import NOT_SYNCED, TODO, AccessAccount, DesiredRow, RouterEntry, RouterProfile
from locations.models.health import RouterAlert, RouterReboot, RouterSample
from locations.models.observed import (
    DriftRow,
    Observation,
    ProfileRollout,
    RouterReplacement,
    RouterSession,
    RouterState,
)
from locations.models.places import GroupPlace, Location, LocationChoice, LocationGroup, LocationUser
from locations.models.servers import ServerPlan
from locations.models.tunnels import RouterTunnel, TunnelServer
from locations.models.usage import AccountUsage, InterfaceDay, InterfaceTraffic, SessionKick, SessionRecord

__all__ = [
    "NOT_SYNCED",
    "TODO",
    "AccessAccount",
    "AccountUsage",
    "ConfigBackup",
    "ConfigVersion",
    "DesiredRow",
    "DriftRow",
    "GroupPlace",
    "InterfaceDay",
    "InterfaceTraffic",
    "Location",
    "LocationChoice",
    "LocationGroup",
    "LocationUser",
    "Observation",
    "ProfileRollout",
    "RouterAlert",
    "RouterEntry",
    "RouterLogin",
    "RouterProfile",
    "RouterReboot",
    "RouterReplacement",
    "RouterSample",
    "RouterSession",
    "RouterState",
    "RouterTunnel",
    "ServerPlan",
    "SessionKick",
    "SessionRecord",
    "TunnelServer",
]
