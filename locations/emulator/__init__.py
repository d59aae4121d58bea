"""A RouterOS API device on loopback: protocol, menus, sessions, faults. Imports nothing of the project."""

from __future__ import annotations

from .control import ControlClient
from .errors import HotspotRefused, PppRefused, Trap
from .router import EmulatedRouter

__all__ = ["ControlClient", "EmulatedRouter", "HotspotRefused", "PppRefused", "Trap"]
