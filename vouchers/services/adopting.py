"""Vouchers that exist on a router already: rows for them, and letting go of them while nobody did anything with them.

No history line is written for a voucher that was taken over: history only grows, and taking over can be undone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from billing.models import Plan
from core.db.copy import copy_rows
from core.fields import encrypt
from locations.models import Location
from locations.services import accounts_forget, accounts_touched
from vouchers.choices import BatchStatus, CodeMode, PushAt, VoucherStatus
from vouchers.models import BatchLocation, Voucher, VoucherBatch, VoucherEvent, VoucherSale
from vouchers.selectors import entries_named

COLUMNS = ("batch_id", "plan_id", "code", "password", "status", "created_at", "sold_at", "used_at", "valid_until")
NAME_LENGTH = 80
LENGTHS = (4, 20)


@dataclass(frozen=True)
class FoundVoucher:
    """A code as the router has it. With `used_at` somebody logged in already: it was sold elsewhere, at the latest then."""

    code: str
    password: str
    used_at: datetime | None = None
    valid_until: datetime | None = None


@transaction.atomic
def batch_adopt(
    *, name: str, plan: Plan, location: Location, found: Sequence[FoundVoucher], actor: User | None, now: datetime
) -> VoucherBatch:
    """A batch of codes that are printed and on the router already; no account is made here.

    Raises IntegrityError when a code exists already; nothing of the caller's transaction stays then.
    """
    is_same = all(one.password == one.code for one in found)
    lengths = Counter(len(one.code) for one in found)
    batch = VoucherBatch.objects.create(
        name=name[:NAME_LENGTH], plan=plan, quantity=len(found), progress=len(found), status=BatchStatus.READY,
        length=min(max(lengths.most_common(1)[0][0], LENGTHS[0]), LENGTHS[1]),
        mode=CodeMode.SAME if is_same else CodeMode.SEPARATE, push_at=PushAt.CREATION, price=plan.price_sell,
        price_cost=plan.price_cost, duration_seconds=plan.duration_seconds, validity_from=plan.validity_from,
        uptime_limit_seconds=plan.uptime_limit_seconds, data_limit_bytes=plan.data_limit_bytes,
        is_mac_locked=plan.is_mac_locked, created_by=actor, finished_at=now,
    )  # fmt: skip
    BatchLocation.objects.create(batch=batch, location=location)
    copy_rows(Voucher, COLUMNS, (_columns(batch, one, now) for one in sorted(found, key=lambda one: one.code)))
    return batch


def _columns(batch: VoucherBatch, one: FoundVoucher, now: datetime) -> tuple[object, ...]:
    status = VoucherStatus.NEW if one.used_at is None else VoucherStatus.ACTIVE
    password = None if one.password == one.code else encrypt(one.password)
    return (
        batch.pk, batch.plan_id, one.code, password, status.value, now, one.used_at, one.used_at, one.valid_until
    )  # fmt: skip


def vouchers_moved_on(batches: Iterable[int], *, rounds: int = 0) -> dict[str, str]:
    """Of these batches the codes that cannot be let go of any more, each with why: `sold`, `used` or `changed`."""
    rows = Voucher.objects.filter(batch__in=list(batches))
    codes = dict(rows.values_list("code", "batch_id"))
    touched = accounts_touched(entries_named(codes), rounds=rounds)
    found = dict.fromkeys(touched.values_list("name", flat=True), "changed")
    missing = set(codes) - set(entries_named(codes).values_list("name", flat=True))
    found |= dict.fromkeys(missing, "changed")
    found |= dict.fromkeys(rows.filter(agent__isnull=False).values_list("code", flat=True), "changed")
    events = VoucherEvent.objects.filter(voucher__in=rows.values("pk"))
    for code, kind in events.order_by("pk").values_list("voucher__code", "kind"):
        found[code] = "used" if kind == "activated" else "changed"
    sales = VoucherSale.objects.filter(voucher__in=rows.values("pk"))
    return found | dict.fromkeys(sales.values_list("voucher__code", flat=True), "sold")


@transaction.atomic
def batches_forget(batches: Sequence[int], keep: Iterable[str], *, rounds: int = 0) -> int:
    """Remove vouchers that were taken over, with their accounts, except these codes; empty batches go too.

    The routers keep their entries as they are. Returns how many vouchers went.
    """
    rows = Voucher.objects.filter(batch__in=batches).exclude(code__in=list(keep))
    locked = dict(rows.order_by("pk").select_for_update(of=("self",)).values_list("code", "batch_id"))
    accounts_forget(entries_named(locked), rounds=rounds)
    gone = Voucher.objects.filter(code__in=list(locked)).delete()[1].get("vouchers.Voucher", 0)
    for batch in VoucherBatch.objects.filter(pk__in=batches):
        left = Voucher.objects.filter(batch=batch).count()
        if left:
            VoucherBatch.objects.filter(pk=batch.pk).update(quantity=left, progress=left)
        else:
            batch.delete()
    return gone
