"""The menus as data: one table per menu, put together in ``all_menus``."""

from __future__ import annotations

from . import dhcp, firewall, hotspot, ipv6, network, ports, ppp, proxy, queues, routing, services, system, users
from .base import Menu, Prop, Unique

__all__ = ["Menu", "Prop", "Unique", "all_menus"]


def all_menus() -> dict[str, Menu]:
    """Every menu by path without the leading slash."""
    menus = [
        *hotspot.MENUS,
        *ppp.MENUS,
        *network.MENUS,
        *ports.MENUS,
        *queues.MENUS,
        *dhcp.MENUS,
        *routing.MENUS,
        *firewall.MENUS,
        *proxy.MENUS,
        *ipv6.MENUS,
        *system.MENUS,
        *services.MENUS,
        *users.MENUS,
    ]
    return {menu.path: menu for menu in menus}
