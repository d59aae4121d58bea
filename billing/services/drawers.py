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
    _share(user.pk)
    shift_check(user)
    return chart.cash(user.pk)


def drawer_of_other_enter(user: User, *, field: str = "") -> str:
    """The same for money that somebody else puts there: the refusal (DomainError `cash.no_shift`) says whose shift is missing."""
    _share(user.pk)
    if _is_shift_missing(user):
        message = _("%(name)s has no open cash shift, so nobody would count this money. Nothing was changed.")
        message %= {"name": user.get_full_name() or user.username}
        raise DomainError("cash.no_shift", message, fields={field: message} if field else None, status=409)
    return chart.cash(user.pk)


def _share(user_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM accounts_user WHERE id = %s FOR KEY SHARE", [user_id])


def shift_check(user: User) -> None:
    """Where the setting asks for shifts, nobody takes or gives cash without one."""
    if _is_shift_missing(user):
        raise TransitionError(
            _("Open your cash shift first. Nothing was taken and nothing was changed."), code="cash.no_shift"
        )


def _is_shift_missing(user: User) -> bool:
    return bool(setting(SHIFT_NEEDED)) and open_shift(user) is None


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
