"""Changing accounts that exist: name, password, address, device, profile."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from core.db.locks import lock_row
from core.errors import DomainError
from locations.choices import Hold, Kind, Presence, Priority
from locations.models import AccessAccount, RouterProfile
from locations.services.expressing import Accounts, chosen, express_again, locked_parts
from locations.services.isolation import isolation_profiles_put
from locations.services.kicks import kick_locations
from locations.services.shutting import addresses_pass


class Unset(Enum):
    """Not given, where None means something."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
KICKING = frozenset({"profile_id", "name", "static_address", "mac_address"})


@transaction.atomic
def account_change(
    account: AccessAccount,
    *,
    name: str | Unset = UNSET,
    password: str | Unset | None = UNSET,
    profile: RouterProfile | Unset = UNSET,
    static_address: str | Unset | None = UNSET,
    mac_address: str | Unset = UNSET,
    is_mac_locked: bool | Unset = UNSET,
    priority: int = Priority.CHANGE,
) -> AccessAccount:
    """Want one account otherwise; what is not given stays. A rename keeps the router's entry and its counters.

    Its session ends when it could not go on as it is: another profile, name, address or device, and a hotspot
    password (the cookie would let the old one in). Raises DomainError when the name or address is taken here, or when
    the profile belongs to another location or kind.
    """
    given = {
        "name": name, "password": password, "static_address": static_address, "mac_address": mac_address,
        "is_mac_locked": is_mac_locked, "profile_id": profile if isinstance(profile, Unset) else profile.pk,
    }  # fmt: skip
    wanted = {key: value for key, value in given.items() if value is not UNSET}
    if not isinstance(profile, Unset):
        _same_place(profile, account)
        if account.is_isolated:
            isolation_profiles_put({profile.pk})
    account = lock_row(AccessAccount.objects.all(), account.pk)
    different = {key: value for key, value in wanted.items() if getattr(account, key) != value}
    if not different:
        return account
    if account.presence == Presence.ABSENT:
        raise DomainError("account.leaving", _("This login is being removed and cannot be changed."), status=409)
    _check_free(account, different)
    if "password" in different:
        different["is_password_kept"] = False
    before = account.static_address
    is_kicked = bool(KICKING & different.keys()) or (account.kind == Kind.HOTSPOT and "password" in different)
    for key, value in different.items():
        setattr(account, key, value)
    account.revision += 1
    account.priority = priority
    account.hold, account.router_words = Hold.NONE, ""
    account.is_kick_due = account.is_kick_due or is_kicked
    fields = [key.removesuffix("_id") for key in different]
    account.save(update_fields=[*fields, "revision", "priority", "hold", "router_words", "is_kick_due", "changed_at"])
    if "static_address" in different:
        _addresses_follow(account, before)
    kick_locations([account.location_id], is_forced=priority == Priority.PAID)
    return account


def _addresses_follow(account: AccessAccount, before: str | None) -> None:
    """His new address is opened. Who is held back does not get out by the old one; whoever pays may still be using it."""
    is_held_back = account.kind == Kind.STATIC and (account.is_isolated or account.is_disabled)
    addresses_pass(
        given=[(account.location_id, account.static_address)] if account.static_address else [],
        left=[(account.location_id, before)] if before and is_held_back else [],
    )


def _same_place(profile: RouterProfile, account: AccessAccount) -> None:
    if (profile.location_id, profile.kind) != (account.location_id, account.kind):
        raise DomainError("account.other_profile", _("This profile belongs to another location or type."))


def _check_free(account: AccessAccount, different: dict[str, Any]) -> None:
    others = AccessAccount.objects.filter(location_id=account.location_id, kind=account.kind).exclude(pk=account.pk)
    name = different.get("name", account.name)
    if not name:
        raise DomainError("account.no_name", _("A login needs a name."), {"name": _("A login needs a name.")})
    if "name" in different and others.filter(name=name).exists():
        text = _("The name %(name)s is already used at this location.") % {"name": name}
        raise DomainError("account.name_taken", text, {"name": text})
    check_static_address(
        account.location_id, account.kind, different.get("static_address", account.static_address), account.pk
    )


def check_static_address(location_id: int, kind: str, address: str | None, pk: int | None = None) -> None:
    """A static subscriber is his address: it must be there, and be nobody else's at this location."""
    if kind != Kind.STATIC:
        return
    if not address:
        text = _("A static subscriber needs an address.")
        raise DomainError("account.no_address", text, {"static_address": text})
    taken = AccessAccount.objects.filter(
        location_id=location_id, kind=Kind.STATIC, static_address=address, presence=Presence.PRESENT
    )
    if (taken.exclude(pk=pk) if pk is not None else taken).exists():
        text = _("The address %(address)s is already used at this location.") % {"address": address}
        raise DomainError("account.address_taken", text, {"static_address": text})


@transaction.atomic
def accounts_set_profile(
    accounts: Accounts, profile: RouterProfile, *, is_kick_due: bool = True, priority: int = Priority.CHANGE
) -> int:
    """Give many accounts of one location another profile (a plan change). Returns how many changed.

    `is_kick_due` False leaves running sessions on the old speed until their next login. A static account changes live.
    Raises DomainError when one of them belongs to another location or kind; nothing is changed then.
    """
    rows = chosen(accounts).filter(presence=Presence.PRESENT)
    if rows.exclude(location_id=profile.location_id, kind=profile.kind).exists():
        raise DomainError("account.other_profile", _("This profile belongs to another location or type."))
    rows = rows.exclude(profile=profile)
    if rows.filter(is_isolated=True).exists():
        isolation_profiles_put({profile.pk})
    changed = 0
    kicks = {"is_kick_due": True} if is_kick_due and profile.kind != Kind.STATIC else {}
    for part in locked_parts(rows):
        changed += express_again([pk for pk, _location in part], priority, profile=profile, **kicks)
    kick_locations([profile.location_id], is_forced=priority == Priority.PAID)
    return changed
