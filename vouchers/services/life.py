"""Steps a person takes with one voucher: void it, move it to another location."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.selectors import publications
from core import clock
from core.db.transition import transition
from core.errors import DomainError, TransitionError
from locations.choices import Presence, Priority
from locations.models import Location
from locations.selectors import locations_visible_to
from locations.services import accounts_remove, accounts_replace
from vouchers.choices import VOUCHER_MOVES, BatchStatus, PushAt, VoucherStatus
from vouchers.models import BatchLocation, Voucher, VoucherBatch, VoucherLocation
from vouchers.selectors import accounts_of, locations_of
from vouchers.services.entries import Usage, entries_put, limit_uptime, refuse_unpublished
from vouchers.services.history import event_write, staff_acted, voucher_for
from vouchers.services.retry import deadlock_retried

MAX_REASON = 200
LIVING = (VoucherStatus.NEW, VoucherStatus.SOLD, VoucherStatus.ACTIVE)


@deadlock_retried
@transaction.atomic
def voucher_void(
    voucher: Voucher, *, actor: User | None, reason: str, ip: str | None = None, now: datetime | None = None
) -> Voucher:
    """End a voucher for good; its entries leave all routers and its sessions end. Money stays as it was recorded.

    Raises DomainError without a reason, TransitionError (`voucher.not_voidable`) when it has ended already.
    """
    now = now or clock.now()
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON:
        message = _("Write a reason of at most %(n)d characters.") % {"n": MAX_REASON}
        raise DomainError("voucher.reason", message, fields={"reason": message})
    fresh = voucher_for(voucher, actor)
    if fresh.status not in LIVING:
        raise _over(fresh, "voucher.not_voidable")
    transition(Voucher.objects.filter(pk=fresh.pk), to=VoucherStatus.VOID, allowed=VOUCHER_MOVES, ended_at=now)
    accounts_remove(accounts_of(fresh).filter(presence=Presence.PRESENT))
    event_write(fresh.pk, "voided", at=now, actor=actor, reason=reason, before=fresh.status)
    staff_acted(actor, "voucher.voided", ip, voucher=fresh.pk, code=fresh.code, reason=reason, before=fresh.status)
    fresh.refresh_from_db()
    return fresh


@deadlock_retried
@transaction.atomic
def voucher_move(
    voucher: Voucher, *, location: Location, actor: User | None, ip: str | None = None, now: datetime | None = None
) -> Voucher:
    """Make the voucher good at this location and nowhere else. What it used elsewhere keeps counting.

    The new router lets it in once the old ones confirmed that it is gone there; `voucher_state` says so.
    Raises DomainError when the plan is not published there or the person may not work there,
    TransitionError (`voucher.not_movable`) when the voucher has ended.
    """
    now = now or clock.now()
    fresh = voucher_for(voucher, actor)
    if actor is not None and not locations_visible_to(actor).filter(pk=location.pk).exists():
        message = _("You can move vouchers to your own locations only.")
        raise DomainError("voucher.not_your_location", message, fields={"location": message}, status=403)
    if fresh.status not in LIVING:
        raise _over(fresh, "voucher.not_movable")
    before = [row.pk for row in locations_of(fresh)]
    if before == [location.pk]:
        return fresh
    refuse_unpublished([location], publications(fresh.plan_id, [location.pk]))
    _remember_place(fresh, location)
    if fresh.batch.push_at == PushAt.CREATION or fresh.status != VoucherStatus.NEW:
        _move_entries(fresh, location)
    event_write(fresh.pk, "moved", at=now, actor=actor, before=before, after=[location.pk])
    staff_acted(actor, "voucher.moved", ip, voucher=fresh.pk, code=fresh.code, before=before, after=[location.pk])
    return fresh


def _remember_place(voucher: Voucher, location: Location) -> None:
    VoucherLocation.objects.filter(voucher=voucher).delete()
    home = list(BatchLocation.objects.filter(batch_id=voucher.batch_id).values_list("location_id", flat=True))
    if home != [location.pk]:
        VoucherLocation.objects.create(voucher=voucher, location=location)


def _move_entries(voucher: Voucher, location: Location) -> None:
    usage = Usage(voucher)
    entries_put(
        voucher, [location], valid_until=voucher.valid_until, limit_bytes=usage.limit_bytes,
        limit_uptime_seconds=(
            limit_uptime(voucher.batch, voucher.plan.shared_users)
            if usage.limit_uptime_seconds is None else usage.limit_uptime_seconds
        ),
        priority=Priority.PAID,
    )  # fmt: skip
    accounts = accounts_of(voucher).filter(presence=Presence.PRESENT)
    accounts_replace(accounts.exclude(location=location), by=accounts.get(location=location))


def _over(voucher: Voucher, code: str) -> TransitionError:
    status = VoucherStatus(voucher.status).label
    message = _("Voucher %(code)s is %(status)s. Nothing was changed.") % {"code": voucher.code, "status": status}
    return TransitionError(message, code=code)


def plan_withdrawal_check(plan_id: int, location_ids: Sequence[int]) -> None:
    """Refuse to take a plan off locations where its vouchers still live. Raises DomainError (`plan.in_use`)."""
    batches = VoucherBatch.objects.filter(
        plan_id=plan_id, pk__in=BatchLocation.objects.filter(location__in=location_ids).values("batch_id")
    )
    coming = batches.filter(status__in=[BatchStatus.QUEUED, BatchStatus.GENERATING])
    moved = VoucherLocation.objects.filter(location__in=location_ids, voucher__plan_id=plan_id)
    if (
        coming.exists()
        or Voucher.objects.filter(batch__in=batches, status__in=LIVING).exists()
        or moved.filter(voucher__status__in=LIVING).exists()
    ):
        raise DomainError(
            "plan.in_use", _("Vouchers of this plan are still good there; it cannot be taken off."), status=409
        )
