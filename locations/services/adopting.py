"""Taking over what a router has: rows that begin as confirmed, so that nothing is sent, and letting go of them again.

The router's entry stays as it is: counters, password and comment. A comment that is not ours is kept, because scripts of
other programs read it; `accounts_comment_take` writes ours in its place, `accounts_comment_give_back` the old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from core.db.copy import copy_rows
from core.fields import encrypt
from locations.choices import ADOPTED_TAG, Hold, Kind, Presence, Priority
from locations.models import AccessAccount, Location, RouterProfile
from locations.services.expressing import express_again, locked_parts
from locations.services.kicks import kick_locations
from locations.services.shutting import addresses_pass

COLUMNS = (
    "location_id", "profile_id", "kind", "name", "applied_name", "router_id", "password", "is_password_kept", "tag",
    "kept_comment", "is_disabled", "mac_address", "is_mac_locked", "static_address", "limit_uptime_seconds",
    "limit_bytes", "sent_limit_seconds", "valid_until", "first_login_at", "epoch_uptime_seconds", "epoch_bytes",
    "presence", "priority", "revision", "applied_revision", "applied_at", "hold", "router_words", "is_kick_due",
    "is_adopted", "past_uptime_seconds", "past_bytes", "created_at", "changed_at",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """One login as a router has it now. `password` None with `is_password_kept`: the router does not show it."""

    name: str
    router_id: str
    tag: str
    comment: str
    password: str | None = None
    is_password_kept: bool = False
    is_disabled: bool = False
    mac_address: str = ""
    is_mac_locked: bool = False
    static_address: str | None = None
    limit_uptime_seconds: int | None = None
    limit_bytes: int | None = None
    valid_until: datetime | None = None
    first_login_at: datetime | None = None
    uptime_seconds: int = 0
    bytes: int = 0

    def stored(self) -> str | None:
        """The password as it is kept; NULL is "the same as the name"."""
        return None if self.password is None or self.password == self.name else encrypt(self.password)


@transaction.atomic
def accounts_adopt(profile: RouterProfile, found: Iterable[Found], *, now: datetime) -> int:
    """Rows for logins that are on the router with this profile; nothing is sent. Returns how many.

    Raises IntegrityError when one of the names is known at the location already; nothing of the caller's transaction
    stays then.
    """
    ordered = sorted(found, key=lambda one: one.name)
    count = copy_rows(AccessAccount, COLUMNS, (_columns(profile, one, now) for one in ordered))
    addresses_pass(given=[(profile.location_id, one.static_address) for one in ordered if one.static_address])
    return count


def _columns(profile: RouterProfile, one: Found, now: datetime) -> tuple[Any, ...]:
    return (
        profile.location_id, profile.pk, profile.kind, one.name, one.name, one.router_id, one.stored(),
        one.is_password_kept, one.tag, one.comment, one.is_disabled, one.mac_address, one.is_mac_locked,
        one.static_address, one.limit_uptime_seconds, one.limit_bytes,
        one.limit_uptime_seconds if profile.kind == Kind.HOTSPOT else None, one.valid_until, one.first_login_at,
        one.uptime_seconds, one.bytes, str(Presence.PRESENT), int(Priority.BULK), 1, 1, now, "", "", False, False, 0, 0,
        now, now,
    )  # fmt: skip


@transaction.atomic
def profile_adopt(
    *, location: Location, kind: str, name: str, router_id: str, rules: dict[str, Any], now: datetime
) -> RouterProfile:
    """A row for a profile that is on the router with these rules; nothing is sent. Raises IntegrityError when known."""
    return RouterProfile.objects.create(
        location=location, kind=kind, name=name, applied_name=name, router_id=router_id, tag=ADOPTED_TAG, revision=1,
        applied_revision=1, applied_at=now, priority=Priority.CHANGE, **rules,
    )  # fmt: skip


ROUND = 2  # revisions that writing our comment and giving the old one back take


def _untouched(rounds: int) -> Q:
    """As taken over: nothing was sent but, in `rounds` rounds, our comment and the old one again, both confirmed."""
    is_confirmed = Q(revision=F("applied_revision"), revision__in={1, 1 + ROUND * rounds})
    return is_confirmed & Q(presence=Presence.PRESENT, moved_to=None, is_kick_due=False, kept_comment__isnull=False)


def accounts_touched(accounts: QuerySet[AccessAccount], *, rounds: int = 0) -> QuerySet[AccessAccount]:
    """Of these the ones that were changed since they were taken over: letting go would not leave them as they were."""
    return accounts.exclude(_untouched(rounds))


@transaction.atomic
def accounts_forget(accounts: QuerySet[AccessAccount], *, rounds: int = 0) -> int:
    """Let go of logins that were taken over and not changed since: the rows go, the router keeps its entries as they are."""
    ids = [pk for part in locked_parts(accounts.filter(_untouched(rounds))) for pk, _location in part]
    return AccessAccount.objects.filter(pk__in=ids).delete()[1].get("locations.AccessAccount", 0)


@transaction.atomic
def profiles_forget(profiles: Sequence[int]) -> int:
    """Let go of profiles (`profiles_forgettable`): the rows go, the router keeps its profiles as they are."""
    return RouterProfile.objects.filter(pk__in=profiles).delete()[1].get("locations.RouterProfile", 0)


def profiles_forgettable(profiles: Sequence[int], *, rounds: int = 0) -> list[int]:
    """Of these the ones that were taken over, are as they were, and have no logins left."""
    rows = RouterProfile.objects.filter(pk__in=profiles, tag=ADOPTED_TAG, revision__in={1, 1 + ROUND * rounds})
    used = AccessAccount.objects.filter(profile__in=profiles).values("profile_id")
    as_sent = rows.filter(revision=F("applied_revision"), presence=Presence.PRESENT, isolation_profile=None)
    return list(as_sent.exclude(pk__in=used).order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def accounts_comment_take(accounts: QuerySet[AccessAccount]) -> int:
    """Want our comment on logins that still have the router's own. Returns how many are sent."""
    rows = accounts.filter(presence=Presence.PRESENT, kept_comment__isnull=False)
    changed = 0
    locations: set[int] = set()
    for part in locked_parts(rows):
        changed += express_again([pk for pk, _location in part], Priority.BULK, kept_comment=None, is_adopted=True)
        locations.update(location for _pk, location in part)
    kick_locations(locations)
    return changed


@transaction.atomic
def accounts_comment_give_back(comments: Sequence[tuple[int, str]]) -> int:
    """Want the router's own comments back, as they were. Returns how many are sent."""
    rows = AccessAccount.objects.filter(
        pk__in=[pk for pk, _c in comments], presence=Presence.PRESENT, kept_comment=None
    )
    known, changed, locations = dict(comments), [], set()
    for account in rows.order_by("pk").select_for_update(of=("self",)):
        account.kept_comment, account.is_comment_due = known[account.pk], True
        account.revision, account.hold, account.router_words = account.revision + 1, Hold.NONE, ""
        account.priority = Priority.BULK
        changed.append(account)
        locations.add(account.location_id)
    fields = ["kept_comment", "is_comment_due", "revision", "hold", "router_words", "priority"]
    AccessAccount.objects.bulk_update(changed, fields, batch_size=1000)
    kick_locations(locations)
    return len(changed)


@transaction.atomic
def profiles_script_set(scripts: Sequence[tuple[int, str]]) -> int:
    """Want these texts as scripts at login ("" is none). Returns how many profiles are sent."""
    changed, locations = 0, set()
    for profile in RouterProfile.objects.filter(pk__in=[pk for pk, _s in scripts]).order_by("pk").select_for_update():
        script = dict(scripts)[profile.pk]
        if profile.on_login == script or profile.presence != Presence.PRESENT:
            continue
        RouterProfile.objects.filter(pk=profile.pk).update(
            on_login=script, revision=F("revision") + 1, hold=Hold.NONE, router_words="", priority=Priority.CHANGE
        )
        changed += 1
        locations.add(profile.location_id)
    kick_locations(locations)
    return changed
