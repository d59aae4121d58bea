"""The rows that hotspot sessions leave in the menus: active, host, cookie, dynamic queue, address list."""

from __future__ import annotations

from .clock import Event
from .device import Device
from .errors import HotspotRefused
from .hotspot_rules import profile_of
from .pools import Pools
from .sessions import DynamicRows
from .table import Row
from .traffic import PACKET_BYTES, Limits, Usage
from .values import format_duration, parse_duration


class HotspotRows:
    """Writes and reads those rows."""

    def __init__(self, device: Device, pools: Pools) -> None:
        self._device = device
        self._pools = pools
        self._dynamic = DynamicRows(device)
        self._cookie_ends: dict[str, float] = {}
        self._cookie_events: dict[str, Event] = {}

    def host(self, mac: str, address: str | None, server: Row) -> Row:
        """The guest's device as the router sees it. Raises HotspotRefused when no address is left."""
        table = self._device.tables["ip/hotspot/host"]
        for row in table.by("mac-address", mac):
            if address in (None, row.values["address"]):
                return row
        pool = server.values.get("address-pool", "none")
        if address is None:
            address = self._pools.take(pool, "hotspot", mac) or self._address_after_cleaning(pool, mac)
            if address is None:
                raise HotspotRefused("cannot assign ip address - no more free addresses from pool")
        return self._device.insert(
            "ip/hotspot/host",
            mac_address=mac,
            address=address,
            to_address=address,
            server=server.values["name"],
            found_by="DHCP",
            uptime="0s",
            idle_time="0s",
            bytes_in="0",
            bytes_out="0",
            packets_in="0",
            packets_out="0",
        )

    def _address_after_cleaning(self, pool: str, mac: str) -> str | None:
        """The router forgets devices that are not logged in before it runs out of addresses."""
        table = self._device.tables["ip/hotspot/host"]
        for row in [row for row in table.rows.values() if row.values["authorized"] != "true"]:
            table.delete(row)
        return self._pools.take(pool, "hotspot", mac)

    def known_host(self, address: str, mac: str) -> Row | None:
        """A host by its address, or by its MAC when no address is given."""
        for row in self._device.tables["ip/hotspot/host"].rows.values():
            if (address and row.values["address"] == address) or (
                not address and row.values["mac-address"] == mac.upper()
            ):
                return row
        return None

    def open(self, user: str, address: str, mac: str, server: str, login_by: str, user_row: Row) -> Row:
        """Rows of a new session; returns the active row."""
        device = self._device
        profile = profile_of(device, user_row)
        comment = {"comment": user_row.values["comment"]} if "comment" in user_row.values else {}
        row = device.insert(
            "ip/hotspot/active",
            server=server,
            user=user,
            address=address,
            mac_address=mac,
            login_by=login_by,
            uptime="0s",
            idle_time="0s",
            bytes_in="0",
            bytes_out="0",
            packets_in="0",
            packets_out="0",
            **comment,
        )
        for host in device.tables["ip/hotspot/host"].by("mac-address", mac):
            host.values.update({"authorized": "true"})
        self._dynamic.queue(row.id, f"hotspot-{user}", address, profile.get("rate-limit", ""))
        self._dynamic.address_list(row.id, profile.get("address-list", ""), address, user)
        return row

    def close(self, active_id: str, mac: str) -> None:
        """Take the rows of a session away; the host stays."""
        active = self._device.tables["ip/hotspot/active"]
        if active_id in active.rows:
            active.delete(active.rows[active_id])
        for host in self._device.tables["ip/hotspot/host"].by("mac-address", mac):
            host.values.update({"authorized": "false"})
        self._dynamic.remove(active_id)

    def count(self, user_row_id: str, usage: Usage, now: float) -> None:
        """Add a session to its user's counters, if the user still exists."""
        table = self._device.tables["ip/hotspot/user"]
        row = table.rows.get(user_row_id)
        if row is None:
            return
        up, down = usage.up(now), usage.down(now)
        grown = {
            "bytes-in": up,
            "bytes-out": down,
            "packets-in": up // PACKET_BYTES,
            "packets-out": down // PACKET_BYTES,
        }
        changes: dict[str, str | None] = {name: str(int(row.values[name]) + more) for name, more in grown.items()}
        before = parse_duration(row.values["uptime"]) or 0.0
        changes["uptime"] = format_duration(before + round(usage.seconds(now), 3))
        table.update(row, changes)

    def refresh(self, active_id: str, mac: str, usage: Usage, limits: Limits, now: float) -> None:
        """Current figures of one session."""
        row = self._device.tables["ip/hotspot/active"].rows.get(active_id)
        if row is None:
            return
        up, down = usage.up(now), usage.down(now)
        figures = {
            "uptime": format_duration(usage.seconds(now)),
            "idle-time": format_duration(usage.idle(now)),
            "bytes-in": str(up),
            "bytes-out": str(down),
            "packets-in": str(up // PACKET_BYTES),
            "packets-out": str(down // PACKET_BYTES),
        }
        left = limits.time_left(usage, now)
        if left is not None:
            figures["session-time-left"] = format_duration(left)
        if limits.idle is not None:
            figures["idle-timeout"] = format_duration(limits.idle)
        if limits.keepalive is not None:
            figures["keepalive-timeout"] = format_duration(limits.keepalive)
        for host in self._device.tables["ip/hotspot/host"].by("mac-address", mac):
            host.values.update({name: figures[name] for name in _HOST_FIGURES})
        for name, limit, used in (
            ("in", limits.up, up),
            ("out", limits.down, down),
            ("total", limits.total, up + down),
        ):
            if limit is not None:
                figures[f"limit-bytes-{name}"] = str(max(0, limit - used))
        row.values.update(figures)
        self._dynamic.refresh(active_id, up, down)

    # -- cookies

    def make_cookies(self, user: Row, mac: str, server: Row) -> None:
        """After a login with a password: cookies as the server's profile and the user's profile allow."""
        profiles = self._device.tables["ip/hotspot/profile"]
        profile = profiles.named(server.values["profile"]) or profiles.named("default")
        methods = profile.values.get("login-by", "").split(",") if profile is not None else []
        if profile is not None and "cookie" in methods:
            self._make_cookie(user, mac, profile.values.get("http-cookie-lifetime", "3d"), "false")
        user_profile = profile_of(self._device, user)
        if "mac-cookie" in methods and user_profile.get("add-mac-cookie") == "true":
            self._make_cookie(user, mac, user_profile.get("mac-cookie-timeout", "3d"), "true")

    def cookie_of(self, mac: str) -> Row | None:
        """A valid cookie of that device."""
        found = self._device.tables["ip/hotspot/cookie"].by("mac-address", mac)
        return found[-1] if found else None

    def refresh_cookies(self) -> None:
        """Time left of every cookie."""
        now = self._device.clock.now()
        for row in self._device.tables["ip/hotspot/cookie"].rows.values():
            row.values["expires-in"] = format_duration(self._cookie_ends.get(row.id, now) - now)

    def cookie_ends(self) -> dict[str, float]:
        """Seconds left by row id (for the state file)."""
        now = self._device.clock.now()
        return {row_id: end - now for row_id, end in self._cookie_ends.items()}

    def restore_cookie(self, row: Row, seconds_left: float) -> None:
        """Plan the end of a cookie that was loaded."""
        self._plan_cookie_end(row, seconds_left)

    def forget(self) -> None:
        """The tables were emptied."""
        for event in self._cookie_events.values():
            event.cancel()
        self._cookie_events.clear()
        self._cookie_ends.clear()
        self._dynamic.forget()

    def _make_cookie(self, user: Row, mac: str, lifetime: str, is_mac_cookie: str) -> None:
        table = self._device.tables["ip/hotspot/cookie"]
        for row in table.by("mac-address", mac):
            if row.values["mac-cookie"] == is_mac_cookie:
                table.delete(row)
        row = self._device.insert(
            "ip/hotspot/cookie",
            user=user.values["name"],
            mac_address=mac,
            mac_cookie=is_mac_cookie,
            expires_in=lifetime,
        )
        self._plan_cookie_end(row, parse_duration(lifetime) or 0.0)

    def _plan_cookie_end(self, row: Row, seconds: float) -> None:
        clock = self._device.clock

        def expire() -> None:
            self._cookie_ends.pop(row.id, None)
            table = self._device.tables["ip/hotspot/cookie"]
            if table.rows.get(row.id) is row:
                table.delete(row)

        self._cookie_ends[row.id] = clock.now() + seconds
        self._cookie_events[row.id] = clock.call_in(seconds, expire)


_HOST_FIGURES = ("uptime", "idle-time", "bytes-in", "bytes-out", "packets-in", "packets-out")
