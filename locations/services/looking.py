"""What a person looks up on a router: its log, and whether it reaches an address. Nothing on it changes."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.errors import DomainError
from core.scrub import REPLACEMENT, scrub_text
from core.staff_events import StaffActed
from locations.models import Location
from locations.routeros.client import Row
from locations.routeros.values import round_trip_ms, whole
from locations.services.asking import router_ask

LOG_ROWS = 200
LONGEST_TEXT = 500
MOST_PINGS = 10
SHORTEST_SECRET = 4  # a shorter password would be cut out of innocent words
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True)
class LogLine:
    """One line as the router keeps it: its own time, its topics with commas, the message without secrets."""

    time: str
    topics: str
    message: str


@dataclass(frozen=True)
class LogView:
    """The newest lines that fit the filter, newest first. `matching` of `total` lines fit; `topics` are all there are."""

    lines: list[LogLine]
    matching: int
    total: int
    topics: list[str]


def router_log(location: Location, *, topic: str = "", text: str = "", limit: int = LOG_ROWS) -> LogView:
    """Read the router's log now. Raises AskError or DomainError (`router_ask`)."""
    with router_ask(location) as client:
        rows = client.print("/log", ("time", "topics", "message"))
    lines = [_log_line(row, location.password) for row in reversed(rows)]
    found = [line for line in lines if not topic or topic in line.topics.split(",")]
    if text:
        found = [line for line in found if text.casefold() in line.message.casefold()]
    topics = sorted({one for line in lines for one in line.topics.split(",") if one})[:100]
    return LogView(found[:limit], len(found), len(lines), topics)


def _log_line(row: Row, password: str) -> LogLine:
    message = row.get("message", "")
    if len(password) >= SHORTEST_SECRET:
        message = message.replace(password, REPLACEMENT)
    return LogLine(plain(row.get("time", ""))[:32], plain(row.get("topics", ""))[:100], plain(scrub_text(message)))


def plain(text: str) -> str:
    """Text of a router without what would turn or hide the text beside it; cut to a length that fits a page."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: LONGEST_TEXT + 1])
    return shown if len(text) <= LONGEST_TEXT else shown[:LONGEST_TEXT] + "…"


@dataclass(frozen=True)
class PingLine:
    """One try: milliseconds, or the router's word for what went wrong."""

    milliseconds: float | None
    status: str


@dataclass(frozen=True)
class PingResult:
    """What the router counted; the times are in milliseconds and None when nothing came back."""

    address: str
    sent: int
    received: int
    shortest: float | None
    average: float | None
    longest: float | None
    lines: list[PingLine]

    @property
    def loss_percent(self) -> int:
        return (self.sent - self.received) * 100 // self.sent if self.sent else 100


def router_ping(location: Location, address: str, *, count: int = 4, actor: User, ip: str | None = None) -> PingResult:
    """Let the router ping an address or name, at most ten times, a second each; who did it is written down.

    Raises DomainError for an address that is none, and what `router_ask` raises.
    """
    target = ping_target(address)
    count = max(1, min(count, MOST_PINGS))
    with transaction.atomic():
        details = {"location": location.pk, "address": target, "count": count}
        events.emit(StaffActed(actor.pk, "router.pinged", details, ip))
    with router_ask(location, seconds=count * 1.5 + 5) as client:
        rows = client.call("/ping", {"address": target, "count": str(count)}).rows[-count:]
    lines = [PingLine(_time(row), plain(row.get("status", ""))[:64]) for row in rows]
    last = rows[-1] if rows else {}
    return PingResult(
        target, min(whole(last.get("sent", "")[:6]), count), min(whole(last.get("received", "")[:6]), count),
        round_trip_ms(last.get("min-rtt", "")), round_trip_ms(last.get("avg-rtt", "")),
        round_trip_ms(last.get("max-rtt", "")), lines,
    )  # fmt: skip


def _time(row: Row) -> float | None:
    return None if row.get("status") else round_trip_ms(row.get("time", ""))


def ping_target(address: str) -> str:
    """The address as a router understands it. Raises DomainError for what is neither an IP address nor a host name."""
    text = address.strip()
    try:
        number = ipaddress.ip_address(text)
    except ValueError:
        if _NAME.fullmatch(text) and not re.fullmatch(r"[0-9.]+", text):
            return text
    else:
        if not (number.is_unspecified or number.is_multicast or getattr(number, "scope_id", None)):
            return str(number)
    message = _("An IP address or a host name, for example 192.168.88.1 or router.lan.")
    raise DomainError("ping.address", message, fields={"address": message})
