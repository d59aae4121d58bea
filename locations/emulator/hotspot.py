"""Hotspot guests: login, counting, limits, logout, cookies, return."""

from __future__ import annotations

from dataclasses import dataclass

from .clock import Event
from .device import Device
from .errors import HotspotRefused, Trap
from .hotspot_rows import HotspotRows
from .hotspot_rules import admit, find_user, limits_for
from .pools import Pools
from .table import Row, Table
from .traffic import CHECKPOINT_SECONDS, Limits, Usage

RETURN_SECONDS = 3.0
"""Device seconds until a guest's phone is back with its cookie after it was thrown out (invented)."""

RETURN_AFTER_BOOT_SECONDS = 60.0


@dataclass(slots=True, eq=False)
class Guest:
    """One running session."""

    user: str
    user_row_id: str
    mac: str
    address: str
    server: str
    login_by: str
    active_id: str
    usage: Usage
    limits: Limits
    returns: bool
    event: Event | None = None


class Hotspot:
    """All guests of the router."""

    def __init__(self, device: Device, pools: Pools, *, live_limits: bool = False) -> None:
        self._device = device
        self._pools = pools
        self.live_limits = live_limits
        self.rows = HotspotRows(device, pools)
        self.guests: dict[str, Guest] = {}
        self._by_mac: dict[str, Guest] = {}
        for path in ("ip/hotspot/active", "ip/hotspot/host"):
            device.before_read[path] = self.refresh
        device.before_read["ip/hotspot/cookie"] = self.rows.refresh_cookies
        device.tables["ip/hotspot/active"].watchers.append(self._active_changed)
        device.tables["ip/hotspot/host"].watchers.append(self._host_changed)
        device.tables["ip/hotspot/user"].watchers.append(self._user_changed)

    # -- what a guest does

    def login(
        self,
        user: str,
        password: str | None,
        mac: str,
        *,
        address: str | None = None,
        server: str | None = None,
        login_by: str = "http-chap",
        up_rate: float = 2000.0,
        down_rate: float = 16000.0,
        returns: bool = True,
    ) -> Guest:
        """A guest types a code. ``password`` None: a cookie stands for it. Raises HotspotRefused."""
        device, now = self._device, self._device.clock.now()
        mac = mac.upper()
        server_row = self._server(server)
        host = self.rows.host(mac, address, server_row)
        row = find_user(device, user, server_row.values["name"], password)
        before = self._by_mac.get(mac)
        if before is not None:
            self.end(before, "user request", returns=False)
        try:
            admit(
                device,
                row,
                mac,
                sum(1 for guest in self.guests.values() if guest.user == user),
                len(self.guests),
            )
        except HotspotRefused as refused:
            device.log("hotspot,info,debug", f"{user} ({host.values['address']}): login failed: {refused.message}")
            raise
        usage = Usage(now, up_rate, down_rate)
        limits = limits_for(device, row, server_row)
        guest = Guest(
            user,
            row.id,
            mac,
            host.values["address"],
            server_row.values["name"],
            login_by,
            "",
            usage,
            limits,
            returns,
        )
        guest.active_id = self.rows.open(guest.user, guest.address, mac, guest.server, login_by, row).id
        self.guests[guest.active_id] = self._by_mac[mac] = guest
        if login_by not in ("cookie", "mac-cookie", "admin"):
            self.rows.make_cookies(row, mac, server_row)
        device.log("hotspot,account,info,debug", f"{user} ({guest.address}): logged in")
        self._plan(guest)
        return guest

    def join(self, mac: str, address: str | None, server: str | None) -> Row:
        """A device is on the network, not logged in."""
        return self.rows.host(mac.upper(), address, self._server(server))

    def come_back(self, mac: str, **options: float | bool) -> Guest:
        """The phone of a guest tries its cookie. Raises HotspotRefused when there is none that helps."""
        cookie = self.rows.cookie_of(mac.upper())
        if cookie is None:
            raise HotspotRefused("no cookie")
        login_by = "mac-cookie" if cookie.values["mac-cookie"] == "true" else "cookie"
        return self.login(cookie.values["user"], None, mac, login_by=login_by, **options)  # type: ignore[arg-type]

    def logout(self, mac: str) -> None:
        """The guest presses log out. Raises KeyError when the phone is not logged in."""
        self.end(self._by_mac[mac.upper()], "user request", returns=False)

    def leave(self, mac: str) -> None:
        """The guest walks away: no more traffic, the timeouts decide. Raises KeyError when not logged in."""
        guest = self._by_mac[mac.upper()]
        guest.returns = False
        guest.usage.quiet_since = self._device.clock.now()
        self._plan(guest)

    def use(self, mac: str, up_bytes: int = 0, down_bytes: int = 0) -> None:
        """The guest moves so many bytes at once. Raises KeyError when not logged in."""
        guest = self._by_mac[mac.upper()]
        guest.usage.up_extra += up_bytes
        guest.usage.down_extra += down_bytes
        self._plan(guest)

    def set_rates(self, mac: str, up_rate: float, down_rate: float) -> None:
        """The guest's traffic from now on, bytes per second. Raises KeyError when not logged in."""
        guest = self._by_mac[mac.upper()]
        guest.usage.change_rates(self._device.clock.now(), up_rate, down_rate)
        self._plan(guest)

    def guest_of(self, mac: str) -> Guest | None:
        """The running session of that phone."""
        return self._by_mac.get(mac.upper())

    # -- what the router does

    def end(self, guest: Guest, cause: str, *, returns: bool, usage_until: float | None = None) -> None:
        """End a session: the user's counters grow, everything dynamic of it goes."""
        if self.guests.pop(guest.active_id, None) is None:
            return
        self._by_mac.pop(guest.mac, None)
        if guest.event is not None:
            guest.event.cancel()
        now = self._device.clock.now() if usage_until is None else usage_until
        self.rows.count(guest.user_row_id, guest.usage, now)
        self.rows.close(guest.active_id, guest.mac)
        self._device.log("hotspot,account,info,debug", f"{guest.user} ({guest.address}): logged out: {cause}")
        if returns and guest.returns:
            self._plan_return(guest, RETURN_SECONDS)

    def power_off(self) -> None:
        """All sessions vanish; usage since the last checkpoint is lost. Phones come back after the boot."""
        now = self._device.clock.now()
        for guest in list(self.guests.values()):
            whole = int(guest.usage.seconds(now) // CHECKPOINT_SECONDS) * CHECKPOINT_SECONDS
            self.end(guest, "lost service", returns=False, usage_until=guest.usage.started + whole)
            if guest.returns:
                self._plan_return(guest, RETURN_AFTER_BOOT_SECONDS)

    def forget(self) -> None:
        """Drop all sessions without counting (the tables were emptied)."""
        for guest in self.guests.values():
            if guest.event is not None:
                guest.event.cancel()
        self.guests.clear()
        self._by_mac.clear()
        self.rows.forget()

    def refresh(self) -> None:
        """Bring the rows of running sessions up to date."""
        now = self._device.clock.now()
        for guest in self.guests.values():
            self.rows.refresh(guest.active_id, guest.mac, guest.usage, guest.limits, now)

    def _plan_return(self, guest: Guest, seconds: float) -> None:
        up_rate, down_rate = guest.usage.up_rate, guest.usage.down_rate

        def again() -> None:
            if guest.mac in self._by_mac:
                return
            try:
                self.come_back(guest.mac, up_rate=up_rate, down_rate=down_rate)
            except HotspotRefused as refused:
                self._device.log("hotspot,info,debug", f"{guest.mac}: cookie login failed: {refused.message}")

        self._device.clock.call_in(seconds, again)

    def _plan(self, guest: Guest) -> None:
        if guest.event is not None:
            guest.event.cancel()
            guest.event = None
        clock = self._device.clock
        planned = guest.limits.next_end(guest.usage, clock.now())
        if planned is not None:
            moment, cause = planned
            guest.event = clock.call_at(moment, lambda: self.end(guest, cause, returns=True))
            if moment <= clock.now():
                clock.run_due()

    def _server(self, name: str | None) -> Row:
        for row in self._device.tables["ip/hotspot"].rows.values():
            if row.values.get("disabled") != "true" and name in (None, row.values["name"]):
                return row
        raise HotspotRefused("hotspot service is shutting down")

    def _active_changed(self, table: Table, change: str, row: Row, before: dict[str, str | None]) -> None:
        guest = self.guests.get(row.id) if change == "remove" else None
        if guest is not None:
            self.end(guest, "admin reset", returns=True)

    def _host_changed(self, table: Table, change: str, row: Row, before: dict[str, str | None]) -> None:
        if change != "remove":
            return
        guest = self._by_mac.get(row.values["mac-address"])
        if guest is not None:
            self.end(guest, "admin reset", returns=True)
        self._pools.give_back(row.values["address"])

    def _user_changed(self, table: Table, change: str, row: Row, before: dict[str, str | None]) -> None:
        """Limits hold from login on; only a device started with ``live_limits`` applies them to running
        sessions."""
        if not self.live_limits or change != "set" or not any(name.startswith("limit-") for name in before):
            return
        for guest in [guest for guest in self.guests.values() if guest.user_row_id == row.id]:
            guest.limits = limits_for(self._device, row, self._server(guest.server))
            self._plan(guest)


def login_command(hotspot: Hotspot, words: dict[str, str]) -> None:
    """``/ip/hotspot/active/login``: log in a host that is already there. Raises Trap."""
    host = hotspot.rows.known_host(words.get("ip", ""), words.get("mac-address", ""))
    if host is None:
        raise Trap(f"unknown host IP {words.get('ip', '')}")
    mac = words.get("mac-address", host.values["mac-address"]).upper()
    if mac != host.values["mac-address"]:
        raise Trap("wrong MAC provided")
    try:
        hotspot.login(
            words.get("user", ""),
            words.get("password", ""),
            mac,
            server=host.values["server"],
            login_by="admin",
        )
    except HotspotRefused as refused:
        raise Trap(refused.message) from refused
