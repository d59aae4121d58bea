"""Value formats of RouterOS: durations, booleans, rates, sizes, addresses, dates by version."""

from __future__ import annotations

import ipaddress
import re
from datetime import date, datetime

TRUE_WORDS = frozenset({"yes", "true"})
FALSE_WORDS = frozenset({"no", "false"})

_UNITS = (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_UNIT_SECONDS = {"w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 0.000001}
_PART = re.compile(r"([0-9]+)(ms|us|w|d|h|m|s)")
_CLOCK = re.compile(r"(?:(?:([0-9]+)w)?(?:([0-9]+)d)?\s*)?([0-9]+):([0-9]{1,2})(?::([0-9]{1,2}))?")
_RATE = re.compile(r"([0-9]+)([kKmMgG]?)")
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}")
_LONGEST_NUMBER = 40
"""Longer texts are no number or duration of any router, and would cost time to read."""
_MULTIPLIER = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}
_BINARY = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
Version = tuple[int, int, int]


def parse_version(text: str) -> Version:
    """``7.16.1`` or ``6.49.17`` as a comparable tuple; raises ValueError on anything else."""
    match = re.fullmatch(r"(\d+)\.(\d+)(?:\.(\d+))?(?:(?:rc|beta)\d+)?", text)
    if match is None:
        raise ValueError(f"not a RouterOS version: {text!r}")
    return int(match[1]), int(match[2]), int(match[3] or 0)


def format_duration(seconds: float) -> str:
    """Whole seconds as ``1w2d3h4m5s``; ``0s`` for nothing. Fractions are dropped."""
    rest = int(seconds)
    if rest <= 0:
        return "0s"
    parts = []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def parse_duration(text: str) -> float | None:
    """Seconds of ``1d2h``, ``30m``, ``90``, ``01:30:00``, ``1d 00:00:00``; None when it is no duration."""
    text = text.strip()
    if len(text) > _LONGEST_NUMBER:
        return None
    if text.isdigit() and text.isascii():
        return float(text)
    clock = _CLOCK.fullmatch(text)
    if clock:
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return float(weeks * 604800 + days * 86400 + hours * 3600 + minutes * 60 + seconds)
    total, position = 0.0, 0
    for match in _PART.finditer(text):
        if match.start() != position:
            return None
        total += int(match[1]) * _UNIT_SECONDS[match[2]]
        position = match.end()
    return total if position and position == len(text) else None


def parse_bool(text: str) -> bool | None:
    """Any spelling of a boolean; an empty value is a flag and means yes. None when it is no boolean."""
    if text in TRUE_WORDS or text == "":
        return True
    return False if text in FALSE_WORDS else None


def format_bool(value: bool) -> str:
    """Booleans print as true/false over the API."""
    return "true" if value else "false"


def parse_rate(text: str) -> int | None:
    """Bits per second of ``5M`` / ``512k`` / ``1000`` (decimal multipliers)."""
    match = _RATE.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    return int(match[1]) * _MULTIPLIER[match[2].lower()] if match else None


def parse_bytes(text: str) -> int | None:
    """Bytes of ``1048576`` / ``10M`` (binary multipliers, as the console does)."""
    match = _RATE.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    return int(match[1]) * _BINARY[match[2].lower()] if match else None


def parse_mac(text: str) -> str | None:
    """A MAC address in capitals with colons, or None."""
    return text.replace("-", ":").upper() if _MAC.fullmatch(text) else None


def is_ip(text: str) -> bool:
    """Whether the text is one IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_prefix(text: str) -> bool:
    """Whether the text is an address or a prefix."""
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return True


def split_range(text: str) -> tuple[int, int] | None:
    """First and last address (as numbers) of ``a-b``, ``a/len`` or ``a``; None when it is no IPv4 range."""
    try:
        if "-" in text:
            low, _, high = text.partition("-")
            first, last = int(ipaddress.IPv4Address(low)), int(ipaddress.IPv4Address(high))
            return (first, last) if first <= last else None
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return None
    return int(network.network_address), int(network.broadcast_address)


def uses_iso_dates(version: Version) -> bool:
    """Dates are ISO from 7.10; before that ``jan/02/2024``."""
    return version >= (7, 10, 0)


def format_date(moment: datetime, version: Version) -> str:
    """The date part in the spelling of the version."""
    if uses_iso_dates(version):
        return moment.strftime("%Y-%m-%d")
    return f"{MONTHS[moment.month - 1]}/{moment.day:02d}/{moment.year}"


def parse_date(text: str) -> tuple[int, int, int] | None:
    """Year, month, day of either spelling; None when there is no such day."""
    if len(text) > _LONGEST_NUMBER:
        return None
    iso = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text)
    old = re.fullmatch(r"([a-zA-Z]{3})/([0-9]{1,2})/([0-9]{4})", text)
    if iso:
        parts = (int(iso[1]), int(iso[2]), int(iso[3]))
    elif old and old[1].lower() in MONTHS:
        parts = (int(old[3]), MONTHS.index(old[1].lower()) + 1, int(old[2]))
    else:
        return None
    try:
        date(*parts)
    except ValueError:
        return None
    return parts


def format_moment(moment: datetime, version: Version) -> str:
    """Date and time of day in the spelling of the version."""
    return f"{format_date(moment, version)} {moment:%H:%M:%S}"


def format_gmt_offset(moment: datetime) -> str:
    """``+02:00`` for an aware datetime."""
    offset = moment.utcoffset()
    minutes = int(offset.total_seconds()) // 60 if offset is not None else 0
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
