"""Who may log in to the hotspot, and with which limits."""

from __future__ import annotations

import hmac

from .device import Device
from .errors import HotspotRefused
from .models import HOTSPOT_CAPS
from .table import Row
from .traffic import Limits, remaining
from .values import parse_duration

WRONG = "invalid username or password"


def find_user(device: Device, name: str, server: str, password: str | None) -> Row:
    """The user row for this server with the right password (None: not asked). Raises HotspotRefused."""
    rows = device.tables["ip/hotspot/user"].by("name", name)
    fitting = [row for row in rows if row.values.get("server", server) == server]
    fitting.sort(key=lambda row: "server" not in row.values)
    if not fitting or fitting[0].values.get("disabled") == "true":
        raise HotspotRefused(WRONG)
    row = fitting[0]
    if password is not None:
        known = row.values.get("password", "").encode("latin-1")
        if not hmac.compare_digest(known, password.encode("latin-1")):
            raise HotspotRefused(WRONG)
    return row


def profile_of(device: Device, user: Row) -> dict[str, str]:
    """The user's profile; a deleted one leaves the defaults."""
    table = device.tables["ip/hotspot/user/profile"]
    row = table.named(user.values.get("profile", "default")) or table.named("default")
    return row.values if row is not None else device.default_values(table.menu)


def admit(device: Device, user: Row, mac: str, sessions_of_user: int, sessions: int) -> None:
    """All checks after the password. Raises HotspotRefused with the text of the login page."""
    values, name = user.values, user.values["name"]
    if values.get("mac-address", mac) != mac:
        raise HotspotRefused(f"user {name} is not allowed to log in from this MAC address")
    uptime_limit = parse_duration(values.get("limit-uptime", "0")) or 0.0
    if uptime_limit and (parse_duration(values["uptime"]) or 0.0) >= uptime_limit:
        raise HotspotRefused(f"user {name} has reached uptime limit")
    used_in, used_out = int(values["bytes-in"]), int(values["bytes-out"])
    for column, used in (
        ("limit-bytes-in", used_in),
        ("limit-bytes-out", used_out),
        ("limit-bytes-total", used_in + used_out),
    ):
        limit = int(values.get(column, "0"))
        if limit and used >= limit:
            raise HotspotRefused(f"user {name} has reached traffic limit")
    shared = profile_of(device, user).get("shared-users", "1")
    if shared != "unlimited" and sessions_of_user >= int(shared):
        raise HotspotRefused(f"no more sessions are allowed for user {name}")
    cap = HOTSPOT_CAPS.get(device.model.license_level)
    if cap is not None and sessions >= cap:
        raise HotspotRefused(f"session limit reached ({cap} active users allowed by license)")


def limits_for(device: Device, user: Row, server: Row) -> Limits:
    """What the session may use, fixed at login."""
    values, profile = user.values, profile_of(device, user)
    used_in, used_out = int(values["bytes-in"]), int(values["bytes-out"])
    limits = Limits(
        up=remaining(int(values.get("limit-bytes-in", "0")), used_in),
        down=remaining(int(values.get("limit-bytes-out", "0")), used_out),
        total=remaining(int(values.get("limit-bytes-total", "0")), used_in + used_out),
    )
    uptime_limit = parse_duration(values.get("limit-uptime", "0")) or 0.0
    if uptime_limit:
        limits.uptime = max(0.0, uptime_limit - (parse_duration(values["uptime"]) or 0.0))
    limits.session = _positive(profile.get("session-timeout", "0"))
    limits.idle = _first_set(profile.get("idle-timeout", "none"), server.values.get("idle-timeout", "none"))
    limits.keepalive = _first_set(
        profile.get("keepalive-timeout", "none"), server.values.get("keepalive-timeout", "none")
    )
    return limits


def _positive(text: str) -> float | None:
    return parse_duration(text) or None


def _first_set(*texts: str) -> float | None:
    for text in texts:
        seconds = _positive(text)
        if seconds is not None:
            return seconds
    return None
