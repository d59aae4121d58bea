"""Giving a voucher more time, also after it ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.models import TEN_YEARS
from core import clock
from core.db.transition import transition
from core.errors import DomainError, TransitionError
from locations.choices import Priority
from vouchers.choices import VOUCHER_MOVES, VoucherStatus
from vouchers.models import Voucher
from vouchers.selectors import locations_of
from vouchers.services.entries import Usage, entries_put
from vouchers.services.history import event_write, staff_acted, voucher_for
from vouchers.services.retry import deadlock_retried


@deadlock_retried
@transaction.atomic
def voucher_extend(
    voucher: Voucher, *, seconds: int, actor: User | None, ip: str | None = None, now: datetime | None = None
) -> Voucher:
    """Add paid time. A running voucher gets it at its end; an expired one lives again for that long from now.

    Its online time limit, if it has one, grows by the same amount. Raises DomainError for a senseless amount and
    TransitionError (`voucher.not_extendable`) when it is void, not started, endless, or out of data.
    """
    now = now or clock.now()
    if not 60 <= seconds <= TEN_YEARS:
        message = _("Give at least a minute and at most ten years.")
        raise DomainError("voucher.seconds", message, fields={"seconds": message})
    fresh = voucher_for(voucher, actor)
    usage = Usage(fresh)
    _refuse_senseless(fresh, usage)
    before, valid_until = fresh.valid_until, _new_end(fresh, seconds, now)
    _store(fresh, valid_until)
    entries_put(
        fresh, locations_of(fresh), valid_until=valid_until, limit_bytes=_data_limit(fresh, usage),
        limit_uptime_seconds=_new_limit(fresh, usage, seconds), priority=Priority.PAID,
    )  # fmt: skip
    details = {
        "seconds": seconds,
        "before": before.isoformat() if before else None,
        "after": valid_until.isoformat() if valid_until else None,
    }
    event_write(fresh.pk, "extended", at=now, actor=actor, status=fresh.status, **details)
    staff_acted(actor, "voucher.extended", ip, voucher=fresh.pk, code=fresh.code, **details)
    fresh.refresh_from_db()
    return fresh


def _refuse_senseless(voucher: Voucher, usage: Usage) -> None:
    sentence = None
    if voucher.status == VoucherStatus.VOID:
        sentence = _("Voucher %(code)s is void and stays void.")
    elif voucher.status == VoucherStatus.NEW or (voucher.valid_until is None and voucher.used_at is None):
        sentence = _("Voucher %(code)s has not started; its whole time is still there.")
    elif voucher.valid_until is None and voucher.batch.uptime_limit_seconds is None:
        sentence = _("Voucher %(code)s has no time limit.")
    elif _data_left(voucher, usage) == 0:
        sentence = _("The data of voucher %(code)s is used up; more time would not help.")
    if sentence:
        raise TransitionError(sentence % {"code": voucher.code}, code="voucher.not_extendable")


def _new_end(voucher: Voucher, seconds: int, now: datetime) -> datetime | None:
    if voucher.valid_until is None:
        return None  # only its online time ends it
    # an end that has passed but was not taken in yet counts as over
    start = now if voucher.status == VoucherStatus.EXPIRED else max(now, voucher.valid_until)
    return start + timedelta(seconds=seconds)


def _new_limit(voucher: Voucher, usage: Usage, seconds: int) -> int | None:
    """The online limit an entry was born with must not cut the new time short.

    Without an online limit in its terms the end of the validity is enough; the router gets that as a limit too.
    """
    if voucher.batch.uptime_limit_seconds is None:
        return None
    if voucher.status == VoucherStatus.EXPIRED:
        return (usage.uptime_seconds if usage.has_entries else 0) + seconds
    limit = usage.limit_uptime_seconds or voucher.batch.uptime_limit_seconds
    return max(limit, usage.uptime_seconds) + seconds


def _data_left(voucher: Voucher, usage: Usage) -> int | None:
    limit = voucher.batch.data_limit_bytes
    return None if limit is None else max(0, limit - usage.bytes)


def _data_limit(voucher: Voucher, usage: Usage) -> int | None:
    """Entries that still exist keep counting towards the whole amount; new ones get what is left."""
    return voucher.batch.data_limit_bytes if usage.has_entries else _data_left(voucher, usage)


def _store(voucher: Voucher, valid_until: datetime | None) -> None:
    rows = Voucher.objects.filter(pk=voucher.pk)
    if voucher.status != VoucherStatus.EXPIRED:
        rows.update(valid_until=valid_until)
        return
    # never seen on a router, its time ran from the sale: it is sold again, not "in use"
    to = VoucherStatus.ACTIVE if voucher.used_at else VoucherStatus.SOLD
    transition(rows, to=to, allowed=VOUCHER_MOVES, valid_until=valid_until, ended_at=None)
