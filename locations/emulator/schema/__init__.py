"""The menus as data: one table per menu, put together in ``all_menus``."""

from __future__ import annotations

from . import firewall, hotspot, network, ppp, system, users
from .base import Menu, Prop, Unique

__all__ = ["Menu", "Prop", "Unique", "all_menus"]


def all_menus() -> dict[str, Menu]:
    """Every menu by path without the leading slash."""
    menus = [
        *hotspot.MENUS,
        *ppp.MENUS,
        *network.MENUS,
        *firewall.MENUS,
        *system.MENUS,
        *users.MENUS,
    ]
    return {menu.path: menu for menu in menus}
