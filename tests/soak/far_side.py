"""What must be on a router, from the chaos's own memory, against what the emulator really holds, word by word."""

from __future__ import annotations

from dataclasses import dataclass

from locations.emulator.router import EmulatedRouter

SLOW = "64000/64000"  # the location's speed for the isolated, as routers print 64k/64k
LIST = "mb-isolated"
OFF_LIST = "mb-off"


@dataclass
class Login:
    """One hotspot user, secret or static address that we want somewhere."""

    kind: str
    name: str
    password: str
    profile: str
    comment: str
    address: str = ""
    rate: str = "0/0"
    is_isolated: bool = False
    is_off: bool = False
    mac: str = ""
    key: str = ""  # of a static address: the tail of its companions' comment


def differences(router: EmulatedRouter, tag: str, wanted: list[Login]) -> list[str]:
    """Everything that is not as wanted; an empty list is the proof."""
    found: list[str] = []
    for kind, words_of in (("hotspot", _hotspot), ("ppp", _ppp), ("static", _static)):
        rows = {row["name"]: row for row in _rows(router, kind)}
        mine = {login.name: login for login in wanted if login.kind == kind}
        ours = {name for name, row in rows.items() if row.get("comment", "").startswith(f"mb:{tag}:")}
        found += [f"{kind} {name} is missing" for name in sorted(mine.keys() - rows.keys())]
        found += [f"{kind} {name} is too many" for name in sorted(ours - mine.keys())]
        for name in mine.keys() & rows.keys():
            row = rows[name]
            for word, value in words_of(mine[name]).items():
                if row.get(word, "") != value:
                    found.append(f"{kind} {name}: {word} is {row.get(word)!r}, wanted {value!r}")
    return found + _companions(router, tag, [login for login in wanted if login.kind == "static"])


def _rows(router: EmulatedRouter, kind: str) -> list[dict[str, str]]:
    if kind == "static":
        return router.rows("/queue/simple", dynamic="false")
    return router.rows("/ip/hotspot/user" if kind == "hotspot" else "/ppp/secret")


def _login(login: Login) -> dict[str, str]:
    return {
        "password": login.password, "profile": LIST if login.is_isolated else login.profile, "comment": login.comment,
        "disabled": "true" if login.is_off else "false",
    }  # fmt: skip


def _hotspot(login: Login) -> dict[str, str]:
    return _login(login) | {"mac-address": login.mac}


def _ppp(login: Login) -> dict[str, str]:
    return _login(login) | {"service": "pppoe", "caller-id": login.mac, "remote-address": login.address}


def _static(login: Login) -> dict[str, str]:
    is_slow = login.is_isolated or login.is_off
    return {
        "target": f"{login.address}/32", "max-limit": SLOW if is_slow else login.rate, "comment": login.comment,
        "disabled": "false", "limit-at": "0/0", "burst-limit": "0/0", "burst-threshold": "0/0",
    }  # fmt: skip


def _companions(router: EmulatedRouter, tag: str, statics: list[Login]) -> list[str]:
    """The list entry of who is isolated, and the hotspot binding of everyone."""
    listed = {
        f"mb:{tag}:{login.key}": (OFF_LIST if login.is_off else LIST, login.address)
        for login in statics
        if login.is_isolated or login.is_off
    }
    bound = {f"mb:{tag}:{login.key}": (login.address, "blocked" if login.is_off else "bypassed") for login in statics}
    entries = [row for row in router.rows("/ip/firewall/address-list") if row.get("comment", "").startswith("mb:")]
    bindings = [row for row in router.rows("/ip/hotspot/ip-binding") if row.get("comment", "").startswith("mb:")]
    found = []
    if {row["comment"]: (row["list"], row["address"]) for row in entries} != listed:
        found.append("address list differs")
    if len(entries) != len(listed):
        found.append(f"{len(entries)} list entries, wanted {len(listed)}")
    if {row["comment"]: (row["address"], row["type"]) for row in bindings} != bound:
        found.append("bindings differ")
    if len(bindings) != len(bound):
        found.append(f"{len(bindings)} bindings, wanted {len(bound)}")
    return found
