"""Addresses handed out from /ip/pool, listed in /ip/pool/used."""

from __future__ import annotations

import ipaddress

from .device import Device
from .values import split_range


class Pools:
    """Gives and takes back addresses."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._used: dict[str, str] = {}
        self._next: dict[str, int] = {}
        device.before_read["ip/pool"] = self.refresh

    def take(self, pool: str, owner: str, info: str) -> str | None:
        """A free address of the pool or of its next pools; None when all are used."""
        seen: set[str] = set()
        while pool not in seen and pool not in ("", "none"):
            seen.add(pool)
            row = self._device.tables["ip/pool"].named(pool)
            if row is None:
                return None
            address = self._free_address(pool, row.values["ranges"])
            if address is not None:
                used = self._device.insert("ip/pool/used", pool=pool, address=address, owner=owner, info=info)
                self._used[address] = used.id
                return address
            pool = row.values.get("next-pool", "")
        return None

    def is_used(self, address: str) -> bool:
        """Whether the address was given out."""
        return address in self._used

    def give_back(self, address: str) -> None:
        """The address is free again; nothing happens for one that did not come from a pool."""
        row_id = self._used.pop(address, None)
        table = self._device.tables["ip/pool/used"]
        if row_id is not None and row_id in table.rows:
            table.delete(table.rows[row_id])

    def forget(self) -> None:
        """All addresses are free (reboot)."""
        self._used.clear()
        self._next.clear()
        self._device.tables["ip/pool/used"].clear()

    def refresh(self) -> None:
        """Totals of newer versions."""
        table = self._device.tables["ip/pool"]
        if "total" not in table.menu.by_name:
            return
        for row in table.rows.values():
            total = sum(high - low + 1 for low, high in _ranges(row.values["ranges"]))
            used = sum(
                1 for u in self._device.tables["ip/pool/used"].rows.values() if u.values["pool"] == row.values["name"]
            )
            row.values.update({"total": str(total), "used": str(used), "available": str(total - used)})

    def _free_address(self, pool: str, ranges: str) -> str | None:
        numbers = [number for low, high in _ranges(ranges) for number in (low, high)]
        start = self._next.get(pool, 0)
        for lowest in (start, 0):
            for low, high in zip(numbers[::2], numbers[1::2], strict=True):
                for number in range(max(low, lowest), high + 1):
                    address = str(ipaddress.IPv4Address(number))
                    if address not in self._used:
                        self._next[pool] = number + 1
                        return address
        return None


def _ranges(text: str) -> list[tuple[int, int]]:
    found = [split_range(part) for part in text.split(",")]
    return [pair for pair in found if pair is not None]
