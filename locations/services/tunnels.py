"""Tunnels to routers behind NAT: addresses, keys and passwords, the texts people paste, and whether the tunnel answers."""

from __future__ import annotations

import base64
import copy
import ipaddress
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.clock import now as clock_now
from core.errors import DomainError
from core.settings_registry import setting
from core.staff_events import StaffActed
from locations.access_scripts import V6, V7
from locations.choices import TunnelKind
from locations.models import Location, RouterTunnel, TunnelServer
from locations.routeros.addresses import dial
from locations.routeros.client import RouterClient, Row
from locations.routeros.errors import RouterError, RouterTrap
from locations.services.access import password_make
from locations.services.asking import AskError, router_ask, sentence_of
from locations.services.locations import location_add, location_change
from locations.tunnel_scripts import NAME, Peer, TunnelScript, sstp_secrets, wireguard_file
from locations.tunnel_settings import ENDPOINT, NETWORK, SSTP_PORT, WIREGUARD_PORT

CHECK_SECONDS = 10.0
KEY_BYTES = 32


def tunnel_network() -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(setting(NETWORK))


def server_address() -> str:
    """This server inside the tunnels: the first address of the network."""
    return str(next(tunnel_network().hosts()))


def key_pair() -> tuple[str, str]:
    """A new WireGuard key pair, private and public, as WireGuard writes them."""
    private = X25519PrivateKey.generate()
    return _text(private.private_bytes_raw()), _text(private.public_key().public_bytes_raw())


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def key_clean(text: str) -> str:
    """A public key as a router prints it. Raises DomainError for anything that is none."""
    text = text.strip().strip('"')
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != KEY_BYTES or not any(raw) or _text(raw) != text:
        sentence = _("This is no WireGuard key: it has 44 letters and digits and ends with “=”.")
        raise DomainError("tunnel.key", sentence, {"public_key": sentence})
    return text


def _server_locked() -> TunnelServer:
    """The server's key pair, made on first use; locked, so that two tunnels never get the same address."""
    if not TunnelServer.objects.exists():
        private, public = key_pair()
        TunnelServer.objects.get_or_create(pk=1, defaults={"private_key": private, "public_key": public})
    return TunnelServer.objects.select_for_update().get(pk=1)


def _free_address() -> str:
    """The lowest free address of the network behind the server's own."""
    taken = set(RouterTunnel.objects.values_list("address", flat=True))
    taken |= set(Location.objects.values_list("host", flat=True))
    hosts = tunnel_network().hosts()
    next(hosts)  # this server
    found = next((str(host) for host in hosts if str(host) not in taken), None)
    if found is None:
        raise DomainError("tunnel.full", _("The tunnel network has no free address; choose a larger one."), status=409)
    return found


@transaction.atomic
def tunnel_reserve(location: Location, *, kind: str, actor: User | None, ip: str | None = None) -> RouterTunnel:
    """Give a location its address in the tunnel network, or another kind of tunnel at the address it has."""
    _server_locked()
    tunnel = RouterTunnel.objects.filter(location=location).first() or RouterTunnel(
        location=location, address=_free_address()
    )
    if tunnel.kind != kind:
        tunnel.kind, tunnel.secret, tunnel.public_key, tunnel.issued_at = kind, "", "", None
        tunnel.actor = actor
        tunnel.save()
        details = {"location": location.pk, "kind": kind, "address": tunnel.address}
        events.emit(StaffActed(actor.pk if actor else None, "location.tunnel_reserved", details, ip))
    return tunnel


@transaction.atomic
def location_add_tunnelled(*, kind: str, actor: User | None, ip: str | None = None, **fields: Any) -> Location:
    """A new location that is reached through a tunnel: its address is its tunnel's. Raises DomainError."""
    _server_locked()
    location = location_add(actor=actor, ip=ip, host=_free_address(), **fields)
    tunnel = RouterTunnel(location=location, kind=kind, address=location.host, actor=actor)
    tunnel.save()
    details = {"location": location.pk, "kind": kind, "address": tunnel.address}
    events.emit(StaffActed(actor.pk if actor else None, "location.tunnel_reserved", details, ip))
    return location


@dataclass(frozen=True)
class Issued:
    """Texts with secrets in the clear: shown once. `server` is what this server needs; empty while a key is missing."""

    tunnel: RouterTunnel
    script: str
    server: str = ""
    command: str = ""


@transaction.atomic
def tunnel_issue(
    location: Location, *, kind: str, ros_version: str = V7, actor: User | None, ip: str | None = None
) -> Issued:
    """New secrets for a location's tunnel and the commands for its router; the old ones are worth nothing any more.

    Raises DomainError while the settings do not say where routers find this server.
    """
    endpoint = setting(ENDPOINT)
    if not endpoint:
        raise DomainError("tunnel.endpoint", _("First enter this server's public address in the system settings."))
    server = _server_locked()
    reserved = tunnel_reserve(location, kind=kind, actor=actor, ip=ip)
    tunnel = RouterTunnel.objects.select_for_update().get(pk=reserved.pk)
    is_again = tunnel.issued_at is not None
    is_wireguard = kind == TunnelKind.WIREGUARD
    tunnel.secret = _text(secrets.token_bytes(KEY_BYTES)) if is_wireguard else password_make()
    tunnel.public_key, tunnel.issued_at, tunnel.actor = "", clock_now(), actor
    tunnel.save()
    details = {"location": location.pk, "kind": kind, "address": tunnel.address, "again": is_again}
    events.emit(StaffActed(actor.pk if actor else None, "location.tunnel_issued", details, ip))
    script = TunnelScript(
        endpoint, setting(WIREGUARD_PORT) if is_wireguard else setting(SSTP_PORT), server_address(), tunnel.address,
        location.port, tunnel.secret,
    )  # fmt: skip
    if is_wireguard:
        return Issued(tunnel, script.wireguard(server.public_key, renews_key=is_again))
    secret_line = sstp_secrets([(sstp_user(tunnel), tunnel.secret, tunnel.address)])
    return Issued(tunnel, script.sstp(V6 if ros_version == V6 else V7, sstp_user(tunnel)), secret_line)


def tunnel_print(location: Location, *, kind: str, is_sure: bool, actor: User | None, ip: str | None = None) -> Issued:
    """`tunnel_issue` as a person asks for it: not by mistake while the router is reached through this very tunnel."""
    is_issued = RouterTunnel.objects.filter(location=location, issued_at__isnull=False).exists()
    if is_issued and is_tunnelled(location) and not is_sure:
        sentence = _("Tick that you can paste them although the tunnel stands still.")
        raise DomainError("tunnel.sure", sentence, status=409)
    version = V6 if kind == TunnelKind.SSTP else V7
    return tunnel_issue(location, kind=kind, ros_version=version, actor=actor, ip=ip)


def sstp_user(tunnel: RouterTunnel) -> str:
    return f"mb{tunnel.location_id}"


@transaction.atomic
def tunnel_key_put(location: Location, *, public_key: str, actor: User | None, ip: str | None = None) -> Issued:
    """Take the public key that the router printed; answers with this server's side of the tunnel. Raises DomainError."""
    key = key_clean(public_key)
    server = _server_locked()
    tunnel = RouterTunnel.objects.select_for_update().filter(location=location, kind=TunnelKind.WIREGUARD).first()
    if tunnel is None or not tunnel.secret:
        raise DomainError("tunnel.none", _("Print the commands for the router first."), status=409)
    others = RouterTunnel.objects.filter(public_key=key).exclude(pk=tunnel.pk)
    if key == server.public_key or others.exists():
        sentence = _("This is not this router's key: it belongs to this server or to another router.")
        raise DomainError("tunnel.key", sentence, {"public_key": sentence})
    before, tunnel.public_key = tunnel.public_key, key
    tunnel.save(update_fields=["public_key"])
    details = {"location": location.pk, "before": before, "after": key}
    events.emit(StaffActed(actor.pk if actor else None, "location.tunnel_key", details, ip))
    peer = _peer(location.name, tunnel)
    return Issued(tunnel, "", peer.block(), peer.command())


@transaction.atomic
def tunnel_remove(location: Location, *, actor: User | None, ip: str | None = None) -> None:
    """Forget a location's tunnel; this server's side goes with the next `tunnel_config`. Raises DomainError while in use."""
    tunnel = RouterTunnel.objects.select_for_update().filter(location=location).first()
    if tunnel is None:
        return
    if Location.objects.filter(pk=location.pk, host=tunnel.address, is_active=True).exists():
        sentence = _("The router is reached through it. Enter another address first, or switch the location off.")
        raise DomainError("tunnel.in_use", sentence, status=409)
    details = {"location": location.pk, "kind": tunnel.kind, "address": tunnel.address}
    tunnel.delete()
    events.emit(StaffActed(actor.pk if actor else None, "location.tunnel_removed", details, ip))


def tunnel_use(location: Location, *, actor: User | None, ip: str | None = None) -> Location:
    """From now on the router is reached through its tunnel. Raises DomainError when it has none."""
    tunnel = _tunnel(location)
    return location_change(location, actor=actor, ip=ip, host=tunnel.address)


def _tunnel(location: Location) -> RouterTunnel:
    tunnel = RouterTunnel.objects.filter(location=location).first()
    if tunnel is None:
        raise DomainError("tunnel.none", _("Print the commands for the router first."), status=409)
    return tunnel


def is_tunnelled(location: Location) -> bool:
    """Whether the router is reached through its tunnel, which encrypts what the API does not."""
    address = RouterTunnel.objects.filter(location=location).values_list("address", flat=True).first()
    return address is not None and address == location.host


def _peer(name: str, tunnel: RouterTunnel) -> Peer:
    return Peer(name, tunnel.public_key, tunnel.secret, tunnel.address)


@transaction.atomic
def wireguard_config() -> str:
    """The whole configuration of this server's WireGuard, private key and all: for the machine, never for a screen."""
    server, network = _server_locked(), tunnel_network()
    rows = RouterTunnel.objects.filter(kind=TunnelKind.WIREGUARD).exclude(public_key="").order_by("address")
    peers = [_peer(row.location.name, row) for row in rows.select_related("location")]
    return wireguard_file(server.private_key, server_address(), network.prefixlen, setting(WIREGUARD_PORT), peers)


def sstp_config() -> str:
    """The `chap-secrets` of all SSTP tunnels: for the machine, never for a screen."""
    rows = RouterTunnel.objects.filter(kind=TunnelKind.SSTP).exclude(secret="").order_by("address")
    return sstp_secrets([(sstp_user(row), row.secret, row.address) for row in rows])


# --- does it answer? --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TunnelReport:
    """What a check found, as far as it came. `problem` says where it ended (empty: all the way)."""

    connect_ms: int | None = None
    ask_ms: int | None = None
    version: str = ""
    handshake: str = ""
    received: str = ""
    problem: str = ""

    @property
    def is_ok(self) -> bool:
        return not self.problem


def tunnel_check(location: Location) -> TunnelReport:
    """Connect to the tunnel's address, log in, and ask the router for its side of the tunnel. Changes nothing.

    Never inside a transaction. Raises DomainError when it has none, and when others are asking the router.
    """
    tunnel = _tunnel(location)
    trial = copy.copy(location)
    trial.host = tunnel.address
    began = time.monotonic()
    try:
        dial(tunnel.address, location.port, CHECK_SECONDS).close()
    except RouterError as error:
        return TunnelReport(problem=sentence_of(error.problem, error.words))
    connect_ms = _since(began)
    try:
        with router_ask(trial, seconds=CHECK_SECONDS, is_trial=True) as client:
            asked = time.monotonic()
            resource = client.print("/system/resource", ("version",))
            ask_ms = _since(asked)
            ours = _router_side(client, tunnel)
    except AskError as error:
        return TunnelReport(connect_ms, problem=str(error.message))
    version = resource[0].get("version", "").split(" ")[0] if resource else ""
    return TunnelReport(
        connect_ms, ask_ms, version, ours.get("last-handshake", ""), ours.get("rx", "") or ours.get("uptime", "")
    )


def _router_side(client: RouterClient, tunnel: RouterTunnel) -> Row:
    """The router's own row of the tunnel; empty where its version has no such menu or it was named otherwise."""
    menu, query = "/interface/wireguard/peers", f"interface={NAME}"
    if tunnel.kind == TunnelKind.SSTP:
        menu, query = "/interface/sstp-client", f"name={NAME}"
    try:
        rows: Sequence[Row] = client.print(menu, (), [query])
    except RouterTrap:
        return {}
    return rows[0] if rows else {}


def _since(moment: float) -> int:
    return max(1, round((time.monotonic() - moment) * 1000))
