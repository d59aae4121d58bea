"""What Mikhmon v3 writes on a router, read back (its source, `research/routeros.md` 2.17). Pure; nothing is trusted.

A profile's on-login script begins `:put (",<mode>,<price>,<validity>,<selling price>,,<lock>,");`. A code not used yet
carries `vc-<number>-<date>-<note>` (password is the code) or `up-…`; at the first login the script writes the end of the
validity there, `jan/02/2024 12:00:00` before RouterOS 7.10 and `2024-01-02 12:00:00` since. A sale is a script called
`date-|-time-|-user-|-price-|-address-|-mac-|-validity-|-profile-|-comment`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from locations.routeros.values import duration_seconds

MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
MODES = {"rem", "ntf", "remc", "ntfc"}
_META = re.compile(r':put\s*\(\s*"\s*,([^"]{0,200})"\s*\)')
_OLD = re.compile(r"([a-z]{3})/(\d{1,2})/(\d{4}) +(\d{1,2}:\d{2}:\d{2})(?: .*)?", re.IGNORECASE)
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2}) +(\d{1,2}:\d{2}:\d{2})(?: .*)?")
_MARK = re.compile(r"(?:vc|up)-.*", re.IGNORECASE | re.DOTALL)
_AMOUNT = re.compile(r"\d{1,12}(\.\d{1,2})?", re.ASCII)
SALE_PARTS = 8  # the comment, the ninth, may be missing or hold the separator itself
SEPARATOR = "-|-"
SCHEDULER_SIGNS = ("/ip hotspot user", "/ip hotspot active")
SHORTEST, LONGEST = 10, 10 * 366 * 86400


@dataclass(frozen=True)
class ProfileTerms:
    """What a profile's script says about its price. `mode` "" is no end; `price` is what Mikhmon counts as income."""

    mode: str
    price: Decimal | None
    validity_seconds: int | None
    selling_price: Decimal | None
    is_mac_locked: bool

    @property
    def price_sell(self) -> Decimal:
        return self.selling_price or self.price or Decimal(0)

    @property
    def price_cost(self) -> Decimal:
        """The lower one of two: what the seller pays."""
        return self.price if self.selling_price and self.price and self.price < self.selling_price else Decimal(0)


def terms_read(on_login: str) -> ProfileTerms | None:
    """The terms in a profile's on-login script; None when Mikhmon did not write it."""
    match = _META.search(on_login[:2000])
    if match is None:
        return None
    parts = [part.strip() for part in match[1].split(",")] + [""] * 6
    mode = parts[0].lower()
    return ProfileTerms(
        mode if mode in MODES else "", _amount(parts[1]), _validity(parts[2]), _amount(parts[3]),
        parts[5].lower() == "enable",
    )  # fmt: skip


def _amount(text: str) -> Decimal | None:
    return Decimal(text) if _AMOUNT.fullmatch(text) else None


def _validity(text: str) -> int | None:
    try:
        seconds = duration_seconds(text)
    except ValueError:
        return None
    return seconds if SHORTEST <= seconds <= LONGEST else None


def is_mark(comment: str) -> bool:
    """A code of Mikhmon that nobody used yet."""
    return bool(_MARK.fullmatch(comment))


def end_read(comment: str, zone: str) -> datetime | None:
    """The end of the validity in a comment, on the router's clock in `zone`; None when it is no date."""
    old, iso = _OLD.fullmatch(comment.strip()), _ISO.fullmatch(comment.strip())
    if old and old[1].lower() in MONTHS:
        return moment_read(f"{old[1]}/{old[2]}/{old[3]}", old[4], zone)
    return moment_read(iso[1], iso[2], zone) if iso else None


def moment_read(day: str, time: str, zone: str) -> datetime | None:
    """A day in either style and a time, on the clock of `zone`; None when there is no such moment."""
    parts = day.strip().lower().replace("/", "-").split("-")
    if len(parts) == 3 and parts[0] in MONTHS:
        parts = [parts[2], str(MONTHS[parts[0]]), parts[1]]
    try:
        year, month, date = (int(part) for part in parts)
        hour, minute, second = (int(part) for part in time.strip().split(":"))
        local = datetime(year, month, date, hour, minute, second, tzinfo=zone_of(zone))
        return local.astimezone(UTC) if 2000 <= year < 2200 else None
    except (ValueError, OverflowError):
        return None


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@dataclass(frozen=True)
class Sale:
    """One row of Mikhmon's sales report."""

    sold_at: datetime
    user: str
    price: Decimal
    address: str
    mac: str
    validity: str
    profile: str
    comment: str


def sale_read(name: str, zone: str) -> Sale | None:
    """The sale behind a script's name; None when it is none, or its date or price cannot be read."""
    parts = name.split(SEPARATOR, SALE_PARTS)
    if len(parts) < SALE_PARTS:
        return None
    day, time, user, price, address, mac, validity, profile, *rest = (part.strip() for part in parts)
    sold_at, amount = moment_read(day, time, zone), _amount(price)
    if sold_at is None or amount is None or not user:
        return None
    comment = rest[0] if rest else ""
    return Sale(sold_at, user[:64], amount, address[:45], mac[:17], validity[:40], profile[:64], comment[:255])


def is_watchdog(on_event: str) -> bool:
    """A scheduler that looks after hotspot users: Mikhmon's of a profile, or one like it."""
    return all(sign in on_event for sign in SCHEDULER_SIGNS) or "hotspot user remove" in on_event
