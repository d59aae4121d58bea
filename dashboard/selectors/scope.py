"""Whom and what of a customer the asking person may see, and the rows that were merged into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from accounts.models import User
from billing.models import Invoice, Subscription
from billing.selectors import invoices_visible_to, subscriptions_visible_to
from customers.models import Customer
from customers.selectors import customers_visible_to
from payments.models import Payment
from payments.selectors import payments_visible_to

MAX_MERGED = 100

_ROOT = """
WITH RECURSIVE up(id, merged_into_id) AS (
  SELECT id, merged_into_id FROM customers_customer WHERE id = %s
  UNION SELECT c.id, c.merged_into_id FROM customers_customer c JOIN up ON c.id = up.merged_into_id)
SELECT id FROM up WHERE merged_into_id IS NULL
"""
_FAMILY = """
WITH RECURSIVE family(id) AS (
  SELECT %s::bigint UNION SELECT c.id FROM customers_customer c JOIN family ON c.merged_into_id = family.id)
SELECT id FROM family LIMIT %s
"""


def _ids(statement: str, values: Sequence[int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()]


def root_of(customer_id: int) -> int | None:
    """The customer that stayed when this one was merged, himself when he was not, None when there is nobody."""
    return next(iter(_ids(_ROOT, [customer_id])), None)


@dataclass(frozen=True)
class Family:
    """A customer with everybody who was merged into him, as one person may see them at one moment.

    What the person may see is looked up once; the three methods give fresh querysets of it.
    """

    customer: Customer
    user: User
    now: datetime
    ids: Sequence[int]
    visible_services: QuerySet[Subscription]
    visible_invoices: QuerySet[Invoice]
    visible_payments: QuerySet[Payment]

    def services(self) -> QuerySet[Subscription]:
        return self.visible_services.filter(customer_id__in=self.ids)

    def invoices(self) -> QuerySet[Invoice]:
        return self.visible_invoices.filter(customer_id__in=self.ids)

    def payments(self) -> QuerySet[Payment]:
        return self.visible_payments.filter(customer_id__in=self.ids)


def family_of(customer_id: int, user: User, now: datetime) -> Family | None:
    """None when there is no such customer for this person. `customer_id` must be a root."""
    customer = customers_visible_to(user).select_related("location").filter(pk=customer_id).first()
    if customer is None:
        return None
    ids = _ids(_FAMILY, [customer_id, MAX_MERGED])
    services, invoices = subscriptions_visible_to(user), invoices_visible_to(user)
    return Family(customer, user, now, ids, services, invoices, payments_visible_to(user))
