"""A voucher's entries on routers: what they may, and putting them there. Only here terms become limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, Max, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from billing.models import PlanLocation
from billing.selectors import publications
from core.errors import DomainError
from locations.choices import Presence, Priority
from locations.models import Location
from locations.services import account_put
from vouchers.models import Voucher, VoucherBatch, VoucherEvent
from vouchers.selectors import accounts_of


def limit_uptime(batch: VoucherBatch, shared_users: int) -> int | None:
    """Online seconds an entry is born with, so that the router alone ends paid time if we never see the login.

    Online time cannot exceed calendar time, per device: without an online limit the validity counts once for
    every device that may be on at the same time. RouterOS adds the sessions of all devices up.
    """
    limits = [batch.uptime_limit_seconds]
    if batch.duration_seconds is not None:
        limits.append(batch.duration_seconds * shared_users)
    given = [limit for limit in limits if limit is not None]
    return min(given) if given else None


def entries_put(
    voucher: Voucher,
    locations: Sequence[Location],
    *,
    valid_until: datetime | None,
    limit_uptime_seconds: int | None,
    limit_bytes: int | None,
    priority: Priority,
) -> None:
    """Want the voucher on these routers. Raises DomainError (`plan.not_published`) where its plan is not."""
    batch = voucher.batch
    profiles = publications(batch.plan_id, [row.pk for row in locations])
    refuse_unpublished(locations, profiles)
    for location in sorted(locations, key=lambda row: row.pk):
        account_put(
            profile=profiles[location.pk].profile,
            name=voucher.code,
            password=voucher.password,
            tag=batch.tag,
            limit_uptime_seconds=limit_uptime_seconds,
            limit_bytes=limit_bytes,
            valid_until=valid_until,
            is_mac_locked=batch.is_mac_locked,
            priority=priority,
        )


def refuse_unpublished(locations: Sequence[Location], profiles: dict[int, PlanLocation]) -> None:
    missing = [row.name for row in locations if row.pk not in profiles]
    if missing:
        message = _("The plan is not published at %(names)s. Publish it there first.") % {"names": ", ".join(missing)}
        raise DomainError("plan.not_published", message, fields={"locations": message})


class Usage:
    """What a voucher used on all its routers together, and the limits its entries carry.

    When its routers confirmed that it is gone, the entries and their counters are gone too (`has_entries` is false);
    then the amounts are those written down when it expired, and new entries start counting at 0.
    """

    def __init__(self, voucher: Voucher) -> None:
        row = accounts_of(voucher).aggregate(
            past_uptime=Coalesce(Sum("past_uptime_seconds"), 0),
            epoch_uptime=Coalesce(Sum("epoch_uptime_seconds"), 0),
            past_bytes=Coalesce(Sum("past_bytes"), 0),
            epoch_bytes=Coalesce(Sum("epoch_bytes"), 0),
            limit_uptime=Max("limit_uptime_seconds"),
            limit_bytes=Max("limit_bytes"),
            first_login=Max("first_login_at"),
            last_seen=Max("last_seen_at"),
            entries=Count("pk"),
        )
        self.has_entries: bool = row["entries"] > 0
        self.uptime_seconds: int = int(row["past_uptime"]) + int(row["epoch_uptime"])
        self.bytes: int = int(row["past_bytes"]) + int(row["epoch_bytes"])
        self.limit_uptime_seconds: int | None = row["limit_uptime"]
        self.limit_bytes: int | None = row["limit_bytes"]
        self.was_seen: bool = bool(row["first_login"] or row["last_seen"] or self.uptime_seconds or self.bytes)
        if not self.has_entries:
            self._recall(voucher)

    def _recall(self, voucher: Voucher) -> None:
        event = VoucherEvent.objects.filter(voucher=voucher, kind="expired").order_by("-pk").first()
        if event:
            self.uptime_seconds = int(event.details.get("used_seconds", 0))
            self.bytes = int(event.details.get("used_bytes", 0))


def wanted_locations(voucher: Voucher) -> list[Location]:
    """Where the voucher's entries are wanted now."""
    rows = accounts_of(voucher).filter(presence=Presence.PRESENT).select_related("location").order_by("location_id")
    return [row.location for row in rows]
