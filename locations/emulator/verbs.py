"""What can be done to the device from outside the API: guests, cables, time, faults, hardware. Results
are JSON-able."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .commands import execute
from .sentence import LOCAL, Done, Live, Rows, Sentence
from .table import Row, Table
from .values import format_duration
from .wire import text_in, text_out

if TYPE_CHECKING:
    from .clock import VirtualClock
    from .connection import ApiConnection
    from .device import Device
    from .faults import Faults
    from .hotspot import Guest, Hotspot
    from .listener import Listener
    from .oplog import OperationLog
    from .pools import Pools
    from .ppp import Dialin, Ppp

VERBS = (
    "advance",
    "set_clock",
    "hotspot_login",
    "hotspot_return",
    "hotspot_logout",
    "hotspot_leave",
    "hotspot_use",
    "hotspot_rates",
    "hotspot_host",
    "ppp_connect",
    "ppp_disconnect",
    "ppp_use",
    "queue_use",
    "reboot",
    "factory_reset",
    "replace_hardware",
    "set_fault",
    "clear_fault",
    "release",
    "held",
    "faults_active",
    "rows",
    "count",
    "command",
    "menus",
    "op_counts",
    "op_log",
    "write_count",
    "clear_op_log",
    "sessions",
    "connections_open",
    "info",
    "drop_connections",
    "set_rtt",
    "set_cpu_load",
    "seed",
)


class Verbs:
    """Mixed into RouterCore; the attributes below are its own."""

    clock: VirtualClock
    device: Device
    pools: Pools
    hotspot: Hotspot
    ppp: Ppp
    faults: Faults
    operations: OperationLog
    connections: set[ApiConnection]
    listeners: list[Listener]
    rtt_ms: float

    def changed(self) -> None:
        """Something to be saved happened."""
        raise NotImplementedError

    def drop_connections(self) -> None:
        """Cut every connection."""
        raise NotImplementedError

    def become(self, *, serial: str | None, model: str | None) -> None:
        """Be another piece of hardware."""
        raise NotImplementedError

    # -- time

    def advance(self, seconds: float) -> dict[str, Any]:
        """Let device time pass at once; sessions reach their limits on the way."""
        self.clock.advance(seconds)
        self.changed()
        return self.info()

    def set_clock(self, *, skew_seconds: float | None = None, time_zone: str | None = None) -> dict[str, Any]:
        """A wrong wall clock, another time zone."""
        if skew_seconds is not None:
            self.clock.skew_seconds = skew_seconds
        if time_zone is not None:
            self.clock.time_zone = time_zone
        return self.info()

    def set_bad_blocks(self, percent: str) -> None:
        """How much of the flash is worn out, as the resource menu prints it."""
        self.device.bad_blocks = percent

    # -- hotspot

    def hotspot_login(self, user: str, password: str, mac: str, **options: Any) -> dict[str, Any]:
        """A guest logs in: ``address server login_by up_rate down_rate returns``. Raises HotspotRefused."""
        self.clock.run_due()
        guest = self.hotspot.login(text_in(user), text_in(password), mac, **options)
        self.changed()
        return _guest(guest)

    def hotspot_return(self, mac: str) -> dict[str, Any]:
        """A phone that was here tries its cookie. Raises HotspotRefused when it has none or is not let in."""
        self.clock.run_due()
        return _guest(self.hotspot.come_back(mac))

    def hotspot_logout(self, mac: str) -> None:
        """The guest logs out. Raises KeyError when the phone is not logged in."""
        self.clock.run_due()
        self.hotspot.logout(mac)
        self.changed()

    def hotspot_leave(self, mac: str) -> None:
        """The guest walks away; idle or keepalive timeout ends the session later. Raises KeyError."""
        self.clock.run_due()
        self.hotspot.leave(mac)

    def hotspot_use(self, mac: str, up_bytes: int = 0, down_bytes: int = 0) -> None:
        """The guest moves so many bytes at once. Raises KeyError."""
        self.clock.run_due()
        self.hotspot.use(mac, up_bytes, down_bytes)

    def hotspot_rates(self, mac: str, up_rate: float, down_rate: float) -> None:
        """The guest's traffic from now on in bytes per second. Raises KeyError."""
        self.clock.run_due()
        self.hotspot.set_rates(mac, up_rate, down_rate)

    def hotspot_host(self, mac: str, address: str | None = None, server: str | None = None) -> dict[str, Any]:
        """A device joins the network without logging in."""
        row = self.hotspot.join(mac, address, server)
        return _row(row)

    # -- ppp

    def ppp_connect(self, name: str, password: str, caller_id: str, **options: Any) -> dict[str, Any]:
        """A customer's router dials: ``service redial up_rate down_rate``. Raises PppRefused."""
        self.clock.run_due()
        dialin = self.ppp.connect(text_in(name), text_in(password), caller_id, **options)
        self.changed()
        return _dialin(dialin)

    def ppp_disconnect(self, name: str, *, redial: bool | None = None) -> None:
        """The customer's side hangs up. Raises KeyError."""
        self.clock.run_due()
        self.ppp.hang_up(text_in(name), redial=redial)
        self.changed()

    def ppp_use(self, name: str, up_bytes: int = 0, down_bytes: int = 0) -> None:
        """The customer moves so many bytes at once. Raises KeyError."""
        self.ppp.use(text_in(name), up_bytes, down_bytes)

    def queue_use(self, name: str, up_bytes: int = 0, down_bytes: int = 0) -> None:
        """The address of a simple queue moves so many bytes at once. Raises KeyError."""
        row = self.device.tables["queue/simple"].named(text_in(name))
        if row is None:
            raise KeyError(name)
        up, _, down = row.values["bytes"].partition("/")
        row.values["bytes"] = f"{int(up) + up_bytes}/{int(down) + down_bytes}"
        self.changed()

    # -- the device

    def reboot(self) -> dict[str, Any]:
        """Power off and on: connections, sessions and dynamic rows vanish, configuration and counters
        stay."""
        self.clock.run_due()
        self.drop_connections()
        self.hotspot.power_off()
        self.ppp.power_off()
        self.device.restart()
        self.pools.forget()
        self.changed()
        return self.info()

    def factory_reset(self, *, keep_user: bool = True) -> dict[str, Any]:
        """All tables to their defaults, same hardware. ``keep_user`` False: only ``admin`` without a
        password."""
        self.drop_connections()
        self.hotspot.forget()
        self.ppp.forget()
        kept = (self.device.users_at_reset, self.device.groups_at_reset)
        if not keep_user:
            self.device.users_at_reset = [{"name": "admin", "group": "full", "comment": "system default user"}]
            self.device.groups_at_reset = []
        self.device.build_tables()
        self.device.users_at_reset, self.device.groups_at_reset = kept
        self.device.restart()
        self.pools.forget()
        self.changed()
        return self.info()

    def replace_hardware(self, *, serial: str | None = None, model: str | None = None) -> dict[str, Any]:
        """Another router answers at this address, with a fresh configuration and the same API user."""
        self.become(serial=serial, model=model)
        return self.factory_reset()

    def seed(self, users: int, prefix: str = "seed") -> int:
        """Put so many hotspot users on the router, as if they had always been there."""
        start = len(self.device.tables["ip/hotspot/user"])
        for number in range(start, start + users):
            name = f"{prefix}{number:06d}"
            self.device.insert("ip/hotspot/user", name=name, password=name, comment="seeded")
        self.changed()
        return users

    def set_rtt(self, rtt_ms: float) -> None:
        """The line's round trip from now on."""
        self.rtt_ms = rtt_ms

    def set_cpu_load(self, percent: int | None) -> None:
        """What the router says of its CPU from now on; None: a few per cent."""
        self.device.cpu_load = percent

    def info(self) -> dict[str, Any]:
        """Version, model, serial, identity, uptime, clock, ports, active faults."""
        ports = [listener.port for listener in self.listeners]
        return {
            **self.device.snapshot_values(),
            "port": ports[0],
            "tls_port": ports[1] if len(ports) > 1 else None,
            "faults": self.faults.active(),
        }

    # -- faults

    async def set_fault(self, name: str, **options: Any) -> None:
        """Switch a fault on; see the README for names and options. Raises ValueError."""
        self.faults.set(name, options)
        if name == "down":
            for listener in self.listeners:
                listener.hold()
            self.drop_connections()

    async def clear_fault(self, name: str | None = None) -> None:
        """Switch a fault off, or all; held commands go on. Raises ValueError."""
        was_down, was_silent = self.faults.down, self.faults.silent
        self.faults.clear(name)
        if was_silent and not self.faults.silent:
            for connection in self.connections:
                connection.wake()
        if was_down and not self.faults.down:
            for listener in self.listeners:
                await listener.open()

    def release(self) -> int:
        """Let the held commands go on; the stall stays for later ones. Returns how many were held."""
        return self.faults.release()

    def held(self) -> list[dict[str, Any]]:
        """Commands being held."""
        return [
            {
                "command": "/" + held.sentence.command.strip("/"),
                "words": {text_out(n): text_out(v) for n, v in held.sentence.logged_words().items()},
                "session": held.session,
            }
            for held in self.faults.held
        ]

    def faults_active(self) -> list[str]:
        """Names of the faults that are on."""
        return self.faults.active()

    # -- looking inside

    def rows(self, menu: str, **where: str) -> list[dict[str, str]]:
        """Rows of a menu with everything in them, optionally only those with these values. Raises
        KeyError."""
        self.clock.run_due()
        wanted = {name.replace("_", "-"): text_in(value) for name, value in where.items()}
        table = self.device.read(menu.strip("/"))
        found = table.by("name", wanted["name"]) if "name" in wanted else table.rows.values()
        return [_row(row) for row in found if all(row.values.get(name) == value for name, value in wanted.items())]

    def count(self, menu: str) -> int:
        """Number of rows of a menu. Raises KeyError."""
        self.clock.run_due()
        return len(self.device.read(menu.strip("/")))

    def menus(self) -> list[str]:
        """Menus that can be printed."""
        device = self.device
        return [path for path, table in device.tables.items() if self._can_print(path, table)]

    def _can_print(self, path: str, table: Table) -> bool:
        return "print" in table.menu.commands and self.device.missing_path(path) is None

    def command(
        self, command: str, words: dict[str, str] | None = None, queries: list[str] | None = None
    ) -> dict[str, Any]:
        """Run a command as somebody at the console of the router; not in the operation log. Raises Trap."""
        self.clock.run_due()
        sentence = Sentence(command, {text_in(name): text_in(value) for name, value in (words or {}).items()})
        sentence.queries = [text_in(query) for query in queries or []]
        outcome = execute(self.device, LOCAL, sentence)
        self.changed()
        if isinstance(outcome, Done):
            return {"ret": outcome.ret, "rows": []}
        if isinstance(outcome, Live):
            raise ValueError("a command that goes on cannot be run here")
        assert isinstance(outcome, Rows)  # noqa: S101 - the only other kind
        keep = outcome.predicate
        found = [_row(row) for row in outcome.candidates if keep is None or keep(row)]
        return {
            "ret": str(len(found)) if outcome.is_count else None,
            "rows": [] if outcome.is_count else found,
        }

    def op_counts(self) -> dict[str, int]:
        """How often each command was executed."""
        return {text_out(command): count for command, count in self.operations.counts.items()}

    def op_log(self, prefix: str = "", last: int | None = None) -> list[dict[str, Any]]:
        """Executed commands, oldest first, without secrets."""
        return self.operations.entries(prefix, last)

    def write_count(self) -> int:
        """Accepted commands that changed something."""
        return self.operations.write_count()

    def clear_op_log(self) -> None:
        """Start counting again."""
        self.operations.clear()

    def sessions(self) -> dict[str, list[dict[str, Any]]]:
        """Running hotspot and PPP sessions."""
        self.clock.run_due()
        now = self.clock.now()
        hotspot = [{**_guest(guest), **_usage(guest, now)} for guest in self.hotspot.guests.values()]
        ppp = [{**_dialin(dialin), **_usage(dialin, now)} for dialin in self.ppp.dialins.values()]
        return {"hotspot": hotspot, "ppp": ppp}

    def connections_open(self) -> int:
        """API connections right now."""
        return len(self.connections)


def _row(row: Row) -> dict[str, str]:
    return {".id": row.id, **{name: text_out(value) for name, value in row.values.items()}}


def _guest(guest: Guest) -> dict[str, Any]:
    return {
        "id": guest.active_id,
        "user": text_out(guest.user),
        "mac": guest.mac,
        "address": guest.address,
        "server": text_out(guest.server),
        "login_by": guest.login_by,
    }


def _dialin(dialin: Dialin) -> dict[str, Any]:
    return {
        "id": dialin.active_id,
        "name": text_out(dialin.name),
        "caller_id": dialin.caller_id,
        "address": dialin.address,
        "service": dialin.service,
    }


def _usage(session: Guest | Dialin, now: float) -> dict[str, Any]:
    usage = session.usage
    seconds = usage.seconds(now)
    return {
        "uptime": format_duration(seconds),
        "uptime_seconds": seconds,
        "up_bytes": usage.up(now),
        "down_bytes": usage.down(now),
    }
