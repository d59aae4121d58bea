"""What a router has, read as it is: for taking over. Nothing on the router changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from locations.models import Location
from locations.routeros.client import Reply, RouterClient, Row
from locations.routeros.errors import RouterTrap
from locations.services.asking import router_ask
from locations.sync.kinds import is_readable
from locations.sync.pipeline import pipelined

USERS, SECRETS = "/ip/hotspot/user", "/ppp/secret"
HOTSPOT_PROFILES, PPP_PROFILES = "/ip/hotspot/user/profile", "/ppp/profile"
POOLS, SCRIPTS, SCHEDULERS = "/ip/pool", "/system/script", "/system/scheduler"
SALES_COMMENT = "comment=mikhmon"  # what Mikhmon writes on each sale it keeps as a script (routeros.md 2.17)
PROPERTIES: dict[str, tuple[str, ...]] = {
    POOLS: ("name", "ranges", "comment"),
    HOTSPOT_PROFILES: (
        ".id", "name", "rate-limit", "shared-users", "session-timeout", "idle-timeout", "keepalive-timeout",
        "address-pool", "address-list", "on-login", "default",
    ),
    USERS: (
        ".id", "name", "password", "profile", "server", "mac-address", "limit-uptime", "limit-bytes-total",
        "limit-bytes-in", "limit-bytes-out", "uptime", "bytes-in", "bytes-out", "comment", "disabled", "dynamic", "default",
    ),
    PPP_PROFILES: (
        ".id", "name", "rate-limit", "remote-address", "only-one", "session-timeout", "idle-timeout", "address-list",
        "comment", "default",
    ),
    SECRETS: (
        ".id", "name", "password", "service", "profile", "caller-id", "remote-address", "comment", "disabled",
        "last-logged-out",
    ),
    SCRIPTS: (".id", "name", "owner", "comment"),
    SCHEDULERS: (".id", "name", "interval", "on-event", "comment", "disabled"),
}  # fmt: skip
QUERIES: dict[str, tuple[str, ...]] = {SCRIPTS: (SALES_COMMENT,)}
MENU_SECONDS = 120.0


@dataclass(frozen=True)
class RouterContents:
    """Rows by menu, as the router printed them. `odd` are (menu, name) whose bytes are not UTF-8: we cannot name them.

    `odd_comments` are (menu, `.id`) of comments like that. `has_passwords`: our user may read passwords there.
    """

    version: str
    time_zone: str
    has_passwords: bool
    rows: dict[str, list[Row]] = field(default_factory=dict)
    odd: set[tuple[str, str]] = field(default_factory=set)
    odd_comments: set[tuple[str, str]] = field(default_factory=set)


def router_read(location: Location, *, tick: Callable[[], None] = lambda: None) -> RouterContents:
    """One short extra connection. Never call it inside a transaction. Raises DomainError in words for people.

    `tick` is called between menus and may stop the reading by raising.
    """
    with router_ask(location, seconds=MENU_SECONDS) as client:
        resource = client.print("/system/resource")
        clock = client.print("/system/clock")
        rows: dict[str, list[Row]] = {}
        for menu, properties in PROPERTIES.items():
            tick()
            client.deadline = time.monotonic() + MENU_SECONDS
            rows[menu] = _print(client, menu, properties)
        client.deadline = time.monotonic() + MENU_SECONDS
        logins = [(menu, row) for menu in (USERS, SECRETS) for row in rows[menu]]
        return RouterContents(
            version=resource[0].get("version", "").split(" ")[0][:64] if resource else "",
            time_zone=clock[0].get("time-zone-name", "")[:64] if clock else "",
            has_passwords=any(is_readable(row.get("password", "")) for _menu, row in logins)
            or _may_read_passwords(client, location.username),
            rows=rows,
            odd={(menu, row["name"]) for menu, row in _unnamed(client, logins, "name")},
            odd_comments={(menu, row.get(".id", "")) for menu, row in _unnamed(client, logins, "comment")},
        )


def _print(client: RouterClient, menu: str, properties: Sequence[str]) -> list[Row]:
    """A menu that the router does not have is empty; everything else it refuses is an error."""
    try:
        return client.print(menu, properties, QUERIES.get(menu, ()))
    except RouterTrap as trap:
        if trap.is_permission or not trap.words.startswith("no such command"):
            raise
        return []


def _unnamed(client: RouterClient, rows: Sequence[tuple[str, Row]], word: str) -> list[tuple[str, Row]]:
    """Rows whose text the router does not find again when it is asked in UTF-8: it was stored in another code page."""
    suspects = [(menu, row) for menu, row in rows if not row.get(word, "").isascii()]
    found = []
    for (menu, row), answer in pipelined(
        client, suspects,
        lambda item: (f"{item[0]}/print", {".proplist": ".id"}, (f"{word}={item[1].get(word, '')}",)),
    ):  # fmt: skip
        if not isinstance(answer, Reply) or row.get(".id") not in {one.get(".id") for one in answer.rows}:
            found.append((menu, row))
    return found


def _may_read_passwords(client: RouterClient, username: str) -> bool:
    try:
        users = client.print("/user", (), [f"name={username}"])
        groups = client.print("/user/group", (), [f"name={users[0].get('group', '')}"]) if users else []
    except RouterTrap:
        return False
    return bool(groups) and "sensitive" in groups[0].get("policy", "").split(",")
