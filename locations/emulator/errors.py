"""What a command, a guest or a dialling router can be refused with."""

from __future__ import annotations


class Trap(Exception):
    """A command failed; ``message`` is the router's text, ``category`` the optional number of the
    protocol."""

    def __init__(self, message: str, category: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.category = category


class Fatal(Exception):
    """The session ends with ``!fatal`` and this bare reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SilentClose(Exception):
    """The router closes the connection without a word."""


class HotspotRefused(Exception):
    """A guest could not log in; ``message`` is the text shown on the login page."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class PppRefused(Exception):
    """A PPP client could not connect; ``message`` is the reason in the router's log."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


NO_SUCH_ITEM = "no such item (4)"
OUT_OF_MEMORY = "failure: out of memory"
NOT_PERMITTED = "not enough permissions (9)"


def unknown_parameter(name: str) -> Trap:
    """The menu has no such argument (or not in this version)."""
    return Trap(f"unknown parameter {name}", 1)


def invalid_value(name: str) -> Trap:
    """The text cannot be read as the argument's type."""
    return Trap(f"invalid value for argument {name}", 1)


def no_match(name: str) -> Trap:
    """The enum value or the referenced object does not exist."""
    return Trap(f"input does not match any value of {name}", 1)


def missing_value(name: str) -> Trap:
    """A required argument was not given."""
    return Trap(f"missing value(s) of argument(s) {name}", 1)
