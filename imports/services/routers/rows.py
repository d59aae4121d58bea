"""A router's answers as rows to be judged: bounded, clean text and whole numbers. Pure; nothing of a router is trusted."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from core.numbers import whole_number
from imports.choices import Subject
from imports.models import RouterImport, RouterImportRow
from imports.routers.mikhmon import is_watchdog, sale_read, terms_read
from locations.routeros.client import Row
from locations.routeros.values import duration_seconds, is_true
from locations.services import RouterContents
from locations.services.reading import (
    HOTSPOT_PROFILES,
    POOLS,
    PPP_PROFILES,
    SCHEDULERS,
    SCRIPTS,
    SECRETS,
    USERS,
)

NAME, COMMENT, SCRIPT = 255, 4096, 65_536
_MAC = re.compile(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}")
NO_MAC = "00:00:00:00:00:00"
MENUS = {Subject.USER: USERS, Subject.SECRET: SECRETS}
BIGGEST = 2**62


def rows_read(run: RouterImport, contents: RouterContents, zone: str) -> list[RouterImportRow]:
    """Profiles first, then logins, sales, pools and schedulers, without verdicts. `zone` is the router's clock's."""
    rows = [
        *_each(contents, HOTSPOT_PROFILES, Subject.PROFILE, _hotspot_profile),
        *_each(contents, PPP_PROFILES, Subject.PPP_PROFILE, _ppp_profile),
        *_each(contents, USERS, Subject.USER, _user),
        *_each(contents, SECRETS, Subject.SECRET, _secret),
        *_sales(contents, zone),
        *_each(contents, POOLS, Subject.POOL, lambda row: {"ranges": _text(row, "ranges", NAME)}),
        *_each(contents, SCHEDULERS, Subject.SCHEDULER, _scheduler),
    ]
    _mark(rows, contents)
    for number, row in enumerate(rows, 1):
        row.run, row.number = run, number
    return rows


def _each(contents: RouterContents, menu: str, subject: Subject, values: Any) -> Iterator[RouterImportRow]:
    for row in contents.rows.get(menu, []):
        yield RouterImportRow(
            subject=subject, name=_text(row, "name", NAME), profile=_text(row, "profile", NAME),
            router_id=_text(row, ".id", 16), values=values(row), secret=_secret_of(row, subject, contents),
        )  # fmt: skip


def _secret_of(row: Row, subject: Subject, contents: RouterContents) -> str | None:
    """NULL: the router does not show it. A login without a password has an empty one."""
    if subject not in MENUS or not contents.has_passwords:
        return None
    return _text(row, "password", NAME)


def _text(row: Row, word: str, longest: int) -> str:
    """PostgreSQL keeps no NUL; a router may send one."""
    return row.get(word, "").replace("\x00", "\ufffd")[:longest]


def _hotspot_profile(row: Row) -> dict[str, Any]:
    script = _text(row, "on-login", SCRIPT)
    terms = terms_read(script)
    devices = row.get("shared-users", "1")
    return {
        "rate_limit": _text(row, "rate-limit", NAME), "session": _seconds(row, "session-timeout"),
        "idle": _seconds(row, "idle-timeout"), "keepalive": _seconds(row, "keepalive-timeout"),
        "devices": int(devices) if devices.isdecimal() and len(devices) < 6 else None,
        "pool": "" if row.get("address-pool", "none") == "none" else _text(row, "address-pool", NAME),
        "script": script, "is_script_kept": script == row.get("on-login", "") and script.isascii(),
        "is_builtin": is_true(row.get("default", "")),
        "terms": None if terms is None else {
            "mode": terms.mode, "price_sell": str(terms.price_sell), "price_cost": str(terms.price_cost),
            "validity": terms.validity_seconds, "lock": terms.is_mac_locked,
        },
    }  # fmt: skip


def _ppp_profile(row: Row) -> dict[str, Any]:
    return {
        "rate_limit": _text(row, "rate-limit", NAME), "session": _seconds(row, "session-timeout"),
        "idle": _seconds(row, "idle-timeout"), "keepalive": None, "pool": _text(row, "remote-address", NAME),
        "devices": 1 if row.get("only-one") == "yes" else 1000, "script": "", "terms": None,
        "is_builtin": is_true(row.get("default", "")),
    }  # fmt: skip


def _login(row: Row) -> dict[str, Any]:
    comment = row.get("comment", "")
    return {
        "comment": _text(row, "comment", COMMENT), "is_comment_long": len(comment) > COMMENT or "\x00" in comment,
        "disabled": is_true(row.get("disabled", "")),
    }  # fmt: skip


def _user(row: Row) -> dict[str, Any]:
    mac = row.get("mac-address", "").upper()
    return {
        **_login(row), "uptime": _seconds(row, "uptime") or 0, "limit_uptime": _seconds(row, "limit-uptime"),
        "bytes": _whole(row, "bytes-in") + _whole(row, "bytes-out"),
        "limit_bytes": _whole(row, "limit-bytes-total") or None,
        "mac": mac if _MAC.fullmatch(mac) and mac != NO_MAC else "",
        "is_own": is_true(row.get("default", "")) or is_true(row.get("dynamic", "")),
        "server": _text(row, "server", NAME),
    }  # fmt: skip


def _secret(row: Row) -> dict[str, Any]:
    caller, address = row.get("caller-id", "").upper(), row.get("remote-address", "")
    return {
        **_login(row), "service": _text(row, "service", 20) or "any", "is_own": False,
        "mac": caller if _MAC.fullmatch(caller) else "", "is_caller_odd": bool(caller and not _MAC.fullmatch(caller)),
        "address": address if _is_ipv4(address) else None, "is_address_odd": bool(address and not _is_ipv4(address)),
    }  # fmt: skip


def _is_ipv4(text: str) -> bool:
    try:
        return not ipaddress.IPv4Address(text).is_unspecified
    except ValueError:
        return False


def _seconds(row: Row, word: str) -> int | None:
    """None for none, 0 and nonsense."""
    try:
        return min(duration_seconds(row.get(word, "")), BIGGEST) or None
    except ValueError:
        return None


def _whole(row: Row, word: str) -> int:
    return whole_number(row.get(word, "")) or 0


def _scheduler(row: Row) -> dict[str, Any]:
    return {
        "interval": _text(row, "interval", 40), "disabled": is_true(row.get("disabled", "")),
        "is_watchdog": is_watchdog(_text(row, "on-event", SCRIPT)),
    }  # fmt: skip


def _sales(contents: RouterContents, zone: str) -> Iterator[RouterImportRow]:
    for row in contents.rows.get(SCRIPTS, []):
        name = _text(row, "name", 1000)
        sale = sale_read(name, zone)
        values: dict[str, Any] = {"fingerprint": sha256(name.encode()).hexdigest()}
        if sale is not None:
            values |= {
                "sold_at": sale.sold_at.isoformat(), "price": str(sale.price), "validity": sale.validity,
                "comment": sale.comment, "mac": sale.mac,
            }  # fmt: skip
        yield RouterImportRow(
            subject=Subject.SALE, name=sale.user if sale else name[:NAME], profile=sale.profile if sale else "",
            router_id=_text(row, ".id", 16), values=values,
        )  # fmt: skip


def _mark(rows: list[RouterImportRow], contents: RouterContents) -> None:
    """What only shows when all are seen: names twice, names that differ by case alone, bytes nobody can name."""
    logins = [row for row in rows if row.subject in MENUS]
    names = Counter((row.subject, row.name) for row in logins)
    first: dict[tuple[str, str], str] = {}
    for row in logins:
        menu = MENUS[Subject(row.subject)]
        same = first.setdefault((row.subject, row.name.casefold()), row.name)
        row.values |= {
            "is_twice": names[(row.subject, row.name)] > 1,
            "twin": same if same != row.name else "",
            "is_name_odd": (menu, row.name) in contents.odd or "\ufffd" in row.name,
            "is_comment_odd": (menu, row.router_id) in contents.odd_comments or bool(row.values["is_comment_long"]),
        }
