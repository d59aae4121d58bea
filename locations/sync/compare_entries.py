"""Nameless entries of a router against our wishes: what is missing, different, in the wrong order, or nobody's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from locations.choices import EntryKind, Presence
from locations.models import RouterEntry
from locations.routeros.client import RouterClient, Row
from locations.routeros.values import is_ours, is_true
from locations.sync.batch import item_of
from locations.sync.drift import Drift
from locations.sync.entries import is_order_wrong
from locations.sync.entry_menus import ENTRY_MENUS, Item

COMPANION_KINDS = (EntryKind.ADDRESS_LIST, EntryKind.IP_BINDING)


@dataclass
class EntryRows:
    """The rows of every menu that matters here, as read, by kind. Rows the router made itself are left out."""

    rows: dict[str, list[Row]]
    expected: set[tuple[str, str]] = field(default_factory=set)  # kind and comment of everything we know of

    @classmethod
    def read(cls, location_id: int, client: RouterClient, *, with_companions: bool) -> EntryRows:
        kinds = set(RouterEntry.objects.filter(location_id=location_id).values_list("kind", flat=True).distinct())
        kinds |= set(COMPANION_KINDS) if with_companions else set()
        rows = {kind: client.print(ENTRY_MENUS[EntryKind(kind)].path) for kind in sorted(kinds)}
        return cls({kind: [r for r in found if not is_true(r.get("dynamic", "false"))] for kind, found in rows.items()})

    def __post_init__(self) -> None:
        self._by_comment: dict[tuple[str, str], list[Row]] = {}
        for kind, rows in self.rows.items():
            for row in rows:
                self._by_comment.setdefault((kind, row.get("comment", "")), []).append(row)

    def known(self, items: Iterable[Item]) -> None:
        self.expected |= {(item.kind, item.comment) for item in items}

    def own(self, item: Item) -> list[Row]:
        return self._by_comment.get((item.kind, item.comment), [])

    def differ(self, items: Iterable[Item]) -> bool:
        """Something is there that should not be, missing, twice, or not as wanted."""
        return any(self._differs(item) for item in items)

    def _differs(self, item: Item) -> bool:
        own = self.own(item)
        if not item.is_wanted:
            return bool(own)
        return len(own) != 1 or bool(item.differences(own[0]))


def entries_compare(location_id: int, there: EntryRows, installation_tag: str, drift: Drift) -> None:
    """Make what drifted wanted again; list rows with our tag that are nobody's. The writer decides about conflicts."""
    resend: list[int] = []
    rules: dict[str, list[Item]] = {}
    entries = list(RouterEntry.objects.filter(location_id=location_id))
    for entry in entries:
        item = item_of(entry, installation_tag)
        there.known([item])
        if ENTRY_MENUS[EntryKind(entry.kind)].is_rule:
            rules.setdefault(entry.kind, []).append(item)
        if entry.applied_revision == 0 or entry.presence == Presence.ABSENT or not there.differ([item]):
            continue
        (drift.different if there.own(item) else drift.missing).append(entry.name)
        resend.append(entry.pk)
    for kind, items in rules.items():
        if is_order_wrong(there.rows.get(kind, []), items, installation_tag):
            resend += [entry.pk for entry in entries if entry.kind == kind and entry.applied_revision]
            drift.different.append(str(EntryKind(kind).label))
    for kind, rows in there.rows.items():
        for row in rows:
            comment = row.get("comment", "")
            if is_ours(comment, installation_tag) and (kind, comment) not in there.expected:
                drift.extra_entries.append(comment)
    RouterEntry.objects.filter(pk__in=resend, presence=Presence.PRESENT).update(applied_revision=0)
