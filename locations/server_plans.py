"""The commands that make a hotspot or PPPoE server out of a few answers, and what speaks against them. Pure functions.

Every step adds one thing under a name or address that the router does not have yet, so its undo is removing exactly
that. Walled garden and isolation are wishes of their own (`RouterEntry`) and never written here.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from locations.choices_servers import ServerKind

Row = Mapping[str, str]
Facts = Mapping[str, Sequence[Row]]

# what is read of the router before planning, and again before the first command
FACTS: dict[str, tuple[str, ...]] = {
    "/interface": ("name", "type"),
    "/interface/bridge/port": ("bridge", "interface"),
    "/ip/address": ("address", "interface"),
    "/ip/pool": ("name", "ranges"),
    "/ip/dhcp-server": ("name", "interface"),
    "/ip/dhcp-server/network": ("address",),
    "/ip/hotspot": ("name", "interface"),
    "/ip/hotspot/profile": ("name",),
    "/interface/pppoe-server/server": ("service-name", "interface"),
}
READ = {**FACTS, "/ppp/profile": ("name",)}  # profiles also come and go with plans sold: not in the hash
DYNAMIC_TYPES = ("pppoe-in", "ppp-in", "l2tp-in", "pptp-in", "sstp-in", "ovpn-in")
LOGIN_WAYS = ("http-chap", "http-pap", "cookie", "mac-cookie", "https")


@dataclass
class Step:
    """`words` are added to `menu`; `find` are the queries that find exactly it. `router_id` when the router has it."""

    menu: str
    words: dict[str, str]
    find: list[str]
    why: str
    is_sent: bool = False
    router_id: str = ""
    answer: str = ""
    is_undone: bool = False

    @property
    def command(self) -> str:
        """As somebody would type it in the router's terminal."""
        return " ".join([_console(self.menu), "add", *_typed(self.words)])

    @property
    def undo(self) -> str:
        looked = " ".join(_typed(dict(query.split("=", 1) for query in self.find)))
        return f"{_console(self.menu)} remove [ find {looked} ]"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def steps_of(rows: Sequence[Mapping[str, Any]]) -> list[Step]:
    return [Step(**row) for row in rows]


def _console(menu: str) -> str:
    return "/" + menu.strip("/").replace("/", " ")


def _typed(words: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" if value and " " not in value else f'{name}="{value}"' for name, value in words.items()]


def facts_hash(facts: Facts) -> str:
    """Of what the plan was made from: another hash means that the router changed meanwhile."""
    rows = {
        menu: sorted([row.get(name, "") for name in names] for row in facts[menu] if not _is_passing(row))
        for menu, names in FACTS.items()
    }
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _is_passing(row: Row) -> bool:
    """Sessions come and go; they are no configuration."""
    return row.get("type", "") in DYNAMIC_TYPES or row.get("dynamic") == "true"


def interfaces(facts: Facts) -> list[str]:
    """Where a server can stand: no port of a bridge, no session."""
    ports = {row.get("interface", "") for row in facts["/interface/bridge/port"]}
    return [
        row["name"] for row in facts["/interface"]
        if row.get("name") and not _is_passing(row) and row["name"] not in ports
    ]  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """What was asked. `network` with the prefix; `gateway` is the router's own address in it (hotspot) or of PPP."""

    kind: str
    interface: str
    name: str
    network: str
    gateway: str
    first: str
    last: str
    dns_name: str = ""
    login_by: str = "http-chap,cookie"
    dns_servers: str = ""
    service_name: str = ""


def problems(answers: Answers, facts: Facts) -> dict[str, str]:
    """Field to sentence; empty when the plan can be made."""
    found = _address_problems(answers)
    if not found:
        found.update(_overlaps(answers, facts))
    if answers.interface not in interfaces(facts):
        ports = {row.get("interface"): row.get("bridge", "") for row in facts["/interface/bridge/port"]}
        bridge = ports.get(answers.interface)
        found["interface"] = (
            _("It is a port of %(bridge)s. Choose the bridge.") % {"bridge": bridge}
            if bridge
            else _("The router has no such interface.")
        )
    found.update(_taken(answers, facts))
    return found


def _address_problems(answers: Answers) -> dict[str, str]:
    try:
        network = ipaddress.IPv4Network(answers.network)
    except ValueError:
        return {"network": _("Write a network like 10.20.0.0/24.")}
    if not 16 <= network.prefixlen <= 30 or not network.is_private:
        return {"network": _("A private network between /16 and /30.")}
    found: dict[str, str] = {}
    addresses = {}
    for name in ("gateway", "first", "last"):
        try:
            addresses[name] = ipaddress.IPv4Address(getattr(answers, name))
        except ValueError:
            found[name] = _("Write an address like 10.20.0.1.")
            continue
        if addresses[name] not in network or addresses[name] in (network.network_address, network.broadcast_address):
            found[name] = _("It is not an address of that network.")
    if not found and addresses["first"] > addresses["last"]:
        found["last"] = _("It comes before the first one.")
    elif not found and addresses["first"] <= addresses["gateway"] <= addresses["last"]:
        found["gateway"] = _("It is among the addresses that customers get.")
    return found


def _overlaps(answers: Answers, facts: Facts) -> dict[str, str]:
    network = ipaddress.IPv4Network(answers.network)
    for row in facts["/ip/address"]:
        try:
            other = ipaddress.IPv4Interface(row.get("address", "")).network
        except ValueError:
            continue
        if network.overlaps(other):
            text = _("It overlaps with %(address)s on %(interface)s.")
            return {"network": text % {"address": row.get("address", ""), "interface": row.get("interface", "")}}
    for row in facts["/ip/pool"]:
        for part in row.get("ranges", "").split(","):
            first, _dash, last = part.partition("-")
            try:
                begin, end = ipaddress.IPv4Address(first), ipaddress.IPv4Address(last or first)
            except ValueError:
                continue
            if begin <= network.broadcast_address and end >= network.network_address:
                return {"network": _("It overlaps with the pool %(name)s.") % {"name": row.get("name", "")}}
    return {}


def _taken(answers: Answers, facts: Facts) -> dict[str, str]:
    def has(menu: str, **words: str) -> bool:
        return any(all(row.get(key.replace("_", "-")) == value for key, value in words.items()) for row in facts[menu])

    found = {}
    here = {"interface": answers.interface}
    if answers.kind == ServerKind.HOTSPOT:
        menus = ["/ip/pool", "/ip/hotspot", "/ip/hotspot/profile", "/ip/dhcp-server"]
        if has("/ip/hotspot", **here):
            found["interface"] = _("There is a hotspot on it already.")
        elif has("/ip/dhcp-server", **here):
            found["interface"] = _("There is a DHCP server on it already.")
    else:
        menus = ["/ip/pool", "/ppp/profile"]
        if has("/interface/pppoe-server/server", **here, service_name=answers.service_name):
            found["service_name"] = _("There is a PPPoE server of this name on it already.")
    if any(has(menu, name=answers.name) for menu in menus):
        found["name"] = _("The router has something of this name already. Choose another one.")
    return found


def plan(answers: Answers) -> list[Step]:
    """The commands, in their order."""
    return _hotspot(answers) if answers.kind == ServerKind.HOTSPOT else _pppoe(answers)


def _pool(answers: Answers) -> Step:
    return Step(
        "/ip/pool", {"name": answers.name, "ranges": f"{answers.first}-{answers.last}"}, [f"name={answers.name}"],
        _("The addresses that customers get."),
    )  # fmt: skip


def _hotspot(answers: Answers) -> list[Step]:
    name, network = answers.name, ipaddress.IPv4Network(answers.network)
    address = f"{answers.gateway}/{network.prefixlen}"
    profile = {"name": name, "hotspot-address": answers.gateway, "login-by": answers.login_by}
    if answers.dns_name:
        profile["dns-name"] = answers.dns_name
    comment = f"hotspot {name}"  # not our tag: nobody but the plan looks after it
    return [
        Step(
            "/ip/address", {"address": address, "interface": answers.interface},
            [f"address={address}", f"interface={answers.interface}"],
            _("The router's own address there; customers reach the login page at it."),
        ),
        _pool(answers),
        Step(
            "/ip/dhcp-server/network",
            {"address": str(network), "gateway": answers.gateway, "dns-server": answers.dns_servers or answers.gateway},
            [f"address={network}"], _("What phones are told: the way out, and who resolves names."),
        ),
        Step(
            "/ip/dhcp-server",
            {"name": name, "interface": answers.interface, "address-pool": name, "disabled": "no"}, [f"name={name}"],
            _("Gives each phone an address of the pool."),
        ),
        Step(
            "/ip/firewall/nat",
            {"chain": "srcnat", "src-address": str(network), "action": "masquerade", "comment": comment},
            [f"comment={comment}"], _("Lets the customers out to the internet under the router's address."),
        ),
        Step("/ip/hotspot/profile", profile, [f"name={name}"], _("How customers log in, and the login page's name.")),
        Step(
            "/ip/hotspot",
            {"name": name, "interface": answers.interface, "address-pool": name, "profile": name, "disabled": "no"},
            [f"name={name}"],
            _("The hotspot itself: from this command on, whoever is on the interface has to log in."),
        ),
    ]  # fmt: skip


def _pppoe(answers: Answers) -> list[Step]:
    name, service = answers.name, answers.service_name
    return [
        _pool(answers),
        Step(
            "/ppp/profile", {"name": name, "local-address": answers.gateway, "remote-address": name}, [f"name={name}"],
            _("What a connection gets: the router's end and an address of the pool."),
        ),
        Step(
            "/interface/pppoe-server/server",
            {
                "service-name": service, "interface": answers.interface, "default-profile": name,
                "one-session-per-host": "yes", "authentication": "pap,chap,mschap2", "disabled": "no",
            },
            [f"service-name={service}", f"interface={answers.interface}"],
            _("The server itself: from this command on, customers can dial in."),
        ),
    ]  # fmt: skip
