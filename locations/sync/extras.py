"""Entries with our tag that nobody wants: taken off the router when a person asked for exactly these, and only then."""

from __future__ import annotations

from datetime import datetime

from locations.choices import DriftCategory, DriftSubject, EntryKind
from locations.models import AccessAccount, DriftRow
from locations.routeros.client import RouterClient, Row
from locations.routeros.errors import MissingPermission, RouterTrap
from locations.routeros.values import is_ours
from locations.sync.batch import Batch
from locations.sync.entry_menus import ENTRY_MENUS
from locations.sync.kinds import place_of
from locations.sync.menus import MENUS

AT_ONCE = 50
KICK_SECONDS = 10.0


def extras_due(location_id: int) -> list[DriftRow]:
    rows = DriftRow.objects.filter(location_id=location_id, repair_at__isnull=False, removed_at=None, router_words="")
    return list(rows.filter(category=DriftCategory.EXTRA).order_by("pk")[:AT_ONCE])


def extras_remove(due: list[DriftRow], client: RouterClient, installation_tag: str, now: datetime) -> None:
    """Look each up, remove what is ours and still nobody's, and look again. Its session and cookie end too."""
    for row in due:
        try:
            is_gone = _remove(row, client, installation_tag, now)
        except RouterTrap as trap:
            if trap.is_permission:
                raise MissingPermission(trap.words) from None
            DriftRow.objects.filter(pk=row.pk).update(router_words=trap.words[:500] or "?")
            continue
        seen = {"removed_at": now} if is_gone else {"router_words": "it was removed, and is there again"}
        DriftRow.objects.filter(pk=row.pk).update(**seen)


def _remove(row: DriftRow, client: RouterClient, tag: str, now: datetime) -> bool:
    """True when the router confirmed that nothing of it is left, or somebody wants it again."""
    if row.subject == DriftSubject.ACCOUNT and _is_wanted(row):
        return True
    for entry in _entries(row, client, tag):
        client.call(f"{_menu(row)}/remove", {".id": entry[".id"]})
    if row.subject == DriftSubject.ACCOUNT and MENUS[row.kind].active:
        Batch(client, place_of(row.location_id, tag), now, KICK_SECONDS).kick(row.kind, {row.name})
    return not _entries(row, client, tag)


def _is_wanted(row: DriftRow) -> bool:
    return AccessAccount.objects.filter(location_id=row.location_id, kind=row.kind, name=row.name).exists()


def _menu(row: DriftRow) -> str:
    is_account = row.subject == DriftSubject.ACCOUNT
    return MENUS[row.kind].users if is_account else ENTRY_MENUS[EntryKind(row.kind)].path


def _entries(row: DriftRow, client: RouterClient, tag: str) -> list[Row]:
    word = "name" if row.subject == DriftSubject.ACCOUNT else "comment"
    found = client.print(_menu(row), (".id", "name", "comment") if word == "name" else (), [f"{word}={row.name}"])
    return [entry for entry in found if is_ours(entry.get("comment", ""), tag)]
