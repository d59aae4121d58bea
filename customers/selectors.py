"""Reads about customers that depend on who asks, or span merged rows."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from accounts.models import User
from customers.models import Consent, Contact, Customer, CustomerDocument, CustomerEvent, CustomerMerge
from customers.searching import text_found
from locations.selectors import locations_visible_to


def customers_visible_to(user: User) -> QuerySet[Customer]:
    """Every customer for Super Admin and Admin; for an Operator those of his locations.

    Merged rows are among them: old bills point to them. Lists leave them out with `merged_into=None`.
    """
    places = locations_visible_to(user)
    if not places.query.where:
        return Customer.objects.all()
    # the ids themselves: with them the planner knows how many rows a place has, and reads them in order
    return Customer.objects.filter(location__in=list(places.values_list("pk", flat=True)))


def customers_search(user: User, text: str) -> QuerySet[Customer]:
    """This person's customers that answer to `text`: words of the name by their beginning, phone in any spelling, number,
    user name of a service, e-mail address. Merged rows lead to the one that stayed; an empty text finds everybody."""
    rows = customers_visible_to(user)
    found = text_found(text, rows)
    rows = rows.filter(merged_into=None)
    return rows if found is None else rows.filter(found)


def customers_found(text: str, limit: int) -> list[int]:
    """Ids of the customers that answer to `text`, newest first, whoever asks: for rooms that show their own rows of them."""
    rows = Customer.objects.filter(merged_into=None)
    found = text_found(text, Customer.objects.all())
    return [] if found is None else list(rows.filter(found).order_by("-pk").values_list("pk", flat=True)[:limit])


def customers_similar(user: User, customer: Customer, limit: int = 5) -> list[Customer]:
    """Others with the same phone or e-mail address: perhaps the same person, written down twice."""
    same = [Q(**{name: value}) for name in ("phone", "email") if (value := getattr(customer, name))]
    rows = customers_visible_to(user).filter(merged_into=None, erased_at=None).exclude(pk=customer.pk)
    found: dict[int, Customer] = {}
    for condition in same:
        found |= {row.pk: row for row in rows.filter(condition).order_by("-pk")[:limit]}
    return sorted(found.values(), key=lambda row: -row.pk)[:limit]


def family_of(customer: Customer) -> list[int]:
    """The ids shown together: the customer that stayed first, then those merged into it."""
    root = customer.merged_into_id or customer.pk
    return [root, *Customer.objects.filter(merged_into_id=root).order_by("pk").values_list("pk", flat=True)]


def contacts_of(customer: Customer) -> QuerySet[Contact]:
    return Contact.objects.filter(customer_id__in=family_of(customer)).order_by("id")


def documents_of(customer: Customer) -> QuerySet[CustomerDocument]:
    return CustomerDocument.objects.filter(customer_id__in=family_of(customer)).order_by("-id")


def documents_visible_to(user: User) -> QuerySet[CustomerDocument]:
    """Documents of this person's customers and of those merged into them."""
    rows = CustomerDocument.objects.select_related("customer", "uploaded_by")
    places = locations_visible_to(user)
    if not places.query.where:
        return rows
    here = places.values("pk")
    return rows.filter(Q(customer__location__in=here) | Q(customer__merged_into__location__in=here))


def contacts_visible_to(user: User) -> QuerySet[Contact]:
    """Contacts of this person's customers and of those merged into them."""
    places = locations_visible_to(user)
    if not places.query.where:
        return Contact.objects.all()
    here = places.values("pk")
    return Contact.objects.filter(Q(customer__location__in=here) | Q(customer__merged_into__location__in=here))


def consents_of(customer: Customer) -> QuerySet[Consent]:
    """Every yes and no, newest first."""
    return Consent.objects.filter(customer_id__in=family_of(customer)).order_by("-id")


def events_of(customer: Customer) -> QuerySet[CustomerEvent]:
    """What happened to the customer and to those merged into it, newest first."""
    return CustomerEvent.objects.filter(customer_id__in=family_of(customer)).order_by("-id")


def consents_now(customer: Customer) -> dict[tuple[str, str], Consent]:
    """The consent in force by channel and kind: the newest of the whole family."""
    newest: dict[tuple[str, str], Consent] = {}
    for row in consents_of(customer).select_related("actor"):
        newest.setdefault((row.channel, row.kind), row)
    return newest


def consent_given(customer_ids: Iterable[int], *, channel: str, kind: str) -> dict[int, bool]:
    """Yes or no in force of each customer; who never said anything is not in it. One query for many."""
    rows = Consent.objects.filter(customer_id__in=list(customer_ids), channel=channel, kind=kind)
    newest = rows.order_by("customer_id", "-id").distinct("customer_id")
    return dict(newest.values_list("customer_id", "is_granted"))


def merges_of(customer: Customer) -> QuerySet[CustomerMerge]:
    """The merges into this customer that hold, newest first."""
    rows = CustomerMerge.objects.filter(winner=customer, undone_at=None)
    return rows.select_related("loser", "actor").order_by("-id")
