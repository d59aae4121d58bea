"""What logins should exist on which router. Only rows change here; the writer makes it so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.db.copy import copy_rows
from core.db.locks import lock_row
from core.errors import DomainError
from core.staff_events import StaffActed
from locations.choices import Hold, Kind, Presence, Priority
from locations.models import AccessAccount, RouterProfile
from locations.services.changes import check_static_address
from locations.services.isolation import isolation_profiles_put
from locations.services.kicks import kick_locations
from locations.services.shutting import addresses_pass

COPY_COLUMNS = (
    "location_id", "profile_id", "kind", "name", "password", "presence", "tag", "priority", "revision",
    "applied_revision", "router_id", "applied_name", "hold", "router_words", "created_at", "changed_at", "is_disabled",
    "mac_address", "is_mac_locked", "limit_uptime_seconds", "limit_bytes", "is_kick_due", "is_adopted", "past_uptime_seconds",
    "past_bytes", "epoch_uptime_seconds", "epoch_bytes",
)  # fmt: skip


@transaction.atomic
def accounts_copy(
    *,
    profile: RouterProfile,
    tag: str,
    logins: Iterable[tuple[str, str | None]],
    limit_uptime_seconds: int | None,
    limit_bytes: int | None,
    is_mac_locked: bool,
    now: datetime,
    priority: int = Priority.BULK,
) -> int:
    """COPY many new accounts in the caller's transaction and wake the location; returns how many.

    `logins` are (name, stored password form or None for "same as the name"), sorted by name. Raises
    IntegrityError when a name exists at the location: nothing of the transaction stays then.
    """
    rows = (
        (
            profile.location_id, profile.pk, profile.kind, name, password, str(Presence.PRESENT), tag, int(priority), 1, 0,
            "", "", "", "", now, now, False, "", is_mac_locked, limit_uptime_seconds, limit_bytes, False, False, 0, 0, 0, 0,
        )
        for name, password in logins
    )  # fmt: skip
    count = copy_rows(AccessAccount, COPY_COLUMNS, rows)
    kick_locations([profile.location_id])
    return count


@transaction.atomic
def account_put(
    *,
    profile: RouterProfile,
    name: str,
    password: str | None,
    tag: str,
    limit_uptime_seconds: int | None = None,
    limit_bytes: int | None = None,
    valid_until: datetime | None = None,
    is_mac_locked: bool = False,
    is_disabled: bool = False,
    static_address: str | None = None,
    mac_address: str = "",
    priority: int = Priority.CHANGE,
) -> AccessAccount:
    """Make one account wanted as given: creates it, revives one on its way out, or changes what differs.

    Raises DomainError when the name belongs to something else at this location (another tag), or when a static
    account's address is missing or taken. An empty `mac_address` keeps the device that is known.
    """
    here = AccessAccount.objects.filter(location_id=profile.location_id, kind=profile.kind, name=name)
    check_static_address(profile.location_id, profile.kind, static_address, here.values_list("pk", flat=True).first())
    if here.filter(is_isolated=True).exists():
        isolation_profiles_put({profile.pk})
    wanted: dict[str, Any] = {
        "profile_id": profile.pk, "password": password, "limit_uptime_seconds": limit_uptime_seconds,
        "limit_bytes": limit_bytes, "valid_until": valid_until, "is_mac_locked": is_mac_locked,
        "is_disabled": is_disabled, "static_address": static_address, "presence": Presence.PRESENT,
    }  # fmt: skip
    if mac_address:
        wanted["mac_address"] = mac_address
    account, is_new = AccessAccount.objects.get_or_create(
        location_id=profile.location_id,
        kind=profile.kind,
        name=name,
        defaults={**wanted, "tag": tag, "priority": priority},
    )
    if not is_new:
        account = lock_row(AccessAccount.objects.all(), account.pk)
        if account.tag != tag and account.presence == Presence.PRESENT:
            raise DomainError(
                "account.name_taken", _("The name %(name)s is already used at this location.") % {"name": name}
            )
        if account.presence == Presence.ABSENT:  # somebody new under an old name is not held back for the old one
            wanted |= {"is_isolated": False, "kept_comment": None, "is_password_kept": False}
        _change_if_different(account, {**wanted, "tag": tag}, priority)
    if static_address:
        addresses_pass(given=[(profile.location_id, static_address)])
    kick_locations([profile.location_id], is_forced=priority == Priority.PAID)
    return account


def _change_if_different(account: AccessAccount, wanted: dict[str, Any], priority: int) -> None:
    different = {key: value for key, value in wanted.items() if getattr(account, key) != value}
    if not different:
        return
    if "password" in different:
        different["is_password_kept"] = False
    must_kick = bool(different.keys() & {"profile_id", "is_disabled", "is_isolated"})
    for key, value in different.items():
        setattr(account, key, value)
    account.revision += 1
    account.priority = priority
    account.hold, account.router_words = Hold.NONE, ""
    account.is_kick_due = account.is_kick_due or must_kick
    account.save(
        update_fields=[*(key.removesuffix("_id") for key in different), "revision", "priority", "hold", "router_words",
                       "is_kick_due", "changed_at"]
    )  # fmt: skip


@transaction.atomic
def accounts_remove(
    accounts: QuerySet[AccessAccount], *, shuts_addresses: bool = False, priority: int = Priority.REMOVAL
) -> int:
    """Want these accounts off their routers, sessions and cookies ended. The rows go when the routers confirmed.

    One UPDATE over the set; rows already on their way out stay as they are. Returns how many changed. With
    `shuts_addresses` the addresses of static subscribers stay shut there until somebody else gets them (a service that
    is over); without it nothing of them stays on the router, and nothing stops who still uses the address.
    """
    chosen = accounts.filter(presence=Presence.PRESENT).order_by("pk").select_for_update(of=("self",))
    locked = list(chosen.values_list("pk", "location_id", "kind", "static_address"))
    if not locked:
        return 0
    changed = AccessAccount.objects.filter(pk__in=[row[0] for row in locked]).update(
        presence=Presence.ABSENT,
        is_kick_due=True,
        moved_to=None,
        is_move_awaited=False,
        priority=priority,
        revision=F("revision") + 1,
        hold=Hold.NONE,
        router_words="",
    )
    if shuts_addresses:
        addresses_pass(left=[(row[1], row[3]) for row in locked if row[2] == Kind.STATIC and row[3]])
    kick_locations({row[1] for row in locked})
    return changed


_VALIDITY = """
UPDATE locations_accessaccount a SET valid_until = v.valid_until, revision = a.revision + 1, hold = '', router_words = ''
FROM unnest(%s::bigint[], %s::timestamptz[]) AS v(id, valid_until)
WHERE a.id = v.id AND a.presence = 'present' AND a.valid_until IS DISTINCT FROM v.valid_until RETURNING a.location_id
"""


@transaction.atomic
def accounts_set_validity(rows: Sequence[tuple[int, datetime]]) -> int:
    """Say until when accounts are paid, so that their routers can end them alone. Returns how many changed."""
    ordered, changed, locations = iter(sorted(rows)), 0, set()
    while part := list(islice(ordered, 5000)):
        list(
            AccessAccount.objects.filter(pk__in=[pk for pk, _until in part])
            .order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True)
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(_VALIDITY, [[pk for pk, _until in part], [until for _pk, until in part]])
            touched = [row[0] for row in cursor.fetchall()]
        changed += len(touched)
        locations.update(touched)
    kick_locations(locations)
    return changed


@transaction.atomic
def account_revive(
    accounts: QuerySet[AccessAccount], *, valid_until: datetime | None, priority: int = Priority.PAID
) -> int:
    """Want accounts back that are on their way out, with a new end. Returns how many changed."""
    locked = list(
        accounts.filter(presence=Presence.ABSENT).order_by("pk").select_for_update(of=("self",))
        .values_list("pk", "location_id")
    )  # fmt: skip
    changed = AccessAccount.objects.filter(pk__in=[pk for pk, _location in locked]).update(
        presence=Presence.PRESENT,
        valid_until=valid_until,
        is_kick_due=False,
        priority=priority,
        revision=F("revision") + 1,
        hold=Hold.NONE,
        router_words="",
    )
    kick_locations({location for _pk, location in locked}, is_forced=priority == Priority.PAID)
    return changed


@transaction.atomic
def account_disable(account: AccessAccount, *, actor: User | None, ip: str | None = None) -> None:
    """Want the account switched off on its router, its sessions ended."""
    _switch(account, actor, ip, "account.disabled", is_disabled=True, is_kick_due=True)


@transaction.atomic
def account_enable(account: AccessAccount, *, actor: User | None, ip: str | None = None) -> None:
    _switch(account, actor, ip, "account.enabled", is_disabled=False)


@transaction.atomic
def account_kick(account: AccessAccount, *, actor: User | None, ip: str | None = None) -> None:
    """Want the account's live sessions and cookies ended once; it may log in again."""
    _switch(account, actor, ip, "account.kicked", is_kick_due=True)


@transaction.atomic
def conflict_adopt(account: AccessAccount, *, actor: User | None, ip: str | None = None) -> None:
    """Take over the router's entry of this name: a person decided that it is this account."""
    if account.hold != Hold.CONFLICT:
        raise DomainError("account.no_conflict", _("There is no conflict to decide here."), status=409)
    _switch(account, actor, ip, "account.adopted", is_adopted=True)


def _switch(account: AccessAccount, actor: User | None, ip: str | None, action: str, **changes: Any) -> None:
    AccessAccount.objects.filter(pk=account.pk).update(
        revision=F("revision") + 1, priority=Priority.CHANGE, hold=Hold.NONE, router_words="", **changes
    )
    account.refresh_from_db()
    details = {"account": account.pk, "name": account.name, "location": account.location_id}
    events.emit(StaffActed(actor.pk if actor else None, action, details, ip))
    kick_locations([account.location_id], is_forced=True)
