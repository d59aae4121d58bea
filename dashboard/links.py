"""Where a sentence of these pages leads: pages of the admin and of our own, by URL name.

An address is empty when the page is not there or the person may not open it; then the words stand without a link.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True)
class Step:
    """What to do next: a button. `permission` is what the page behind it asks for."""

    label: str
    url: str
    permission: str

    def is_open_to(self, user: AbstractBaseUser | AnonymousUser) -> bool:
        return bool(self.url) and user.has_perm(self.permission)  # type: ignore[union-attr]  # our User has it


def address(name: str, *args: Any, **query: Any) -> str:
    """The path of the named page with its query, or "" when this installation has no such page."""
    try:
        path = reverse(name, args=args)
    except NoReverseMatch:
        return ""
    return f"{path}?{urlencode(query)}" if query else path


def customer_page(pk: int) -> str:
    return address("dashboard:customer", pk)


def customer_admin(pk: int) -> str:
    return address("admin:customers_customer_change", pk)


def service_page(pk: int) -> str:
    return address("admin:billing_subscription_change", pk)


def invoice_page(pk: int) -> str:
    return address("admin:billing_invoice_change", pk)


def invoice_pdf(token: str) -> str:
    """The bill on paper, as its customer gets it."""
    return address("portal:pay_pdf", token)


def payment_page(pk: int) -> str:
    return address("admin:payments_payment_change", pk)


def account_page(pk: int) -> str:
    return address("admin:locations_accessaccount_change", pk)


def location_page(pk: int) -> str:
    return address("admin:locations_location_change", pk)


def plan_page(pk: int) -> str:
    return address("admin:billing_plan_change", pk)


def payment_form(customer_id: int, **query: Any) -> str:
    """Where cash of this customer is taken; with `invoice`, for that bill first."""
    return address("admin:payments_take_cash", customer_id, **query)
