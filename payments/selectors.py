"""Reads about payments that depend on who asks."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import User
from locations.selectors import locations_visible_to
from payments.models import Payment, PaymentMethod, Refund, Reversal


def payments_visible_to(user: User) -> QuerySet[Payment]:
    """All for Super Admin and Admin; for others those of their locations (the customer's when it was paid)."""
    places = locations_visible_to(user)
    if not places.query.where:
        return Payment.objects.all()
    return Payment.objects.filter(location__in=places.values("pk"))


def refunds_visible_to(user: User) -> QuerySet[Refund]:
    places = locations_visible_to(user)
    if not places.query.where:
        return Refund.objects.all()
    return Refund.objects.filter(payment__location__in=places.values("pk"))


def reversals_visible_to(user: User) -> QuerySet[Reversal]:
    places = locations_visible_to(user)
    if not places.query.where:
        return Reversal.objects.all()
    return Reversal.objects.filter(payment__location__in=places.values("pk"))


def methods_in_use() -> QuerySet[PaymentMethod]:
    return PaymentMethod.objects.filter(is_active=True).order_by("name")
