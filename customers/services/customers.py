"""Making and changing customers. Money is not theirs to write: balance and debt are sums of the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import clock, formats
from core.db.numbers import numbers_take
from core.errors import DomainError
from customers.checking import NOTES, PERSONAL, customer_clean, text_clean
from customers.models import Customer, CustomerEvent
from customers.services.history import customer_for, event_write, location_allowed, staff_acted
from locations.models import Location
from locations.selectors import locations_visible_to

SEQUENCE = "customer"
MAX_KEY = 64


def customer_create(
    *,
    actor: User | None,
    ip: str | None = None,
    name: str,
    phone: str = "",
    request_key: str | None = None,
    now: datetime | None = None,
    **fields: Any,
) -> Customer:
    """Add a customer; without `number` it gets the next one, `C000123`. The same `request_key` returns the same customer.

    Other fields: email, address, location, latitude, longitude, area, tags, notes, language, is_active. An Operator's
    customer is at his only location unless he names another of his. Raises DomainError with one message per field.
    """
    if request_key is not None and (known := _of_request(request_key)):
        return known
    try:
        return _create({"name": name, "phone": phone, **fields}, actor, ip, request_key, now or clock.now())
    except IntegrityError:
        known = _of_request(request_key) if request_key is not None else None
        if known is None:
            raise _number_taken() from None
        return known


def _of_request(request_key: str) -> Customer | None:
    if not request_key or len(request_key) > MAX_KEY:
        message = _("A request key of 1 to %(n)d characters is needed.") % {"n": MAX_KEY}
        raise DomainError("customer.request_key", message)
    return Customer.objects.filter(request_key=request_key).first()


@transaction.atomic
def _create(
    fields: dict[str, Any], actor: User | None, ip: str | None, request_key: str | None, now: datetime
) -> Customer:
    columns = customer_clean(fields)
    columns["location"] = columns.get("location") or _only_place(actor)
    location_allowed(columns["location"], actor)
    if columns.get("number") and Customer.objects.filter(number=columns["number"]).exists():
        raise _number_taken()
    columns["number"] = columns.get("number") or _free_numbers(1)[0]
    customer = Customer.objects.create(request_key=request_key, **columns)
    customer.refresh_from_db(fields=["balance", "debt"])
    event_write(customer.pk, "created", at=now, actor=actor)
    staff_acted(actor, "customer.added", ip, customer=customer.pk, number=customer.number)
    return customer


@transaction.atomic
def customers_create(
    rows: Sequence[Mapping[str, Any]],
    *,
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
    is_for_good: bool = True,
) -> list[Customer]:
    """Add many at once, with three statements. The rows are checked before (`customer_clean`, free numbers).

    Not `is_for_good`: `customers_forget` may remove them again, so no history begins yet (it only grows).
    Raises DomainError for a row that is wrong, and then adds none.
    """
    now = now or clock.now()
    cleaned = [customer_clean(row) for row in rows]
    for location in {columns.get("location") for columns in cleaned}:
        location_allowed(location, actor)
    unnumbered = [columns for columns in cleaned if not columns.get("number")]
    for columns, number in zip(unnumbered, _free_numbers(len(unnumbered)), strict=True):
        columns["number"] = number
    try:
        with transaction.atomic():
            customers = Customer.objects.bulk_create([Customer(**columns) for columns in cleaned], batch_size=5000)
    except IntegrityError:
        raise _number_taken() from None
    if is_for_good:
        CustomerEvent.objects.bulk_create(
            [CustomerEvent(customer=row, kind="created", at=now, actor=actor) for row in customers], batch_size=5000
        )
    staff_acted(actor, "customer.imported", ip, count=len(customers))
    return customers


@transaction.atomic
def customers_exported(*, actor: User, ip: str | None = None) -> None:
    """Write down that somebody takes a list of customers out of the house."""
    staff_acted(actor, "customer.exported", ip)


def _free_numbers(count: int) -> list[str]:
    """The next numbers nobody has: some may have come with an import."""
    found: list[str] = []
    while len(found) < count:
        numbers = [f"C{value:06d}" for value in numbers_take(SEQUENCE, count - len(found))]
        taken = set(Customer.objects.filter(number__in=numbers).values_list("number", flat=True))
        found += [number for number in numbers if number not in taken]
    return found


def _number_taken() -> DomainError:
    message = _("Another customer has this number already.")
    return DomainError("customer.number_taken", message, fields={"number": message}, status=409)


def _only_place(actor: User | None) -> Location | None:
    """Where an Operator with one location works."""
    if actor is None:
        return None
    places = locations_visible_to(actor)
    mine = list(places.order_by("pk")[:2]) if places.query.where else []
    return mine[0] if len(mine) == 1 else None


@transaction.atomic
def customer_change(
    customer: Customer, *, actor: User | None, ip: str | None = None, now: datetime | None = None, **fields: Any
) -> Customer:
    """Change fields; those not named stay. Nothing changed: nothing is written. Raises DomainError per field.

    The history says which fields changed. Their values it keeps only where they do not tell who somebody is.
    """
    fresh = customer_for(customer, actor)
    columns = customer_clean(_with_other_coordinate(fresh, fields))
    if "number" in columns and columns["number"] != fresh.number:
        _refuse_taken(columns["number"])
    changed = {name: value for name, value in columns.items() if getattr(fresh, name) != value}
    if not changed:
        return fresh
    if "location" in changed:
        location_allowed(changed["location"], actor)
    details = _details(fresh, changed)
    for name, value in changed.items():
        setattr(fresh, name, value)
    fresh.save(update_fields=[*changed, "updated_at"])
    event_write(fresh.pk, "changed", at=now or clock.now(), actor=actor, **details)
    staff_acted(actor, "customer.changed", ip, customer=fresh.pk, number=fresh.number, **details)
    return fresh


def _with_other_coordinate(customer: Customer, fields: Mapping[str, Any]) -> dict[str, Any]:
    """One coordinate alone is judged together with the one that is there."""
    pair = {"latitude", "longitude"}
    given = pair & set(fields)
    return {**fields, **{name: getattr(customer, name) for name in pair - given if given}}


def _refuse_taken(number: str) -> None:
    if not number:
        message = _("Please fill this in.")
        raise DomainError("customer.invalid", message, fields={"number": message})
    if Customer.objects.filter(number=number).exists():
        raise _number_taken()


def _details(customer: Customer, changed: Mapping[str, Any]) -> dict[str, Any]:
    """Names of all changed fields; before and after only of those that tell nothing about the person."""
    names = sorted(set(changed) - {"phone_typed"}) or ["phone"]
    shown = [name for name in names if name not in PERSONAL]
    before = {name: _plain(getattr(customer, name)) for name in shown}
    after = {name: _plain(changed[name]) for name in shown}
    return {"fields": names, "before": before, "after": after}


def _plain(value: Any) -> Any:
    return value.pk if isinstance(value, Location) else value


@transaction.atomic
def customer_note_add(
    customer: Customer, *, text: str, actor: User | None, ip: str | None = None, now: datetime | None = None
) -> Customer:
    """Put a dated line on top of the customer's notes. Raises DomainError for no text, or when the notes are full."""
    now = now or clock.now()
    fresh = customer_for(customer, actor)
    try:
        line = text_clean(text, NOTES, is_required=True, has_lines=True)
        zone = fresh.location.timezone if fresh.location else None
        head = f"{formats.moment(now, zone)} {actor.get_username() if actor else ''}".strip()
        notes = text_clean(f"{head}: {line}\n{fresh.notes}", NOTES, has_lines=True)
    except DomainError as error:
        raise DomainError("customer.note", str(error.message), fields={"text": str(error.message)}) from None
    fresh.notes = notes
    fresh.save(update_fields=["notes", "updated_at"])
    event_write(fresh.pk, "noted", at=now, actor=actor)
    staff_acted(actor, "customer.noted", ip, customer=fresh.pk, number=fresh.number)
    return fresh
