"""The ways to pay that every installation has."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.choices import CASH_NAME
from core.errors import DomainError
from payments.choices import MethodKind
from payments.models import PaymentMethod


def methods_seed() -> PaymentMethod:
    """Make sure there is a cash method; run by `prepare` after every migrate. A renamed or switched off one stays so."""
    known = PaymentMethod.objects.filter(kind=MethodKind.CASH).order_by("pk").first()
    return known or PaymentMethod.objects.get_or_create(name=CASH_NAME, defaults={"kind": MethodKind.CASH})[0]


def cash_method() -> PaymentMethod:
    """The cash method in use. Raises DomainError when it was switched off."""
    method = PaymentMethod.objects.filter(kind=MethodKind.CASH, is_active=True).order_by("pk").first()
    if method is None and not PaymentMethod.objects.filter(kind=MethodKind.CASH).exists():
        method = methods_seed()
    if method is None:
        raise DomainError("payment.method_off", _("Cash is switched off in the payment methods."), status=409)
    return method
