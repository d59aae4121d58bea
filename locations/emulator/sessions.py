"""Rows that every kind of session makes: a dynamic queue and an entry in an address list."""

from __future__ import annotations

from .device import Device
from .errors import Trap
from .table import Row
from .values import parse_rate


def first_rates(rate_limit: str) -> str | None:
    """``up/down`` in bits per second from a profile's free text; None when it has none."""
    first = rate_limit.split(" ")[0] if rate_limit else ""
    left, _, right = first.partition("/")
    up, down = parse_rate(left), parse_rate(right or left)
    return None if up is None or down is None else f"{up}/{down}"


class DynamicRows:
    """Made with a session, gone with it."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._made: dict[str, list[tuple[str, Row]]] = {}

    def queue(self, session_id: str, name: str, address: str, rate_limit: str) -> None:
        """A dynamic simple queue when the profile limits the rate."""
        rates = first_rates(rate_limit)
        if rates is None:
            return
        table = self._device.tables["queue/simple"]
        title, number = f"<{name}>", 0
        while table.named(title) is not None:
            number += 1
            title = f"<{name}-{number}>"
        row = self._device.insert("queue/simple", name=title, target=f"{address}/32", max_limit=rates, dynamic="true")
        self._made.setdefault(session_id, []).append(("queue/simple", row))

    def address_list(self, session_id: str, names: str, address: str, comment: str) -> None:
        """Dynamic address-list entries when the profile names lists."""
        for name in [part for part in names.split(",") if part]:
            try:
                row = self._device.insert(
                    "ip/firewall/address-list",
                    list=name,
                    address=address,
                    dynamic="true",
                    creation_time=self._device.moment_text(),
                    comment=comment,
                )
            except Trap:
                # The operator has the same address in that list already; the router adds nothing.
                continue
            self._made.setdefault(session_id, []).append(("ip/firewall/address-list", row))

    def interface(self, session_id: str, path: str, row: Row) -> None:
        """Another row that goes with the session."""
        self._made.setdefault(session_id, []).append((path, row))

    def refresh(self, session_id: str, up: int, down: int) -> None:
        """Counters of the session's rows; an interface receives what the client sends."""
        for path, row in self._made.get(session_id, ()):
            if path == "queue/simple":
                row.values["bytes"] = f"{up}/{down}"
            elif path == "interface":
                row.values.update({"rx-byte": str(up), "tx-byte": str(down)})

    def remove(self, session_id: str) -> None:
        """Take them away."""
        for path, row in self._made.pop(session_id, ()):
            table = self._device.tables[path]
            if table.rows.get(row.id) is row:
                table.delete(row)

    def forget(self) -> None:
        """The tables were emptied."""
        self._made.clear()
