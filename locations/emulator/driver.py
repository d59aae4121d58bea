"""The verbs as methods, the same for a router in this process and for one behind a control port."""

from __future__ import annotations

from typing import Any, cast

Json = dict[str, Any]


class Driver:
    """What tests and operators can do to a router. Times in seconds, traffic in bytes and bytes per
    second."""

    def _call(self, verb: str, *args: Any, **options: Any) -> Any:
        raise NotImplementedError

    # -- time

    def advance(self, seconds: float) -> Json:
        """Let device time pass at once; sessions reach their limits on the way. Returns ``info()``."""
        return cast("Json", self._call("advance", seconds))

    def set_clock(self, *, skew_seconds: float | None = None, time_zone: str | None = None) -> Json:
        """A wrong wall clock (seconds ahead of the truth), another time zone."""
        return cast("Json", self._call("set_clock", skew_seconds=skew_seconds, time_zone=time_zone))

    def set_bad_blocks(self, percent: str) -> None:
        """How much of the flash is worn out, as `/system/resource` prints it."""
        self._call("set_bad_blocks", percent)

    # -- hotspot guests

    def hotspot_login(self, user: str, password: str, mac: str, **options: Any) -> Json:
        """A guest types a code. Options: ``address server login_by up_rate down_rate returns``.

        ``returns`` (default True): after being thrown out the phone comes back by itself while
        its cookie is valid.
        Raises HotspotRefused with the text of the login page.
        """
        return cast("Json", self._call("hotspot_login", user, password, mac, **options))

    def hotspot_return(self, mac: str) -> Json:
        """A phone that was here tries its cookie now. Raises HotspotRefused."""
        return cast("Json", self._call("hotspot_return", mac))

    def hotspot_logout(self, mac: str) -> None:
        """The guest logs out. Raises KeyError when that phone is not logged in."""
        self._call("hotspot_logout", mac)

    def hotspot_leave(self, mac: str) -> None:
        """The guest walks away; idle or keepalive timeout ends the session later. Raises KeyError."""
        self._call("hotspot_leave", mac)

    def hotspot_use(self, mac: str, up_bytes: int = 0, down_bytes: int = 0) -> None:
        """The guest moves so many bytes at once. Raises KeyError."""
        self._call("hotspot_use", mac, up_bytes, down_bytes)

    def hotspot_rates(self, mac: str, up_rate: float, down_rate: float) -> None:
        """The guest's traffic from now on. Raises KeyError."""
        self._call("hotspot_rates", mac, up_rate, down_rate)

    def hotspot_host(self, mac: str, address: str | None = None, server: str | None = None) -> Json:
        """A device joins the network without logging in (a row in /ip/hotspot/host)."""
        return cast("Json", self._call("hotspot_host", mac, address, server))

    # -- ppp customers

    def ppp_connect(self, name: str, password: str, caller_id: str, **options: Any) -> Json:
        """A customer's router dials. Options: ``service redial up_rate down_rate``. Raises PppRefused."""
        return cast("Json", self._call("ppp_connect", name, password, caller_id, **options))

    def ppp_disconnect(self, name: str, *, redial: bool | None = None) -> None:
        """The customer's side hangs up; ``redial`` changes whether it will dial again. Raises KeyError."""
        self._call("ppp_disconnect", name, redial=redial)

    def ppp_use(self, name: str, up_bytes: int = 0, down_bytes: int = 0) -> None:
        """The customer moves so many bytes at once. Raises KeyError."""
        self._call("ppp_use", name, up_bytes, down_bytes)

    def queue_use(self, name: str, up_bytes: int = 0, down_bytes: int = 0) -> None:
        """The address of a simple queue moves so many bytes at once. Raises KeyError."""
        self._call("queue_use", name, up_bytes, down_bytes)

    # -- the device

    def reboot(self) -> Json:
        """Power off and on. Returns ``info()``."""
        return cast("Json", self._call("reboot"))

    def factory_reset(self, *, keep_user: bool = True) -> Json:
        """All tables to their defaults. ``keep_user`` False: only ``admin`` without a password is left."""
        return cast("Json", self._call("factory_reset", keep_user=keep_user))

    def replace_hardware(self, *, serial: str | None = None, model: str | None = None) -> Json:
        """Another router answers at this address (new serial, factory configuration, same API user)."""
        return cast("Json", self._call("replace_hardware", serial=serial, model=model))

    def seed(self, users: int, prefix: str = "seed") -> int:
        """Put so many hotspot users on the router without any API command."""
        return cast("int", self._call("seed", users, prefix))

    def set_rtt(self, rtt_ms: float) -> None:
        """The line's round trip from now on."""
        self._call("set_rtt", rtt_ms)

    def set_cpu_load(self, percent: int | None) -> None:
        """What the router says of its CPU from now on; None: a few per cent."""
        self._call("set_cpu_load", percent)

    def info(self) -> Json:
        """Version, model, serial, identity, uptime, clock, ports, active faults."""
        return cast("Json", self._call("info"))

    # -- faults

    def set_fault(self, name: str, **options: Any) -> None:
        """Switch a fault on.

        ``down``; ``silent``; ``delay`` (ms); ``drop_after`` (sentences, execute_last=True); ``half_sentence``
        (after=0 replies); ``duplicate`` (count=1, after=0 replies); ``truncate`` (rows, pattern); ``session_cap``
        (sessions); ``slow_reader`` (bytes_per_second); ``busy`` (ms); ``stall`` (pattern, contains, when="before" or
        "after", count). Raises ValueError.
        """
        self._call("set_fault", name, **options)

    def clear_fault(self, name: str | None = None) -> None:
        """Switch one fault off, or all; held commands go on."""
        self._call("clear_fault", name)

    def release(self) -> int:
        """Let the held commands go on; the stall stays for later ones. Returns how many were held."""
        return cast("int", self._call("release"))

    def held(self) -> list[Json]:
        """Commands being held: command, words, session."""
        return cast("list[Json]", self._call("held"))

    def faults_active(self) -> list[str]:
        """Names of the faults that are on."""
        return cast("list[str]", self._call("faults_active"))

    def drop_connections(self) -> None:
        """Cut every API connection now."""
        self._call("drop_connections")

    # -- looking inside

    def rows(self, menu: str, **where: str) -> list[dict[str, str]]:
        """Rows of a menu with every value, passwords too; ``where`` filters by equality. Raises KeyError."""
        return cast("list[dict[str, str]]", self._call("rows", menu, **where))

    def count(self, menu: str) -> int:
        """Number of rows of a menu. Raises KeyError."""
        return cast("int", self._call("count", menu))

    def command(self, command: str, words: dict[str, str] | None = None, queries: list[str] | None = None) -> Json:
        """Run a command as somebody at the router's own console: ``{"ret", "rows"}``. Raises Trap."""
        return cast("Json", self._call("command", command, words, queries))

    def menus(self) -> list[str]:
        """Every menu that can be printed in this version."""
        return cast("list[str]", self._call("menus"))

    def op_counts(self) -> dict[str, int]:
        """How often each API command was executed."""
        return cast("dict[str, int]", self._call("op_counts"))

    def op_log(self, prefix: str = "", last: int | None = None) -> list[Json]:
        """Executed API commands, oldest first: at, session, user, command, words (no secrets), queries,
        result."""
        return cast("list[Json]", self._call("op_log", prefix, last))

    def write_count(self) -> int:
        """Accepted API commands that changed something."""
        return cast("int", self._call("write_count"))

    def clear_op_log(self) -> None:
        """Start counting again."""
        self._call("clear_op_log")

    def sessions(self) -> dict[str, list[Json]]:
        """Running sessions under ``hotspot`` and ``ppp``."""
        return cast("dict[str, list[Json]]", self._call("sessions"))

    def connections_open(self) -> int:
        """API connections right now."""
        return cast("int", self._call("connections_open"))
