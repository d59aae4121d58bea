"""One bill for many services at once (a new router for everybody, a yearly fee): ordered, done in the background, resumable.

Services are taken in the order of their keys, 5,000 in a transaction that also moves the cursor and the count. A worker
that is killed loses its open chunk and nothing else; the next one goes on behind the cursor. `heartbeat_at` is the lease,
renewed with each chunk by compare-and-set: of two workers one commits, and a cancel is heard at the next chunk. Were a
chunk repeated all the same, its sources (`run:<run>:<service>`) would be known.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import RUN_MOVES, RUNNING, LineKind, RunStatus, TaxMode
from billing.ledger import chart
from billing.models import BillingRun, Subscription
from billing.services.amounts import amount_positive
from billing.services.invoices_acting import staff_acted
from billing.services.invoices_drafts import DraftLine, InvoiceDraft
from billing.services.invoices_issuing import invoices_issue
from billing.services.settling import balance_apply
from core import clock
from core.db.transition import transition, transition_set
from core.error_log import error_record
from core.errors import DomainError, TransitionError
from core.formats import local
from core.kick import kick
from locations.selectors import locations_visible_to

logger = logging.getLogger(__name__)
KIND = "invoices"
CHUNK = 5_000
LEASE = timedelta(seconds=120)
QUEUE_GRACE = timedelta(seconds=20)
TASK = "billing.tasks.bills_run"


class _Stopped(Exception):
    """A cancel, or another worker has the run: the open chunk is rolled back."""


@dataclass(frozen=True)
class BulkOrder:
    """What to bill to whom. Nothing chosen means all: every running service this person may see."""

    text: str
    amount: Decimal | int | str
    due_on: date
    tax_mode: str = TaxMode.NONE
    location_id: int | None = None
    plan_id: int | None = None


def bulk_count(order: BulkOrder, actor: User | None) -> int:
    """How many bills it would be, for the screen that asks before."""
    return _services(_params(order, actor)).count()


@transaction.atomic
def bulk_order(
    order: BulkOrder, *, request_key: str, now: datetime, actor: User | None, ip: str | None = None
) -> BillingRun:
    """Order the run; the bills follow in the background. The same `request_key` returns the run it made.

    Raises DomainError naming the fields that are wrong, or when there is nobody to bill.
    """
    if known := _of_request(request_key, actor):
        return known
    params = _params(order, actor)
    if order.due_on < local(now).date():
        raise _refusal("due_on", _("Not before today."))
    total = _services(params).count()
    if not total:
        raise _refusal("location", _("There is no running service to bill."))
    run = BillingRun(
        kind=KIND, location_id=order.location_id, day=local(now).date(), params=params, total=total, created_by=actor,
        request_key=request_key,
    )  # fmt: skip
    try:
        with transaction.atomic():
            run.save()
    except IntegrityError:
        known = _of_request(request_key, actor)
        if known is None:
            raise
        return known
    staff_acted(actor, "bills.ordered", ip, run=run.pk, bills=total, text=order.text.strip(), amount=params["amount"])
    kick(TASK, run.pk, queue="batches")
    return run


def _of_request(request_key: str, actor: User | None) -> BillingRun | None:
    run = BillingRun.objects.filter(request_key=request_key).first()
    if run and (run.kind != KIND or run.created_by_id != (actor.pk if actor else None)):
        raise DomainError("run.request_key", _("This request was already used by someone else."), status=409)
    return run


def _refusal(field: str, message: str) -> DomainError:
    return DomainError("run.invalid", message, fields={field: message})


def _params(order: BulkOrder, actor: User | None) -> dict[str, Any]:
    """The order as it is kept, checked. `locations` are the places of the person who ordered, as they are now."""
    text = order.text.strip()
    if not 1 <= len(text) <= 200:
        raise _refusal("text", _("Write what it is for, in at most 200 characters."))
    if order.tax_mode not in TaxMode.values:
        raise _refusal("tax_mode", _("Choose how tax is counted."))
    places: list[int] | None = None
    if actor is not None and (visible := locations_visible_to(actor)).query.where:
        places = list(visible.values_list("pk", flat=True))
    if order.location_id is not None:
        if places is not None and order.location_id not in places:
            raise _refusal("location", _("Choose one of your locations."))
        places = [order.location_id]
    return {
        "text": text, "amount": str(amount_positive(order.amount)), "due_on": order.due_on.isoformat(),
        "tax_mode": str(order.tax_mode), "locations": places, "plan": order.plan_id, "after": 0,
    }  # fmt: skip


def _services(params: dict[str, Any]) -> QuerySet[Subscription]:
    rows = Subscription.objects.filter(status__in=RUNNING)
    if params["locations"] is not None:
        rows = rows.filter(location__in=params["locations"])
    if params["plan"] is not None:
        rows = rows.filter(plan=params["plan"])
    return rows


def bills_run(run_id: int, *, now: datetime | None = None) -> None:
    """Work on the run until it is done, cancelled or failed with the reason. Safe to call again at any time.

    Must not be called inside a transaction. When the database goes away, `bills_runs_resume` starts it again.
    """
    lease = _claim(run_id, now or clock.now())
    try:
        while lease is not None:
            lease = _chunk(run_id, lease, now or clock.now())
    except _Stopped:
        cancelled = BillingRun.objects.filter(pk=run_id, is_cancel_requested=True)
        transition_set(cancelled, to=RunStatus.CANCELLED, allowed=RUN_MOVES, finished_at=clock.now())
    except DomainError as error:
        _fail(run_id, error.message)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        error_record(source="billing.bills_run", error=error)
        _fail(run_id, _("An unexpected problem: %(kind)s.") % {"kind": type(error).__name__})


def _claim(run_id: int, now: datetime) -> datetime | None:
    """Take the run if it waits, or if its worker went silent. Of two claimers the UPDATE lets one through."""
    free = Q(status=RunStatus.QUEUED) | Q(status=RunStatus.RUNNING, heartbeat_at__lt=now - LEASE)
    lease = clock.now()
    rows = BillingRun.objects.filter(free, pk=run_id, kind=KIND)
    return lease if rows.update(status=RunStatus.RUNNING, heartbeat_at=lease, error="") else None


def _chunk(run_id: int, lease: datetime, now: datetime) -> datetime | None:
    """The next 5,000; the new lease, or None when the run is done."""
    with transaction.atomic():
        run = BillingRun.objects.get(pk=run_id)
        services = list(
            _services(run.params)
            .filter(pk__gt=run.params["after"])
            .order_by("pk")
            .values_list("pk", "customer_id", "location_id", "plan_id")[:CHUNK]
        )
        issued = invoices_issue([_draft(run, *service) for service in services], now=now) if services else 0
        fresh = clock.now()
        changes: dict[str, Any] = {"heartbeat_at": fresh}
        if services:
            changes |= {
                "done": run.done + len(services), "params": run.params | {"after": services[-1][0]},
                "outcome": {"issued": run.outcome.get("issued", 0) + issued},
            }  # fmt: skip
        mine = BillingRun.objects.filter(
            pk=run_id, status=RunStatus.RUNNING, heartbeat_at=lease, is_cancel_requested=False
        )
        if not mine.update(**changes):
            raise _Stopped
        if not services:
            done = BillingRun.objects.filter(pk=run_id)
            transition(done, to=RunStatus.DONE, allowed=RUN_MOVES, finished_at=fresh, heartbeat_at=None)
            return None
    balance_apply([customer_id for _pk, customer_id, *_rest in services], now=now)
    return fresh


def _draft(run: BillingRun, service_id: int, customer_id: int, location_id: int, plan_id: int) -> InvoiceDraft:
    params = run.params
    text, amount = str(params["text"]), Decimal(params["amount"])
    line = DraftLine(
        LineKind.MANUAL, amount, chart.INCOME_OTHER, {"text": text}, text, plan_id=plan_id, subscription_id=service_id
    )
    day = run.day or local(run.created_at).date()
    return InvoiceDraft(
        customer_id, [line], f"run:{run.pk}:{service_id}", day, date.fromisoformat(params["due_on"]),
        tax_mode=params["tax_mode"], subscription_id=service_id, location_id=location_id,
    )  # fmt: skip


def _fail(run_id: int, error: str) -> None:
    rows = BillingRun.objects.filter(pk=run_id)
    transition_set(rows, to=RunStatus.FAILED, allowed=RUN_MOVES, finished_at=clock.now(), error=error[:300])


@transaction.atomic
def bills_run_cancel(run: BillingRun, *, actor: User | None, ip: str | None = None) -> BillingRun:
    """Stop the run: bills that are issued stay, no more follow. Raises TransitionError when it is over."""
    row = BillingRun.objects.filter(pk=run.pk, kind=KIND)
    waiting = row.filter(status=RunStatus.QUEUED)
    is_stopped = transition_set(waiting, to=RunStatus.CANCELLED, allowed=RUN_MOVES, finished_at=clock.now())
    if not is_stopped and not row.filter(status=RunStatus.RUNNING).update(is_cancel_requested=True):
        raise TransitionError(_("This is finished already; there is nothing to cancel."), code="run.finished")
    staff_acted(actor, "bills.cancelled", ip, run=run.pk)
    run.refresh_from_db()
    return run


def bills_runs_resume(*, now: datetime | None = None) -> int:
    """Start what waits and nobody works on: a kick that was lost, a worker that died. Returns how many were started."""
    now = now or clock.now()
    runs = BillingRun.objects.filter(kind=KIND)
    dead = runs.filter(status=RunStatus.RUNNING, heartbeat_at__lt=now - LEASE)
    stopped = dead.filter(is_cancel_requested=True)
    transition_set(stopped, to=RunStatus.CANCELLED, allowed=RUN_MOVES, finished_at=now)
    waiting = runs.filter(status=RunStatus.QUEUED, created_at__lt=now - QUEUE_GRACE)
    ids = sorted({*dead.values_list("pk", flat=True), *waiting.values_list("pk", flat=True)})
    for run_id in ids:
        kick(TASK, run_id, queue="batches", expires_seconds=30)
    return len(ids)
