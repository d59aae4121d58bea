"""Making a batch's vouchers: one transaction, all or nothing, seen from outside while it runs, healed when killed.

`heartbeat_at` is the lease: the worker that claimed the batch renews it by compare-and-set on a second connection,
and the final step asks for the same value. A worker that lost it (stalled, another one took over) rolls back, so a
batch is never made twice.
"""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

import psycopg
from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from billing.models import PlanLocation
from core import clock
from core.db.copy import copy_rows
from core.db.locks import try_advisory_lock
from core.db.side import side_connection
from core.db.transition import transition_set
from core.error_log import error_record
from core.errors import DomainError
from core.fields import encrypt
from core.kick import kick
from locations.choices import Priority
from locations.services import accounts_copy
from vouchers.choices import BATCH_MOVES, BatchStatus, CodeMode, PushAt, VoucherStatus
from vouchers.codes import code_space, codes_draw, passwords_draw
from vouchers.models import MAX_QUANTITY, BatchLocation, Voucher, VoucherBatch
from vouchers.selectors import publications_of
from vouchers.services.entries import limit_uptime, refuse_unpublished
from vouchers.services.retry import is_deadlock

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
QUEUE_GRACE = timedelta(seconds=20)
ATTEMPTS = 5
TICK_SECONDS = 0.3
TURN_SECONDS = 0.1
TURNS = 0x6D62_0001 << 32  # our advisory locks for code families
LIKELY_MEETINGS = 0.5  # codes that two batches drawing at once are expected to have in common
TICK_ROWS = 500
CHECK_CHUNK = 10_000
VOUCHER_COLUMNS = ("batch_id", "plan_id", "code", "password", "status", "created_at")
Row = TypeVar("Row")


class Cancelled(Exception):
    """A person asked to stop."""


class LeaseLost(Exception):
    """Another worker has this batch now."""


def batch_generate(batch_id: int, *, now: datetime | None = None) -> None:
    """Make the batch's vouchers and, if they go on routers at once, their accounts. Safe to call again at any time.

    Ends in ready, cancelled (no voucher exists) or failed with the reason (no voucher exists). Returns silently
    when another worker has the batch. Must not be called inside a transaction.
    """
    lease = _claim(batch_id, now or clock.now())
    if lease is None:
        return
    batch = VoucherBatch.objects.select_related("plan").get(pk=batch_id)
    try:
        with side_connection() as side:
            _generate(batch, Progress(side, batch, lease), now)
    except Cancelled:
        _finish(batch_id, BatchStatus.CANCELLED, "")
    except LeaseLost:
        logger.warning("batch %d was taken over by another worker", batch_id)
    except DomainError as error:
        _finish(batch_id, BatchStatus.FAILED, error.message)
    except SoftTimeLimitExceeded:
        _finish(batch_id, BatchStatus.FAILED, _("It took too long. Make smaller batches."))
    except (OperationalError, InterfaceError):
        raise  # the database went away: the lease runs out and `batches_resume` starts it again
    except Exception as error:
        error_record(source="vouchers.batch_generate", error=error)
        _finish(batch_id, BatchStatus.FAILED, _("An unexpected problem: %(kind)s.") % {"kind": type(error).__name__})


def batches_resume(*, now: datetime | None = None) -> int:
    """Start what waits and nobody works on: queued batches whose kick was lost, and those whose worker died.

    Returns how many were started. A dead worker's transaction is gone, so nothing has to be cleaned up.
    """
    now = now or clock.now()
    dead = VoucherBatch.objects.filter(status=BatchStatus.GENERATING, heartbeat_at__lt=now - LEASE)
    transition_set(
        dead.filter(is_cancel_requested=True),
        to=BatchStatus.CANCELLED, allowed=BATCH_MOVES, finished_at=now, progress=0,
    )  # fmt: skip
    waiting = VoucherBatch.objects.filter(status=BatchStatus.QUEUED, created_at__lt=now - QUEUE_GRACE)
    ids = sorted({*dead.values_list("pk", flat=True), *waiting.values_list("pk", flat=True)})
    for batch_id in ids:
        kick("vouchers.tasks.batch_generate", batch_id, queue="batches", expires_seconds=30)
    return len(ids)


def _claim(batch_id: int, now: datetime) -> datetime | None:
    """Take the batch if it waits, or if its worker went silent. Of two claimers the UPDATE lets one through."""
    free = Q(status=BatchStatus.QUEUED) | Q(status=BatchStatus.GENERATING, heartbeat_at__lt=now - LEASE)
    lease = clock.now()
    rows = VoucherBatch.objects.filter(free, pk=batch_id)
    is_mine = rows.update(status=BatchStatus.GENERATING, heartbeat_at=lease, progress=0, error="")
    return lease if is_mine else None


def _finish(batch_id: int, status: str, error: str) -> None:
    """Close a batch that made nothing."""
    rows = VoucherBatch.objects.filter(pk=batch_id, status=BatchStatus.GENERATING)
    transition_set(
        rows, to=status, allowed=BATCH_MOVES, finished_at=clock.now(), progress=0, error=error[:300], heartbeat_at=None
    )


class Progress:
    """Tells the outside how far the transaction is, keeps the lease, and hears a cancel. Costs nothing per row."""

    def __init__(self, side: psycopg.Connection[Any], batch: VoucherBatch, lease: datetime) -> None:
        self.side, self.batch, self.lease = side, batch, lease
        self.done, self.steps = 0, max(1, batch.quantity)
        self._next = 0.0

    def start(self, steps: int) -> None:
        self.done, self.steps = 0, max(1, steps)
        self.tick()

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass the rows on, ticking on the way."""
        for count, row in enumerate(rows):
            if count % TICK_ROWS == 0:
                self.tick_if_due(count)
            yield row

    def tick_if_due(self, extra: int = 0) -> None:
        if time.monotonic() >= self._next:
            self.tick(extra)

    def tick(self, extra: int = 0) -> None:
        """Raises Cancelled or LeaseLost."""
        lease = clock.now()
        generated = min(self.batch.quantity, self.batch.quantity * (self.done + extra) // self.steps)
        cursor = self.side.execute(
            "UPDATE vouchers_voucherbatch SET heartbeat_at = %s, progress = %s"
            " WHERE id = %s AND status = 'generating' AND heartbeat_at = %s RETURNING is_cancel_requested",
            (lease, generated, self.batch.pk, self.lease),
        )
        row = cursor.fetchone()
        if row is None:
            raise LeaseLost
        if row[0]:
            raise Cancelled
        self.lease = lease
        self._next = time.monotonic() + TICK_SECONDS


def _generate(batch: VoucherBatch, progress: Progress, now: datetime | None) -> None:
    """Try with fresh codes until a transaction goes through; another process may take a code between look and COPY."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _generate_once(batch, progress, now or clock.now())
            return
        except IntegrityError:
            logger.info("batch %d: a code was taken meanwhile, attempt %d", batch.pk, attempt)
        except OperationalError as error:
            if not is_deadlock(error):
                raise
            logger.info("batch %d: dead-lock, attempt %d", batch.pk, attempt)
    raise DomainError(
        "batch.collisions",
        _("%(n)d attempts met codes that already exist. Use a longer code or another prefix.") % {"n": ATTEMPTS},
    )


def _generate_once(batch: VoucherBatch, progress: Progress, now: datetime) -> None:
    publications = _publications(batch)
    progress.start(batch.quantity * (1 + len(publications)))
    with transaction.atomic():
        _wait_for_turn(batch, progress)
        codes = _fresh_codes(batch, [row.location_id for row in publications], progress)
        stored = _passwords(batch, progress)
        rows = (
            (batch.pk, batch.plan_id, code, password, VoucherStatus.NEW, now)
            for code, password in zip(codes, stored, strict=True)
        )
        progress.done += copy_rows(Voucher, VOUCHER_COLUMNS, progress.watch(rows))
        for row in publications:
            progress.done += accounts_copy(
                profile=row.profile,
                tag=batch.tag,
                logins=progress.watch(zip(codes, stored, strict=True)),
                limit_uptime_seconds=limit_uptime(batch, batch.plan.shared_users),
                limit_bytes=batch.data_limit_bytes,
                is_mac_locked=batch.is_mac_locked,
                priority=Priority.BULK,
                now=now,
            )
        progress.tick()
        _conclude(batch, progress.lease)


def _publications(batch: VoucherBatch) -> list[PlanLocation]:
    """Where its accounts go now: nowhere when they are put on routers at sale."""
    if batch.push_at != PushAt.CREATION:
        return []
    publications = publications_of(batch)
    links = BatchLocation.objects.filter(batch=batch).select_related("location")
    refuse_unpublished([link.location for link in links], {row.location_id: row for row in publications})
    return publications


def _passwords(batch: VoucherBatch, progress: Progress) -> list[str | None]:
    """Stored forms; NULL means "the same as the code"."""
    if batch.mode != CodeMode.SEPARATE:
        return [None] * batch.quantity
    return [encrypt(word) for word in progress.watch(passwords_draw(batch.quantity, batch.charset))]


def _wait_for_turn(batch: VoucherBatch, progress: Progress) -> None:
    """Batches of one kind take turns when their codes are so few that two at once would surely meet.

    Each would wait for the other's codes, fail and start over; taking turns is faster and always ends.
    """
    if batch.quantity * MAX_QUANTITY < code_space(batch.length, batch.charset) * LIKELY_MEETINGS:
        return
    key = TURNS + zlib.crc32(f"{batch.prefix}|{batch.length}|{batch.charset}".encode())
    while not try_advisory_lock(key):
        progress.tick()
        time.sleep(TURN_SECONDS)


def _conclude(batch: VoucherBatch, lease: datetime) -> None:
    """Ready, in the same transaction as the vouchers; refused if someone cancelled or took over meanwhile."""
    mine = VoucherBatch.objects.filter(pk=batch.pk, heartbeat_at=lease, is_cancel_requested=False)
    is_ready = transition_set(
        mine,
        to=BatchStatus.READY,
        allowed=BATCH_MOVES,
        progress=F("quantity"),
        finished_at=clock.now(),
        heartbeat_at=None,
    )
    if is_ready:
        return
    if VoucherBatch.objects.filter(pk=batch.pk, heartbeat_at=lease, is_cancel_requested=True).exists():
        raise Cancelled
    raise LeaseLost


def _fresh_codes(batch: VoucherBatch, location_ids: list[int], progress: Progress) -> list[str]:
    """Codes that nobody has now: no voucher of ours, and no account at these locations (a person's name, say)."""
    good: set[str] = set()
    taken: set[str] = set()
    while len(good) < batch.quantity:
        drawn = codes_draw(
            quantity=batch.quantity - len(good), prefix=batch.prefix, length=batch.length, charset=batch.charset,
            taken=taken | good,
        )  # fmt: skip
        clashes: set[str] = set()
        for start in range(0, len(drawn), CHECK_CHUNK):
            clashes |= _existing(drawn[start : start + CHECK_CHUNK], location_ids)
            progress.tick_if_due()
        good.update(code for code in drawn if code not in clashes)
        taken |= clashes
    return sorted(good)


def _existing(codes: list[str], location_ids: list[int]) -> set[str]:
    """One array parameter instead of 10,000: turning parameters into SQL would cost more than the look-up."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT code FROM vouchers_voucher WHERE code = ANY(%s)", [codes])
        found = {row[0] for row in cursor.fetchall()}
        if location_ids:
            cursor.execute(
                "SELECT name FROM locations_accessaccount"
                " WHERE location_id = ANY(%s) AND kind = 'hotspot' AND name = ANY(%s)",
                [location_ids, codes],
            )
            found.update(row[0] for row in cursor.fetchall())
    return found
