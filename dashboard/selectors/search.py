"""Customers found by what people say on the phone, and the lists behind the numbers of the landing page. Paged by key."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy

from accounts.models import User
from billing.choices import SubscriptionStatus
from billing.selectors import subscriptions_visible_to
from core.words import Words
from customers.models import Customer
from customers.selectors import customers_search, customers_visible_to
from dashboard import links
from dashboard.selectors.home import customers_owing, isolated_today
from dashboard.words import balance_words, service_words

PAGE = 25
SERVICES_SHOWN = 200  # of a whole page: a customer with a thousand services must not make it long
_KEY = re.compile(r"(\d{1,16}(?:\.\d{1,2})?)_(\d{1,18})", re.ASCII)


@dataclass(frozen=True)
class ServiceLine:
    name: str
    words: Words


@dataclass(frozen=True)
class Row:
    customer: Customer
    balance: Words
    services: Sequence[ServiceLine]
    url: str


@dataclass(frozen=True)
class Found:
    """`older` is the key of the next page, "" at the end."""

    rows: Sequence[Row]
    older: str


def _isolated(user: User, now: datetime) -> QuerySet[Customer]:
    services = subscriptions_visible_to(user).filter(customer=OuterRef("pk"), status=SubscriptionStatus.ISOLATED)
    return customers_visible_to(user).filter(Exists(services))


def _isolated_today(user: User, now: datetime) -> QuerySet[Customer]:
    moved = isolated_today(user, now).order_by().values("subscription__customer_id")
    return customers_visible_to(user).filter(pk__in=moved)


Show = Callable[[User, datetime], QuerySet[Customer]]
SHOWS: dict[str, tuple[Any, Show]] = {
    "owing": (gettext_lazy("Owe money"), lambda user, now: customers_owing(user)),
    "isolated": (gettext_lazy("Isolated"), _isolated),
    "isolated-today": (gettext_lazy("Isolated today"), _isolated_today),
}


def customers_page(user: User, query: str, show: str, before: str, now: datetime) -> Found:
    """One page: those who owe most first on that list, the newest first everywhere else."""
    is_by_debt = show == "owing" and not query
    is_search = bool(query) or show not in SHOWS
    rows = customers_search(user, query) if is_search else SHOWS[show][1](user, now)
    order = ("-debt", "-id") if is_by_debt else ("-id",)
    found = list(_behind(rows, before, is_by_debt).select_related("location").order_by(*order)[: PAGE + 1])
    services = _services(user, [customer.pk for customer in found[:PAGE]])
    last = found[PAGE - 1] if len(found) > PAGE else None
    return Found([_row(customer, services) for customer in found[:PAGE]], f"{last.debt}_{last.pk}" if last else "")


def _behind(rows: QuerySet[Customer], before: str, is_by_debt: bool) -> QuerySet[Customer]:
    match = _KEY.fullmatch(before)
    if match is None:
        return rows
    debt, pk = Decimal(match[1]), int(match[2])
    if is_by_debt:
        return rows.filter(Q(debt__lt=debt) | Q(debt=debt, pk__lt=pk))
    return rows.filter(pk__lt=pk)


def _services(user: User, customer_ids: Sequence[int]) -> dict[int, list[ServiceLine]]:
    """The services that are not ended, of all customers of the page at once."""
    rows = subscriptions_visible_to(user).filter(customer_id__in=customer_ids).exclude(status=SubscriptionStatus.ENDED)
    found: dict[int, list[ServiceLine]] = defaultdict(list)
    for row in rows.only("customer_id", "username", "status").order_by("pk")[:SERVICES_SHOWN]:
        found[row.customer_id].append(ServiceLine(row.username, service_words(row)))
    return found


def _row(customer: Customer, services: dict[int, list[ServiceLine]]) -> Row:
    words = balance_words(customer.balance, customer.debt)
    return Row(customer, words, services[customer.pk], links.customer_page(customer.pk))
