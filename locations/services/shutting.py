"""Addresses that stay shut after their static subscriber left: nobody logs in with them, so nothing else stops them.

The list entry is desired state like all else. There is one for an address, however often it was used, and it goes in the
transaction that gives the address to somebody else: an address in use is never shut for an old subscriber's sake.
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.db.locks import advisory_locks_wait, lock_row, lock_rows
from core.errors import DomainError
from core.staff_events import StaffActed
from locations.choices import OFF_LIST, OFF_TAG, EntryKind, Kind, Presence, Priority
from locations.models import AccessAccount, Location, RouterEntry
from locations.services.entries import entry_put, entry_remove

TURNS = 0x6D62_0004 << 32  # our advisory locks for addresses
Place = tuple[int, str]  # location id, address


def addresses_pass(*, given: Iterable[Place] = (), left: Iterable[Place] = ()) -> None:
    """Open addresses that were given to an account, shut those that were left, unless somebody has them still.

    Call it after the accounts were written, in their transaction: of two that give and leave one address, the second
    waits here and then sees what the first one wrote.
    """
    opened, shut = set(given), set(left)
    if not (opened or shut):
        return
    advisory_locks_wait(TURNS | crc32(f"{location} {address}".encode()) for location, address in opened | shut)
    for location_id in sorted({location for location, _address in opened}):
        _open(location_id, [address for location, address in opened if location == location_id])
    locations = Location.objects.in_bulk({location for location, _address in shut - opened})
    for location_id, address in sorted(shut - opened):
        if not _is_used(location_id, address):
            entry_put(
                location=locations[location_id], kind=EntryKind.ADDRESS_LIST, tag=OFF_TAG,
                words={"list": OFF_LIST, "address": address}, priority=Priority.REMOVAL,
            )  # fmt: skip


def _open(location_id: int, addresses: list[str]) -> None:
    names = [f"{OFF_LIST} {address}" for address in addresses]
    rows = RouterEntry.objects.filter(
        location=location_id, kind=EntryKind.ADDRESS_LIST, tag=OFF_TAG, name__in=names, presence=Presence.PRESENT
    )
    for entry in lock_rows(rows):
        entry_remove(entry, priority=Priority.PAID)


def _is_used(location_id: int, address: str) -> bool:
    """By a static subscriber, or by a PPP login that always gets it."""
    rows = AccessAccount.objects.filter(
        location=location_id, kind__in=[Kind.STATIC, Kind.PPP], static_address=address, presence=Presence.PRESENT
    )
    return rows.exists()


@transaction.atomic
def address_release(entry: RouterEntry, *, actor: User | None, ip: str | None = None) -> None:
    """Open an address that was shut when its subscriber left: a person says that it is used for something else.

    Raises DomainError when the entry is no such address or is on its way out already.
    """
    entry = lock_row(RouterEntry.objects.all(), entry.pk)
    if entry.tag != OFF_TAG or entry.presence == Presence.ABSENT:
        raise DomainError("address.not_shut", _("This is no address that is kept shut."), status=409)
    entry_remove(entry)
    details = {"entry": entry.pk, "address": entry.words["address"], "location": entry.location_id}
    events.emit(StaffActed(actor.pk if actor else None, "address.released", details, ip))
