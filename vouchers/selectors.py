"""Reads about vouchers that span rooms or depend on who asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat

from accounts.choices import Role
from accounts.models import User
from billing.models import PlanLocation
from locations.choices import Hold, Kind, Presence, Reach
from locations.models import AccessAccount, Location
from locations.selectors import locations_visible_to, tag_counts
from vouchers.choices import BatchStatus, VoucherStatus
from vouchers.models import BatchLocation, Voucher, VoucherBatch, VoucherEvent, VoucherLocation, VoucherSale


def batches_visible_to(user: User) -> QuerySet[VoucherBatch]:
    """Batches with at least one location this person may see."""
    if _sees_everything(user):
        return VoucherBatch.objects.all()
    here = BatchLocation.objects.filter(location__in=locations_visible_to(user).values("pk"))
    return VoucherBatch.objects.filter(pk__in=here.values("batch_id"))


def vouchers_visible_to(user: User) -> QuerySet[Voucher]:
    """Vouchers of those batches, and vouchers that were moved to a location this person may see; an agent's own stock.

    The few moved ones are looked up first: an OR over two subqueries would scan a million rows.
    """
    if user.role == Role.AGENT:
        return Voucher.objects.filter(agent__user_id=user.pk)
    if _sees_everything(user):
        return Voucher.objects.all()
    seen = Q(batch__in=batches_visible_to(user).values("pk"))
    moved = VoucherLocation.objects.filter(location__in=locations_visible_to(user).values("pk"))
    moved_ids = list(moved.values_list("voucher_id", flat=True))
    if moved_ids:
        batch_ids = list(batches_visible_to(user).values_list("pk", flat=True))
        seen = Q(batch__in=batch_ids) | Q(pk__in=moved_ids)
    return Voucher.objects.filter(seen)


def sales_visible_to(user: User) -> QuerySet[VoucherSale]:
    """Sales of those vouchers; an agent sees what he sold himself, and nothing else."""
    if user.role == Role.AGENT:
        return VoucherSale.objects.filter(agent__user_id=user.pk)
    if _sees_everything(user):
        return VoucherSale.objects.all()
    return VoucherSale.objects.filter(voucher__in=vouchers_visible_to(user))


def _sees_everything(user: User) -> bool:
    """`locations` decides who is limited; no condition there means none here."""
    return not locations_visible_to(user).query.where


def event_made(voucher: Voucher) -> VoucherEvent:
    """The first line of a voucher's history. It is never a row: a batch of 100,000 knows it once for all of them."""
    return VoucherEvent(voucher=voucher, kind="created", at=voucher.created_at, actor=voucher.batch.created_by)


def accounts_of(voucher: Voucher) -> QuerySet[AccessAccount]:
    """The voucher's entries on routers: wanted ones, and those still waiting to be taken away."""
    return entries_named({voucher.code: voucher.batch_id})


def accounts_of_many(vouchers: Iterable[Voucher]) -> QuerySet[AccessAccount]:
    """The same for several vouchers."""
    return entries_named({row.code: row.batch_id for row in vouchers})


def entries_named(batch_by_code: Mapping[str, int]) -> QuerySet[AccessAccount]:
    """Accounts of vouchers given as code to batch id.

    The tag is compared as an expression to keep the planner off its index: a tag has 100,000 rows, a name has one
    per router, and right after a COPY there are no statistics to tell it so.
    """
    tags = {f"b{batch_id}" for batch_id in batch_by_code.values()}
    rows = AccessAccount.objects.alias(owner=Concat("tag", Value("")))
    return rows.filter(kind=Kind.HOTSPOT, name__in=list(batch_by_code), owner__in=tags)


def locations_of(voucher: Voucher) -> list[Location]:
    """Where the voucher is good: its batch's locations, or where it was moved to."""
    moved = VoucherLocation.objects.filter(voucher=voucher).values("location_id")
    rows = list(Location.objects.filter(pk__in=moved).order_by("pk"))
    if rows:
        return rows
    batch = BatchLocation.objects.filter(batch_id=voucher.batch_id).values("location_id")
    return list(Location.objects.filter(pk__in=batch).order_by("pk"))


@dataclass(frozen=True)
class VoucherPlace:
    """One location: what we want there and what its router confirmed. `reach` and `hold` are codes of `locations`."""

    location_id: int
    location_name: str
    is_wanted: bool
    is_confirmed: bool
    confirmed_at: datetime | None
    hold: str
    router_words: str
    reach: str
    reach_since: datetime | None

    @property
    def is_offline(self) -> bool:
        return self.reach not in {Reach.ONLINE, Reach.UNKNOWN}

    @property
    def is_waiting(self) -> bool:
        """The router has not confirmed what we want, or still has an entry that must go."""
        return not self.is_confirmed or not self.is_wanted


@dataclass(frozen=True)
class VoucherState:
    """A voucher as the screen must tell it: its status, and where routers do not agree with it yet.

    `places` lists the locations with an entry of ours; an entry that must go is listed until the router confirmed
    that it is gone. An expired voucher without places is gone everywhere.
    """

    status: str
    valid_until: datetime | None
    used_at: datetime | None
    ended_at: datetime | None
    places: tuple[VoucherPlace, ...] = ()

    @property
    def waiting(self) -> tuple[VoucherPlace, ...]:
        return tuple(place for place in self.places if place.is_waiting)

    @property
    def held(self) -> tuple[VoucherPlace, ...]:
        """Waiting for a person, with the router's words."""
        return tuple(place for place in self.places if place.hold != Hold.NONE)

    @property
    def offline(self) -> tuple[VoucherPlace, ...]:
        return tuple(place for place in self.waiting if place.is_offline)

    @property
    def is_settled(self) -> bool:
        """Every router confirmed what this status means."""
        return not self.waiting

    @property
    def is_over(self) -> bool:
        return self.status in {VoucherStatus.EXPIRED, VoucherStatus.VOID}


def voucher_state(voucher: Voucher) -> VoucherState:
    return voucher_states([voucher])[voucher.pk]


def voucher_states(vouchers: Sequence[Voucher]) -> dict[int, VoucherState]:
    """States by voucher id, for a page of a list: one query."""
    places: dict[tuple[str, str], list[VoucherPlace]] = defaultdict(list)
    rows = accounts_of_many(vouchers).select_related("location__state").order_by("location__name")
    for account in rows:
        places[(account.tag, account.name)].append(_place(account))
    return {
        row.pk: VoucherState(
            row.status, row.valid_until, row.used_at, row.ended_at,
            tuple(places.get((f"b{row.batch_id}", row.code), ())),
        )
        for row in vouchers
    }  # fmt: skip


def _place(account: AccessAccount) -> VoucherPlace:
    state = getattr(account.location, "state", None)
    return VoucherPlace(
        location_id=account.location_id,
        location_name=account.location.name,
        is_wanted=account.presence == Presence.PRESENT,
        is_confirmed=account.is_synced,
        confirmed_at=account.applied_at,
        hold=account.hold,
        router_words=account.router_words,
        reach=state.reach if state else Reach.UNKNOWN,
        reach_since=state.reach_since if state else None,
    )


@dataclass(frozen=True)
class BatchProgress:
    """`generated` of `quantity` codes made; then of `wanted` router entries how many are confirmed, waiting, held."""

    status: str
    quantity: int
    generated: int
    wanted: int
    confirmed: int
    waiting: int
    held: int

    @property
    def is_settled(self) -> bool:
        return self.status == BatchStatus.READY and self.wanted == self.confirmed and not self.waiting + self.held


def batch_progress(batch: VoucherBatch) -> BatchProgress:
    """Read from the database now; a batch's own numbers change while it is being generated."""
    row = VoucherBatch.objects.only("status", "quantity", "progress").get(pk=batch.pk)
    counts = tag_counts(batch.tag)
    return BatchProgress(
        row.status, row.quantity, row.progress, counts.wanted, counts.confirmed, counts.waiting, counts.held
    )


def existing_codes(*, prefix: str, length: int, charset: str) -> int:
    """How many codes of this kind were ordered: the base of the code space check."""
    rows = VoucherBatch.objects.filter(prefix=prefix, length=length, charset=charset).exclude(
        status__in=[BatchStatus.CANCELLED, BatchStatus.FAILED]
    )
    return sum(rows.values_list("quantity", flat=True))


def publications_of(batch: VoucherBatch) -> list[PlanLocation]:
    """The router profiles of the batch's plan at the batch's locations, in location order."""
    location_ids = BatchLocation.objects.filter(batch=batch).values("location_id")
    rows = PlanLocation.objects.filter(plan_id=batch.plan_id, location_id__in=location_ids)
    return list(rows.select_related("profile", "location").order_by("location_id"))
