"""Codes that guests used and nobody recorded a sale for: money that may be missing, by place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, Min, OuterRef, Q, QuerySet, Subquery, Sum, When
from django.db.models.functions import Coalesce

from accounts.models import User
from locations.models import Location
from vouchers.choices import VoucherStatus
from vouchers.models import BatchLocation, Voucher, VoucherLocation
from vouchers.selectors import vouchers_visible_to

ROAMING = 0  # good at several places: it belongs to none of them


MISSING = Q(used_at__isnull=False, sold_at=None, batch__price__gt=0) & ~Q(status=VoucherStatus.VOID)


def used_unsold(user: User) -> QuerySet[Voucher]:
    """Of the vouchers he may see those that were used, cost something, and were neither sold nor made void.

    Served by a partial index: few among millions, whatever their status.
    """
    return vouchers_visible_to(user).filter(MISSING)


def used_unsold_at(user: User, place: int) -> QuerySet[Voucher]:
    """Those of one location, or of no single one (`ROAMING`)."""
    rows: QuerySet[Voucher] = _placed(used_unsold(user)).filter(place=place)
    return rows


@dataclass(frozen=True)
class UnsoldPlace:
    """`location` is None for vouchers that are good at several places."""

    location: Location | None
    count: int
    amount: Decimal
    oldest_at: datetime


def unsold_places(user: User) -> list[UnsoldPlace]:
    """By location, the largest amount first."""
    rows = (
        _placed(used_unsold(user))
        .order_by()
        .values("place")
        .annotate(count=Count("pk"), amount=Sum("batch__price"), oldest_at=Min("used_at"))
    )
    found = list(rows.values_list("place", "count", "amount", "oldest_at"))
    places = Location.objects.in_bulk([place for place, *_rest in found if place])
    lines = [UnsoldPlace(places.get(place), count, amount, oldest) for place, count, amount, oldest in found]
    return sorted(lines, key=lambda line: (-line.amount, line.oldest_at))


def _placed(rows: QuerySet[Voucher]) -> Any:
    """With `place`: where the voucher is good when that is one location, else `ROAMING`."""
    moved = _one_place(VoucherLocation.objects.filter(voucher=OuterRef("pk")).values("voucher"))
    home = _one_place(BatchLocation.objects.filter(batch=OuterRef("batch_id")).values("batch"))
    return rows.annotate(place=Coalesce(Subquery(moved), Subquery(home), ROAMING))


def _one_place(grouped: Any) -> Any:
    counted = grouped.annotate(n=Count("pk"), only=Min("location_id"))
    return counted.values_list(Case(When(n=1, then=F("only")), default=ROAMING))
