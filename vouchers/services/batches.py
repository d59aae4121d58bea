"""Ordering and cancelling batches. The codes themselves are made in the background (`generation`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from billing.choices import PlanType
from billing.models import Plan
from billing.selectors import publications
from billing.services.placing import place_choose
from core import clock
from core.db.transition import transition_set
from core.errors import DomainError, TransitionError
from core.kick import kick
from core.money import quantise
from locations.models import Location, LocationGroup, RouterState
from locations.selectors import location_counts, locations_visible_to
from locations.services import choice_assign
from vouchers.choices import BATCH_MOVES, BatchStatus, CharacterSet, CodeMode, PushAt
from vouchers.codes import code_space_check
from vouchers.models import BatchLocation, VoucherBatch
from vouchers.selectors import batches_visible_to, existing_codes
from vouchers.services.entries import refuse_unpublished
from vouchers.services.history import staff_acted

MAX_ENTRIES = 1_000_000  # router entries of one batch: quantity times locations
# Models with little memory and a slow CPU (domain.md 2.8, 2.10). RouterOS boards name themselves like this.
SMALL_ROUTERS = re.compile(
    r"hAP (lite|mini)|\bmAP|hEX|RB ?(7[0-9]{2}|93[0-9]|94[0-9]|95[0-9]|260|411|433|450)", re.IGNORECASE
)
SMALL_ROUTER_ENTRIES = 2_000
ORDERED_FIELDS = {"name", "quantity", "prefix", "length", "charset", "mode", "push_at", "price", "price_cost", "note"}
LARGE_ROUTER_ENTRIES = 20_000


@transaction.atomic
def batch_create(
    *,
    plan: Plan,
    locations: Sequence[Location] = (),
    group: LocationGroup | None = None,
    quantity: int,
    name: str = "",
    prefix: str = "",
    length: int = 8,
    charset: str = CharacterSet.UNAMBIGUOUS,
    mode: str = CodeMode.SAME,
    push_at: str = PushAt.CREATION,
    price: Decimal | int | str | None = None,
    price_cost: Decimal | int | str | None = None,
    note: str = "",
    actor: User | None,
    ip: str | None = None,
    request_key: str | None = None,
) -> VoucherBatch:
    """Order a batch; price, cost and terms are frozen now, codes follow in the background.

    Without `locations` the `group` chooses one, and why is written down (`locations.selectors.choice_for`). The same
    `request_key` returns the batch it made. Raises DomainError naming the fields that are wrong.
    """
    if request_key and (known := _batch_of_request(request_key, actor)):
        return known
    batch = VoucherBatch(
        plan=plan, name=name.strip() or f"{plan.name} {clock.now():%Y-%m-%d}"[:80], quantity=quantity,
        prefix=prefix.strip().upper(), length=length, charset=charset, mode=mode, push_at=push_at,
        note=note.strip(), created_by=actor, request_key=request_key or None,
        duration_seconds=plan.duration_seconds, validity_from=plan.validity_from,
        uptime_limit_seconds=plan.uptime_limit_seconds, data_limit_bytes=plan.data_limit_bytes,
        is_mac_locked=plan.is_mac_locked,
    )  # fmt: skip
    _validate(batch, plan, price, price_cost)
    choice = None if locations or group is None else place_choose(plan, group, actor=actor, now=clock.now())
    locations = [choice.location] if choice else locations
    places = sorted({row.pk: row for row in locations}.values(), key=lambda row: row.pk)
    _validate_places(batch, places, actor)
    code_space_check(
        quantity=batch.quantity, length=batch.length, charset=batch.charset,
        existing=existing_codes(prefix=batch.prefix, length=batch.length, charset=batch.charset),
    )  # fmt: skip
    try:
        with transaction.atomic():
            batch.save()
    except IntegrityError:
        known = _batch_of_request(request_key or "", actor)
        if known is None:
            raise
        return known
    if choice and choice.record:
        choice_assign(choice.record, subject=f"voucherbatch:{batch.pk}")
    BatchLocation.objects.bulk_create([BatchLocation(batch=batch, location=place) for place in places])
    staff_acted(
        actor, "batch.created", ip, batch=batch.pk, plan=plan.pk, quantity=batch.quantity, price=str(batch.price),
        locations=[place.pk for place in places],
    )  # fmt: skip
    kick("vouchers.tasks.batch_generate", batch.pk, queue="batches")
    return batch


def _batch_of_request(request_key: str, actor: User | None) -> VoucherBatch | None:
    batch = VoucherBatch.objects.filter(request_key=request_key).first()
    if batch and batch.created_by_id != (actor.pk if actor else None):
        raise DomainError("batch.request_key", _("This request was already used by someone else."), status=409)
    return batch


def _validate(
    batch: VoucherBatch, plan: Plan, price: Decimal | int | str | None, price_cost: Decimal | int | str | None
) -> None:
    problems: dict[str, str] = {}
    if plan.type != PlanType.HOTSPOT:
        problems["plan"] = _("Vouchers need a hotspot plan.")
    elif not plan.is_active:
        problems["plan"] = _("This plan is not on sale.")
    for field, given, default in (("price", price, plan.price_sell), ("price_cost", price_cost, plan.price_cost)):
        try:
            amount = quantise(default if given is None else given)
        except (DomainError, TypeError):
            amount = Decimal(-1)
        if amount < 0:
            problems[field] = _("Write an amount of money, 0 or more.")
        setattr(batch, field, amount)
    try:
        others = {field.name for field in VoucherBatch._meta.fields} - ORDERED_FIELDS
        batch.clean_fields(exclude=others | set(problems))
    except ValidationError as error:
        problems |= {name: " ".join(messages) for name, messages in error.message_dict.items()}
    if problems:
        raise DomainError("batch.invalid", _("The batch was not made: some values are not right."), fields=problems)


def _validate_places(batch: VoucherBatch, places: Sequence[Location], actor: User | None) -> None:
    if not places:
        message = _("Choose at least one location.")
        raise DomainError("batch.invalid", message, fields={"locations": message})
    if actor is not None:
        visible = set(locations_visible_to(actor).values_list("pk", flat=True))
        if any(place.pk not in visible for place in places):
            message = _("You can make vouchers for your own locations only.")
            raise DomainError("batch.not_your_location", message, fields={"locations": message}, status=403)
    asleep = [place.name for place in places if not place.is_active]
    if asleep:
        message = _("Not active: %(names)s.") % {"names": ", ".join(asleep)}
        raise DomainError("batch.invalid", message, fields={"locations": message})
    if batch.quantity * len(places) > MAX_ENTRIES and batch.push_at == PushAt.CREATION:
        message = _(
            "That would be more than %(n)s router entries. Make smaller batches or put them on routers at sale."
        )
        message = message % {"n": f"{MAX_ENTRIES:,}"}
        raise DomainError("batch.too_large", message, fields={"quantity": message})
    refuse_unpublished(places, publications(batch.plan_id, [place.pk for place in places]))


@transaction.atomic
def batch_cancel(batch: VoucherBatch, *, actor: User | None, ip: str | None = None) -> VoucherBatch:
    """Stop a batch that is not ready: no voucher of it will exist. A running generation sees it within a second.

    Raises TransitionError when it is too late, DomainError (404) for a batch of other people's locations.
    """
    if actor is not None and not batches_visible_to(actor).filter(pk=batch.pk).exists():
        raise DomainError("batch.not_found", _("There is no such batch at your locations."), status=404)
    row = VoucherBatch.objects.filter(pk=batch.pk)
    queued = row.filter(status=BatchStatus.QUEUED)
    is_stopped = transition_set(queued, to=BatchStatus.CANCELLED, allowed=BATCH_MOVES, finished_at=clock.now())
    if not is_stopped and not row.filter(status=BatchStatus.GENERATING).update(is_cancel_requested=True):
        raise TransitionError(_("This batch is finished already; there is nothing to cancel."), code="batch.finished")
    staff_acted(actor, "batch.cancelled", ip, batch=batch.pk)
    batch.refresh_from_db()
    return batch


@dataclass(frozen=True)
class BatchWarning:
    """`code` is stable (`small_router`, `many_entries`); `sentence` says what to do."""

    code: str
    location_id: int
    sentence: str


def batch_warnings(
    *, locations: Sequence[Location], quantity: int, push_at: str, made: VoucherBatch | None = None
) -> list[BatchWarning]:
    """What a person should know before putting that many entries on these routers.

    Counted are what a router told us or what we want on it, whichever is more, and the batches on their way there;
    `made` is the asked batch itself, once it is ordered.
    """
    if push_at != PushAt.CREATION:
        return []
    states = {row.location_id: row for row in RouterState.objects.filter(location__in=[row.pk for row in locations])}
    coming = _coming(locations, made)
    warnings = []
    for location in locations:
        state = states.get(location.pk)
        model = state.model if state else ""
        known = (state.entry_count or 0) if state else 0
        total = quantity + max(known, location_counts(location.pk).wanted) + coming.get(location.pk, 0)
        is_small = bool(SMALL_ROUTERS.search(model))
        if total <= (SMALL_ROUTER_ENTRIES if is_small else LARGE_ROUTER_ENTRIES):
            continue
        code = "small_router" if is_small else "many_entries"
        warnings.append(BatchWarning(code, location.pk, _warning(location.name, model, total)))
    return warnings


def _coming(locations: Sequence[Location], made: VoucherBatch | None) -> dict[int, int]:
    """Codes still to be made for each of these routers, by location."""
    rows = BatchLocation.objects.filter(
        location__in=[row.pk for row in locations], batch__push_at=PushAt.CREATION,
        batch__status__in=[BatchStatus.QUEUED, BatchStatus.GENERATING],
    ).exclude(batch=made)  # fmt: skip
    return dict(rows.values_list("location").annotate(Sum("batch__quantity")).order_by())


def _warning(name: str, model: str, total: int) -> str:
    router = f"{name} ({model})" if model else name
    first = ngettext(
        "%(router)s would hold %(n)s entry.", "%(router)s would hold %(n)s entries.", total
    ) % {"router": router, "n": f"{total:,}"}  # fmt: skip
    return first + " " + _("That slows it down: put these vouchers on the router when they are sold.")
