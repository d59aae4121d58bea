"""The system settings of tunnels: where routers behind NAT find this server, and their addresses inside."""

from __future__ import annotations

import ipaddress
import re

from django.apps import apps
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError
from core.settings_registry import Declaration, declare

ENDPOINT, WIREGUARD_PORT, SSTP_PORT, NETWORK = (
    "tunnel.endpoint", "tunnel.wireguard_port", "tunnel.sstp_port", "tunnel.network",
)  # fmt: skip
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def declare_tunnels() -> None:
    category = gettext_lazy("Tunnels to routers")
    declare(
        Declaration(
            ENDPOINT, str, "", gettext_lazy("Public host name or address where routers dial this server's tunnel."),
            category, max_length=253, check=endpoint_check,
        )
    )  # fmt: skip
    declare(
        Declaration(
            WIREGUARD_PORT, int, 51820, gettext_lazy("UDP port of WireGuard on this server."), category, minimum=1,
            maximum=65535,
        )
    )  # fmt: skip
    declare(
        Declaration(
            SSTP_PORT, int, 4443, gettext_lazy("TCP port of the SSTP server for RouterOS 6."), category, minimum=1,
            maximum=65535,
        )
    )  # fmt: skip
    declare(
        Declaration(
            NETWORK, str, "10.213.0.0/16",
            gettext_lazy("Addresses inside the tunnels. The first is this server's, each router gets one."), category,
            max_length=18, check=network_check,
        )
    )  # fmt: skip


def endpoint_check(text: str) -> None:
    if text and not _HOST.fullmatch(text):
        raise _refusal(_("Write a host name or an IP address, without http:// and without a port."))


def network_check(text: str) -> None:
    """A private IPv4 network with room for routers; not changed any more once routers were given addresses of it."""
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        network = None
    if network is None or not network.is_private or network.is_loopback or network.is_link_local:
        raise _refusal(_("Write a private IPv4 network, for example 10.213.0.0/16."))
    if network.prefixlen > 29:
        raise _refusal(_("Too small: give it at least 8 addresses (/29)."))
    if apps.ready and _has_tunnels() and text != _now():
        raise _refusal(_("Routers already have addresses of the tunnel network; remove their tunnels first."))


def _has_tunnels() -> bool:
    from locations.models import RouterTunnel

    return RouterTunnel.objects.exists()


def _now() -> str:
    from core.models import Setting

    return Setting.objects.filter(pk=NETWORK).values_list("value", flat=True).first() or "10.213.0.0/16"


def _refusal(sentence: str) -> DomainError:
    return DomainError("setting.invalid", sentence, fields={"value": sentence})
