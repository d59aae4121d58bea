"""PPP clients: dial-in, counting, hang-up, re-dial."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from .clock import Event
from .device import Device
from .errors import PppRefused
from .models import PPP_CAPS
from .pools import Pools
from .sessions import DynamicRows
from .table import Row, Table
from .traffic import Limits, Usage
from .values import format_duration, is_ip, parse_duration

REDIAL_SECONDS = 5.0
REDIAL_REFUSED_SECONDS = 60.0
"""How soon a customer's router dials again after a hang-up and after a refusal (invented)."""


@dataclass(slots=True, eq=False)
class Dialin:
    """One running session and what the customer's router would dial again with."""

    name: str
    password: str
    caller_id: str
    service: str
    address: str
    active_id: str
    secret_id: str
    usage: Usage
    limits: Limits
    redial: bool
    from_pool: bool
    event: Event | None = None


class Ppp:
    """All PPP sessions of the router."""

    def __init__(self, device: Device, pools: Pools) -> None:
        self._device = device
        self._pools = pools
        self._dynamic = DynamicRows(device)
        self.dialins: dict[str, Dialin] = {}
        self._session_number = 0x81100000
        self._fallback = 0
        for path in ("ppp/active", "interface", "interface/pppoe-server", "queue/simple"):
            device.before_read[path] = self.refresh
        device.tables["ppp/active"].watchers.append(self._active_changed)
        device.rate_sources.append(self._rates_of)

    def connect(
        self,
        name: str,
        password: str,
        caller_id: str,
        *,
        service: str = "pppoe",
        redial: bool = False,
        up_rate: float = 20000.0,
        down_rate: float = 160000.0,
    ) -> Dialin:
        """A customer's router dials. Raises PppRefused."""
        try:
            secret = self._secret(name, password, caller_id, service)
        except PppRefused as refused:
            self._device.log(f"{service},ppp,error", f"<{caller_id}>: user {name} {refused.message}")
            raise
        profile = self._profile(secret)
        address, from_pool = self._address(name, secret, profile)
        self._session_number += 1
        row = self._device.insert(
            "ppp/active",
            name=name,
            service=service,
            caller_id=caller_id,
            address=address,
            uptime="0s",
            session_id=f"0x{self._session_number:08x}",
            limit_bytes_in=secret.values["limit-bytes-in"],
            limit_bytes_out=secret.values["limit-bytes-out"],
        )
        usage = Usage(self._device.clock.now(), up_rate, down_rate)
        limits = Limits(
            session=parse_duration(profile.get("session-timeout", "0")) or None,
            up=int(secret.values["limit-bytes-in"]) or None,
            down=int(secret.values["limit-bytes-out"]) or None,
        )
        dialin = Dialin(
            name, password, caller_id, service, address, row.id, secret.id, usage, limits, redial, from_pool
        )
        self._make_rows(dialin, profile)
        self.dialins[row.id] = dialin
        self._device.log(f"{service},ppp,info,account", f"{name} logged in, {address}")
        self._plan(dialin)
        return dialin

    def hang_up(self, name: str, *, redial: bool | None = None) -> None:
        """The customer's side drops. Raises KeyError when nobody of that name is connected."""
        dialin = self.session_of(name)
        if redial is not None:
            dialin.redial = redial
        self.end(dialin, "peer-request")

    def session_of(self, name: str) -> Dialin:
        """The running session of that name. Raises KeyError."""
        for dialin in self.dialins.values():
            if dialin.name == name:
                return dialin
        raise KeyError(name)

    def use(self, name: str, up_bytes: int = 0, down_bytes: int = 0) -> None:
        """The customer moves so many bytes at once. Raises KeyError."""
        dialin = self.session_of(name)
        dialin.usage.up_extra += up_bytes
        dialin.usage.down_extra += down_bytes
        self._plan(dialin)

    def end(self, dialin: Dialin, reason: str) -> None:
        """End a session and note it at the secret."""
        if self.dialins.pop(dialin.active_id, None) is None:
            return
        if dialin.event is not None:
            dialin.event.cancel()
        active = self._device.tables["ppp/active"]
        if dialin.active_id in active.rows:
            active.delete(active.rows[dialin.active_id])
        self._dynamic.remove(dialin.active_id)
        if dialin.from_pool:
            self._pools.give_back(dialin.address)
        secrets = self._device.tables["ppp/secret"]
        secret = secrets.rows.get(dialin.secret_id)
        if secret is not None:
            changes: dict[str, str | None] = {"last-logged-out": self._device.moment_text()}
            if "last-caller-id" in secrets.menu.by_name:
                changes |= {"last-caller-id": dialin.caller_id, "last-disconnect-reason": reason}
            secrets.update(secret, changes)
        self._device.log(f"{dialin.service},ppp,info,account", f"{dialin.name} logged out")
        if dialin.redial:
            self._plan_redial(dialin, REDIAL_SECONDS)

    def power_off(self) -> None:
        """All sessions vanish; routers that re-dial come back."""
        for dialin in list(self.dialins.values()):
            self.end(dialin, "nas-reboot")

    def forget(self) -> None:
        """Drop all sessions (the tables were emptied)."""
        for dialin in self.dialins.values():
            if dialin.event is not None:
                dialin.event.cancel()
        self.dialins.clear()
        self._dynamic.forget()

    def refresh(self) -> None:
        """Bring the rows of running sessions up to date."""
        now = self._device.clock.now()
        active = self._device.tables["ppp/active"]
        for dialin in self.dialins.values():
            row = active.rows.get(dialin.active_id)
            if row is not None:
                row.values["uptime"] = format_duration(dialin.usage.seconds(now))
            self._dynamic.refresh(dialin.active_id, dialin.usage.up(now), dialin.usage.down(now))

    def _rates_of(self, interface: str) -> tuple[int, int] | None:
        for dialin in self.dialins.values():
            if interface == f"<{dialin.service}-{dialin.name}>":
                return int(dialin.usage.up_rate * 8), int(dialin.usage.down_rate * 8)
        return None

    def _secret(self, name: str, password: str, caller_id: str, service: str) -> Row:
        rows = self._device.tables["ppp/secret"].by("name", name)
        fitting = [row for row in rows if row.values["service"] in ("any", service)]
        secret = next((row for row in fitting if row.values["disabled"] != "true"), None)
        if secret is None or not hmac.compare_digest(
            secret.values["password"].encode("latin-1"), password.encode("latin-1")
        ):
            raise PppRefused("authentication failed")
        if secret.values["caller-id"] and secret.values["caller-id"].upper() != caller_id.upper():
            raise PppRefused("authentication failed")
        profile = self._profile(secret)
        if profile.get("only-one") == "yes" and any(d.name == name for d in self.dialins.values()):
            raise PppRefused("is already active")
        cap = PPP_CAPS.get(self._device.model.license_level)
        if cap is not None and len(self.dialins) >= cap:
            raise PppRefused(f"session limit reached ({cap} sessions allowed by license)")
        return secret

    def _profile(self, secret: Row) -> dict[str, str]:
        table = self._device.tables["ppp/profile"]
        row = table.named(secret.values["profile"]) or table.named("default")
        return row.values if row is not None else self._device.default_values(table.menu)

    def _address(self, name: str, secret: Row, profile: dict[str, str]) -> tuple[str, bool]:
        wanted = secret.values.get("remote-address") or profile.get("remote-address", "")
        if is_ip(wanted):
            return wanted, False
        if wanted:
            address = self._pools.take(wanted, "ppp", name)
            if address is None:
                raise PppRefused("cannot assign ip address - no more free addresses from pool")
            return address, True
        self._fallback = (self._fallback + 1) % 65536
        return f"10.255.{self._fallback // 256}.{self._fallback % 256}", False

    def _make_rows(self, dialin: Dialin, profile: dict[str, str]) -> None:
        device, title = self._device, self._interface_name(dialin)
        common = {"name": title, "dynamic": "true", "running": "true"}
        row = device.insert("interface", type=f"{dialin.service}-in", mtu="1480", actual_mtu="1480", **common)
        self._dynamic.interface(dialin.active_id, "interface", row)
        if dialin.service == "pppoe":
            server = next(iter(device.tables["interface/pppoe-server/server"].rows.values()), None)
            row = device.insert(
                "interface/pppoe-server",
                user=dialin.name,
                service=server.values["service-name"] if server is not None else "",
                remote_address=dialin.caller_id,
                mtu="1480",
                mru="1480",
                uptime="0s",
                encoding="",
                **common,
            )
            self._dynamic.interface(dialin.active_id, "interface/pppoe-server", row)
        name = title.strip("<>")
        self._dynamic.queue(dialin.active_id, name, dialin.address, profile.get("rate-limit", ""))
        self._dynamic.address_list(dialin.active_id, profile.get("address-list", ""), dialin.address, dialin.name)

    def _interface_name(self, dialin: Dialin) -> str:
        table, number = self._device.tables["interface"], 0
        title = f"<{dialin.service}-{dialin.name}>"
        while table.named(title) is not None:
            number += 1
            title = f"<{dialin.service}-{dialin.name}-{number}>"
        return title

    def _plan(self, dialin: Dialin) -> None:
        if dialin.event is not None:
            dialin.event.cancel()
            dialin.event = None
        clock = self._device.clock
        planned = dialin.limits.next_end(dialin.usage, clock.now())
        if planned is not None:
            dialin.event = clock.call_at(planned[0], lambda: self.end(dialin, planned[1].replace(" ", "-")))
            if planned[0] <= clock.now():
                clock.run_due()

    def _plan_redial(self, dialin: Dialin, seconds: float) -> None:
        def again() -> None:
            try:
                self.connect(
                    dialin.name,
                    dialin.password,
                    dialin.caller_id,
                    service=dialin.service,
                    redial=True,
                    up_rate=dialin.usage.up_rate,
                    down_rate=dialin.usage.down_rate,
                )
            except PppRefused:
                self._plan_redial(dialin, REDIAL_REFUSED_SECONDS)

        self._device.clock.call_in(seconds, again)

    def _active_changed(self, table: Table, change: str, row: Row, before: dict[str, str | None]) -> None:
        dialin = self.dialins.get(row.id) if change == "remove" else None
        if dialin is not None:
            self.end(dialin, "admin-reset")
