"""`location_switch`: an account goes to another router, and is never open at both.

A move is two rows. The new one waits until the old router confirmed that the old one, its sessions and cookies are gone;
what was used there keeps counting. While the old router cannot be reached a person may say "open now".
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.db.locks import lock_row
from core.errors import DomainError
from core.staff_events import StaffActed
from locations.choices import Presence, Priority, Reach
from locations.models import AccessAccount, Location, RouterProfile
from locations.services.accounts import account_put, accounts_remove
from locations.services.isolation import accounts_isolate
from locations.services.kicks import kick_locations


@dataclass(frozen=True)
class Switch:
    """`account` is the new one. `offline` names old places that cannot be reached: the screen offers "open now"."""

    account: AccessAccount
    waits_for: list[str]
    offline: list[str]


@transaction.atomic
def location_switch(
    account: AccessAccount,
    *,
    to: Location,
    profile: RouterProfile,
    static_address: str | None = None,
    actor: User | None,
    ip: str | None = None,
) -> Switch:
    """Serve the account at `to` instead, with the same name, password, end and limits; used amounts keep counting.

    `profile` is its plan's profile there. A static account needs its address at the new place. Raises DomainError when
    the account is on its way out, is there already, the profile does not fit, or the name or address is taken.
    """
    old = lock_row(AccessAccount.objects.all(), account.pk)
    if old.presence == Presence.ABSENT:
        raise DomainError("account.leaving", _("%(name)s is on its way out already.") % {"name": old.name}, status=409)
    if profile.location_id != to.pk or profile.kind != old.kind:
        raise DomainError("account.profile", _("This profile does not belong to that location and kind."))
    if old.location_id == to.pk:
        raise DomainError("account.same_place", _("%(name)s is served there already.") % {"name": old.name}, status=409)
    if old.is_password_kept:
        text = _("Only the old router knows the password of %(name)s. Write a new one first.") % {"name": old.name}
        raise DomainError("account.password_kept", text, status=409)
    new = account_put(
        profile=profile, name=old.name, password=old.password, tag=old.tag, static_address=static_address,
        limit_uptime_seconds=old.limit_uptime_seconds, limit_bytes=old.limit_bytes, valid_until=old.valid_until,
        is_mac_locked=old.is_mac_locked, is_disabled=old.is_disabled, mac_address=old.mac_address,
        priority=Priority.PAID,
    )  # fmt: skip
    if new.first_login_at is None:
        AccessAccount.objects.filter(pk=new.pk).update(first_login_at=old.first_login_at)
    if old.is_isolated:
        accounts_isolate([new.pk])
    accounts_replace(AccessAccount.objects.filter(pk=old.pk), by=new)
    details = {"account": new.pk, "name": new.name, "before": old.location_id, "after": to.pk}
    events.emit(StaffActed(actor.pk if actor else None, "account.switched", details, ip))
    new.refresh_from_db()
    return switch_of(new)


@transaction.atomic
def accounts_replace(accounts: QuerySet[AccessAccount], *, by: AccessAccount) -> int:
    """Want these accounts off their routers and `by` open only after that. Returns how many are on their way out.

    One that was itself waiting for `by` to leave was never sent: nobody waits for it.
    """
    old = accounts.exclude(pk=by.pk)
    ids = list(old.filter(presence=Presence.PRESENT).order_by("pk").values_list("pk", flat=True))
    awaiting = _awaited_of(ids)
    accounts_remove(AccessAccount.objects.filter(pk__in=ids), shuts_addresses=True)
    rows = AccessAccount.objects.filter(pk__in=ids, presence=Presence.ABSENT)
    rows.update(moved_to=by, is_move_awaited=True)
    rows.filter(pk__in=awaiting, applied_revision=0).update(is_move_awaited=False)
    AccessAccount.objects.filter(moved_to__in=ids).update(moved_to=by)  # moved on before the first move was done
    AccessAccount.objects.filter(pk=by.pk, presence=Presence.PRESENT).update(moved_to=None, is_move_awaited=False)
    return len(ids)


def _awaited_of(ids: list[int]) -> list[int]:
    """Of these the ones that were never sent, because they waited for somebody else to leave."""
    rows = AccessAccount.objects.filter(moved_to__in=ids, is_move_awaited=True)
    return list(rows.values_list("moved_to_id", flat=True))


def switch_of(account: AccessAccount) -> Switch:
    """Where the account stands in its move: what it waits for, and which of those cannot be reached."""
    rows = AccessAccount.objects.filter(moved_to=account, is_move_awaited=True, presence=Presence.ABSENT)
    old = list(rows.select_related("location__state").order_by("location__name"))
    away = [row for row in old if getattr(row.location, "state", None) and row.location.state.reach != Reach.ONLINE]
    return Switch(account, [row.location.name for row in old], [row.location.name for row in away])


@transaction.atomic
def account_open_now(account: AccessAccount, *, actor: User | None, ip: str | None = None) -> None:
    """Open it although an old router has not confirmed the removal: a person decided so.

    Only while every router it waits for cannot be reached; the old place is closed when that router returns. Until
    then somebody could use it at both places. Raises DomainError when there is nothing to decide.
    """
    account = lock_row(AccessAccount.objects.all(), account.pk)
    switch = switch_of(account)
    if not switch.waits_for:
        raise DomainError(
            "account.not_waiting", _("%(name)s does not wait for another router.") % {"name": account.name}
        )
    if switch.offline != switch.waits_for:
        text = _("The old router answers: the account is opened as soon as it is gone there.")
        raise DomainError("account.old_router_answers", text, status=409)
    AccessAccount.objects.filter(moved_to=account, is_move_awaited=True).update(is_move_awaited=False)
    details = {"account": account.pk, "name": account.name, "not_confirmed_by": switch.waits_for}
    events.emit(StaffActed(actor.pk if actor else None, "account.opened_early", details, ip))
    kick_locations([account.location_id], is_forced=True)
