"""Forgetting a person: what tells who it is goes for good, what the books need stays."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import User
from core import clock
from core.events import emit
from customers.events import CustomersErasing
from customers.models import Consent, Contact, Customer, CustomerDocument
from customers.selectors import family_of
from customers.services.documents import files_forget
from customers.services.history import customer_for, customers_lock, event_write, staff_acted

ERASED_NAME = "–"


@transaction.atomic
def customer_erase(
    customer: Customer, *, actor: User | None, ip: str | None = None, now: datetime | None = None
) -> Customer:
    """Replace name, phone, e-mail address, address, notes, area, tags and coordinates; delete contacts and documents.

    Numbers, bills, postings and the history stay, without what people wrote in them: they name nobody. What each room
    forgets stands in docs/architecture.md ("Erasing a person"). Rows merged into the customer are the same person
    and are erased with it. Raises what a room above refuses with: a service still runs, money is open.
    """
    now = now or clock.now()
    fresh = customer_for(customer, actor)
    family = sorted(customers_lock(family_of(fresh)))
    emit(CustomersErasing(tuple(family)))
    Customer.objects.filter(pk__in=family).update(
        name=ERASED_NAME, phone="", phone_typed="", email="", address="", area="", notes="", tags=[], latitude=None,
        longitude=None, is_active=False, erased_at=now, updated_at=now, request_key=None,
    )  # fmt: skip
    Contact.objects.filter(customer_id__in=family).delete()
    Consent.objects.filter(customer_id__in=family).exclude(source="").update(source="")
    files_forget(CustomerDocument.objects.filter(customer_id__in=family))
    for pk in family:
        event_write(pk, "erased", at=now, actor=actor)
    staff_acted(actor, "customer.erased", ip, customer=fresh.pk, number=fresh.number)
    fresh.refresh_from_db()
    return fresh
