"""Putting a plan on routers: one profile per location, named after the plan."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import PlanType
from billing.events import PlanWithdrawing
from billing.models import Plan, PlanLocation
from core.db.locks import lock_row
from core.errors import DomainError
from core.events import emit
from core.staff_events import StaffActed
from locations.choices import Kind
from locations.models import AccessAccount, Location, RouterProfile
from locations.services import profile_put, profile_remove, profile_rollout_start

NAME_LENGTH = 40
# profiles every router is born with; ours beside them would be a conflict at once
BUILT_IN_NAMES = frozenset({"default", "default-encryption", "default-trial"})


# which RouterOS menu the accounts of a plan live in
KINDS: dict[str, str] = {PlanType.HOTSPOT: Kind.HOTSPOT, PlanType.PPPOE: Kind.PPP, PlanType.STATIC: Kind.STATIC}


def profile_kind(plan: Plan) -> str:
    return KINDS[plan.type]


def profile_rules(plan: Plan) -> dict[str, Any]:
    """The rules of the plan that live in a router profile, as `profile_put` takes them."""
    is_hotspot = plan.type == PlanType.HOTSPOT
    return {
        "rate_limit": plan.rate_limit,
        "shared_users": plan.shared_users,
        "idle_timeout_seconds": plan.idle_timeout_seconds,
        # `/ppp/profile` has no keepalive-timeout; the PPPoE server has
        "keepalive_timeout_seconds": plan.keepalive_timeout_seconds if is_hotspot else None,
        "address_pool": plan.address_pool,
    }


def router_safe_name(name: str) -> str:
    """`Paket 1 Hari / 5Mbps` -> `Paket-1-Hari-5Mbps`: letters, digits, dot, dash and underscore, never empty.

    Profile names appear in scripts, queries and other people's tools, where spaces, quotes and slashes break things.
    """
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:NAME_LENGTH].rstrip("-._")
    return text or "plan"


@transaction.atomic
def plan_publish(
    plan: Plan, locations: Iterable[Location], *, actor: User | None, ip: str | None = None
) -> list[PlanLocation]:
    """Put the plan on routers; where it already is, its profile is brought up to date. Returns the publications."""
    plan = lock_row(Plan.objects.all(), plan.pk)  # two publishers of one plan take turns
    here = {row.location_id: row for row in PlanLocation.objects.filter(plan=plan).select_related("profile")}
    result, added = [], []
    for location in _turn_at(locations):
        row = here.get(location.pk)
        if row is None:
            name = _free_name(plan, location)
            profile = profile_put(location=location, kind=profile_kind(plan), name=name, **profile_rules(plan))
            row = PlanLocation.objects.create(plan=plan, location=location, profile=profile)
            added.append(location.pk)
        else:
            _put_again(plan, row.profile, location)
        result.append(row)
    if added:
        details = {"plan": plan.pk, "locations": added}
        emit(StaffActed(actor.pk if actor else None, "plan.published", details, ip))
    return result


@transaction.atomic
def plan_unpublish(plan: Plan, locations: Iterable[Location], *, actor: User | None, ip: str | None = None) -> int:
    """Take the plan off locations, and its profile off their routers; returns from how many.

    Raises DomainError (`plan.in_use`) while vouchers or accounts use it there, and then changes nothing.
    """
    plan = lock_row(Plan.objects.all(), plan.pk)
    rows = list(
        PlanLocation.objects.filter(plan=plan, location__in=[row.pk for row in locations]).select_related(
            "location", "profile"
        )
    )
    if not rows:
        return 0
    location_ids = [row.location_id for row in rows]
    emit(PlanWithdrawing(plan.pk, location_ids))
    _refuse_used(rows)
    PlanLocation.objects.filter(pk__in=[row.pk for row in rows]).delete()
    for row in rows:
        profile_remove(row.profile)
    details = {"plan": plan.pk, "locations": location_ids}
    emit(StaffActed(actor.pk if actor else None, "plan.unpublished", details, ip))
    return len(rows)


@transaction.atomic
def plan_speed_rollout(
    plan: Plan, locations: Iterable[Location], *, mode: str, now: datetime, actor: User | None, ip: str | None = None
) -> int:
    """Bring the plan's speed to the sessions that run at these locations, each at its own pace; returns at how many."""
    ids = [row.pk for row in locations]
    rows = (
        PlanLocation.objects.filter(plan=plan, location__in=ids)
        .select_related("profile__location")
        .order_by("profile_id")
    )
    for row in rows:
        profile_rollout_start(row.profile, mode=mode, now=now, actor=actor, ip=ip)
    return len(rows)


def _turn_at(locations: Iterable[Location]) -> list[Location]:
    """Two plans of one name published at once must not both find the same profile name free."""
    rows = Location.objects.filter(pk__in=[row.pk for row in locations]).order_by("pk")
    return list(rows.select_for_update(no_key=True, of=("self",)))


def publication_refresh(plan: Plan) -> None:
    """Bring the profiles of a changed plan up to date everywhere it is published."""
    rows = PlanLocation.objects.filter(plan=plan).select_related("profile", "location").order_by("profile_id")
    for row in rows:
        _put_again(plan, row.profile, row.location)


def _put_again(plan: Plan, profile: RouterProfile, location: Location) -> None:
    profile_put(location=location, kind=profile.kind, name=profile.name, **profile_rules(plan))


def _refuse_used(rows: Sequence[PlanLocation]) -> None:
    for row in rows:
        count = AccessAccount.objects.filter(profile_id=row.profile_id).count()
        if count:
            raise DomainError(
                "plan.in_use",
                _("%(count)d accounts at %(location)s use this plan; it cannot be taken off there.")
                % {"count": count, "location": row.location.name},
                status=409,
            )


def _free_name(plan: Plan, location: Location) -> str:
    """The plan's name for this router, or the first free `name-2`, `name-3` … when another plan has it."""
    base, kind = router_safe_name(plan.name), profile_kind(plan)
    taken = {
        name.lower()
        for name in RouterProfile.objects.filter(location=location, kind=kind, name__istartswith=base).values_list(
            "name", flat=True
        )
        if not _is_ours_and_free(location, kind, name)
    } | BUILT_IN_NAMES
    candidate, number = base, 1
    while candidate.lower() in taken:
        number += 1
        candidate = f"{base}-{number}"
    return candidate


def _is_ours_and_free(location: Location, kind: str, name: str) -> bool:
    """A profile no plan stands behind any more may be used again: its accounts are gone too."""
    profile = RouterProfile.objects.filter(location=location, kind=kind, name=name)
    return not (
        PlanLocation.objects.filter(profile__in=profile).exists()
        or AccessAccount.objects.filter(profile__in=profile).exists()
    )
