"""Nameless entries of a router against our wishes: what is missing, different, in the wrong order, or nobody's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from locations.choices import DriftCategory, DriftSubject, EntryKind, Hold, Presence
from locations.models import RouterEntry
from locations.routeros.client import RouterClient, Row
from locations.routeros.values import is_ours, is_true
from locations.sync.batch import item_of
from locations.sync.drift import Drift, words_of
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


def entries_compare(location_id: int, there: EntryRows, installation_tag: str, drift: Drift, *, repairs: bool) -> None:
    """Make what drifted wanted again; list rows with our tag that are nobody's. The writer decides about conflicts."""
    drifted: dict[int, RouterEntry] = {}
    rules: dict[str, list[Item]] = {}
    entries = list(RouterEntry.objects.filter(location_id=location_id))
    for entry in entries:
        item = item_of(entry, installation_tag)
        there.known([item])
        if ENTRY_MENUS[EntryKind(entry.kind)].is_rule:
            rules.setdefault(entry.kind, []).append(item)
        if _is_compared(entry) and there.differ([item]):
            own = there.own(item)
            category = DriftCategory.DIFFERENT if own else DriftCategory.MISSING
            drift.add(category, DriftSubject.ENTRY, entry.kind, entry.name, entry.pk, _words(item, own))
            drifted[entry.pk] = entry
    for kind, items in rules.items():
        if is_order_wrong(there.rows.get(kind, []), items, installation_tag):
            for entry in entries:
                if entry.kind == kind and _is_compared(entry) and entry.pk not in drifted:
                    drift.add(
                        DriftCategory.DIFFERENT, DriftSubject.ENTRY, kind, entry.name, entry.pk, [["place", "", ""]]
                    )
                    drifted[entry.pk] = entry
    for kind, rows in there.rows.items():
        for row in rows:
            comment = row.get("comment", "")
            if is_ours(comment, installation_tag) and (kind, comment) not in there.expected:
                drift.add(DriftCategory.EXTRA, DriftSubject.ENTRY, kind, comment)
    _write(entries, drifted, repairs=repairs)


def _is_compared(entry: RouterEntry) -> bool:
    return entry.presence == Presence.PRESENT and (entry.applied_revision > 0 or entry.hold == Hold.DRIFT)


def _words(item: Item, own: list[Row]) -> list[list[str]]:
    if len(own) > 1:
        return [["rows", "1", str(len(own))]]
    return words_of(item.differences(own[0]), {**item.words, "comment": item.comment}, own[0]) if own else []


def _write(entries: list[RouterEntry], drifted: dict[int, RouterEntry], *, repairs: bool) -> None:
    """Sent again at once, or held; a hold ends with the drift. Only for the revision that was compared."""
    for entry in entries:
        rows = RouterEntry.objects.filter(pk=entry.pk, revision=entry.revision, presence=Presence.PRESENT)
        if entry.pk not in drifted:
            if entry.hold == Hold.DRIFT:
                rows.update(hold=Hold.NONE, router_words="")
        elif repairs or entry.hold not in {Hold.NONE, Hold.DRIFT}:
            hold = Hold.NONE if entry.hold == Hold.DRIFT else entry.hold
            rows.update(applied_revision=0, hold=hold)
        else:
            rows.update(applied_revision=0, hold=Hold.DRIFT, router_words="it was changed on the router")
