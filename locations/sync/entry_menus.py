"""Menus whose rows have no name: which words identify a row there, and whether order matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from locations.choices import EntryKind
from locations.routeros.client import Row
from locations.routeros.values import is_true
from locations.sync.menus import NO_MAC

UNSET = {"", NO_MAC, "0.0.0.0"}  # noqa: S104  # RouterOS's words for "not set", nothing is bound


@dataclass(frozen=True)
class EntryMenu:
    """`identity`: words that make two rows the same thing to the router; none: only our comment tells rows apart."""

    path: str
    identity: tuple[str, ...] = ()

    @property
    def is_rule(self) -> bool:
        return not self.identity


ENTRY_MENUS: dict[str, EntryMenu] = {
    EntryKind.ADDRESS_LIST: EntryMenu("/ip/firewall/address-list", ("list", "address")),
    EntryKind.WALLED_GARDEN: EntryMenu("/ip/hotspot/walled-garden", ("dst-host",)),
    EntryKind.WALLED_GARDEN_IP: EntryMenu("/ip/hotspot/walled-garden/ip", ("dst-address",)),
    EntryKind.IP_BINDING: EntryMenu("/ip/hotspot/ip-binding", ("address", "mac-address")),
    EntryKind.NAT: EntryMenu("/ip/firewall/nat"),
    EntryKind.FILTER: EntryMenu("/ip/firewall/filter"),
}


@dataclass(frozen=True)
class Item:
    """One nameless thing wanted (or not) on the router. `comment` is its whole ownership comment, its own alone."""

    kind: str
    words: Mapping[str, str]
    comment: str
    is_wanted: bool = True
    place: int = 0
    is_adopted: bool = False  # somebody else's row of the same identity becomes ours

    @property
    def menu(self) -> EntryMenu:
        return ENTRY_MENUS[self.kind]

    def is_same_thing(self, row: Row) -> bool:
        """The router's row is what this item is about, whoever made it."""
        identity = self.menu.identity
        return bool(identity) and all(_set(row, word) == _set(self.words, word) for word in identity)

    def differences(self, row: Row) -> list[str]:
        """Properties of the row that are not as wanted."""
        found = [word for word, value in self.words.items() if row.get(word, "") != value]
        found += [word for word in self.menu.identity if word not in self.words and _set(row, word)]
        if row.get("comment", "") != self.comment:
            found.append("comment")
        if is_true(row.get("disabled", "false")):
            found.append("disabled")
        return found


def _set(row: Mapping[str, str], word: str) -> str:
    value = row.get(word, "")
    return "" if value in UNSET else value


def entry_name(kind: str, words: Mapping[str, str], tag: str) -> str:
    """The identity in one line: `mb-isolated 10.0.0.7`; a rule's is its role."""
    identity = ENTRY_MENUS[EntryKind(kind)].identity
    return " ".join(words[word] for word in identity if words.get(word)) if identity else tag
