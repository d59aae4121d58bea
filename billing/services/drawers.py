"""Cash drawers. Whoever takes or gives cash has one: the ledger account `cash:<user>`; what lies in it is its sum.

Order of locks: a drawer comes before the customer. Three strengths, on the row of the staff member: `drawer_enter`
(money comes in) shares it with everybody, `drawer_lock` (money goes out) is alone among those who take out, and
`drawer_close` (counting) waits for all of them, so that what was counted and what is posted are one moment.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import ShiftStatus
from billing.ledger import chart
from billing.models import CashShift, Posting
from core.errors import DomainError, TransitionError
from core.formats import money
from core.settings_registry import setting

SHIFT_NEEDED = "billing.cash_needs_shift"


def drawer_enter(user: User) -> str:
    """The account of the drawer that is about to receive. Raises TransitionError (`cash.no_shift`), see `shift_check`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM accounts_user WHERE id = %s FOR KEY SHARE", [user.pk])
    shift_check(user)
    return chart.cash(user.pk)


def shift_check(user: User) -> None:
    """Where the setting asks for shifts, nobody takes or gives cash without one."""
    if setting(SHIFT_NEEDED) and open_shift(user) is None:
        raise TransitionError(
            _("Open your cash shift first. Nothing was taken and nothing was changed."), code="cash.no_shift"
        )


def drawer_lock(user_id: int) -> Decimal:
    """Lock a drawer for taking out; returns what is in it."""
    User.objects.select_for_update(no_key=True).get(pk=user_id)
    return drawer_amount(user_id)


def drawer_close(user_id: int) -> Decimal:
    """Lock a drawer against everything, also against money that is on its way in; returns what is in it."""
    User.objects.select_for_update().get(pk=user_id)
    return drawer_amount(user_id)


def drawer_amount(user_id: int) -> Decimal:
    """What the ledger says lies in the drawer."""
    return account_amount(chart.cash(user_id))


def account_amount(account: str) -> Decimal:
    total = Posting.objects.filter(account=account).aggregate(total=Sum("amount"))["total"]
    return Decimal(total or 0)


def open_shift(user: User) -> CashShift | None:
    return CashShift.objects.filter(user=user, status=ShiftStatus.OPEN).first()


def in_drawer_check(amount: Decimal, inside: Decimal) -> None:
    """Paper money cannot be negative: raises DomainError (`cash.not_enough`) with what is there."""
    if amount > inside:
        message = _("Only %(amount)s is in the drawer. Nothing was changed.") % {"amount": money(inside)}
        raise DomainError("cash.not_enough", message, fields={"amount": message})
