"""Cash shifts and hand-over (setoran): a drawer from opening over counting to the money leaving it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import EntryKind, ShiftStatus
from billing.ledger import chart
from billing.ledger.posting import Line, entry_post
from billing.models import CashShift, JournalEntry
from billing.services.amounts import amount_not_negative, amount_positive
from billing.services.drawers import (
    account_amount,
    drawer_close,
    drawer_lock,
    drawer_of_other_enter,
    in_drawer_check,
    open_shift,
    shift_check,
)
from billing.services.staff import staff_acted
from core.db.locks import lock_row
from core.db.transition import transition
from core.errors import DomainError, TransitionError
from locations.models import Location

SHIFT_MOVES: dict[str, frozenset[str]] = {
    ShiftStatus.OPEN: frozenset({ShiftStatus.COUNTED}),
    ShiftStatus.COUNTED: frozenset({ShiftStatus.HANDED_OVER}),
    ShiftStatus.HANDED_OVER: frozenset(),
}
Amount = Decimal | int | str


@transaction.atomic
def shift_open(
    *,
    counted: Amount,
    from_owner: Amount = 0,
    now: datetime,
    actor: User,
    ip: str | None = None,
    location: Location | None = None,
    note: str = "",
) -> CashShift:
    """Start a shift with `counted` in the drawer, of which the owner has just put in `from_owner` as change money.

    What the ledger says otherwise is posted as a difference. Raises TransitionError (`cash.shift_open`) when one is open.
    """
    amount = amount_not_negative(counted, field="counted")
    change = amount_not_negative(from_owner, field="from_owner")
    expected = drawer_close(actor.pk) + change
    if open_shift(actor):
        raise _already_open()
    try:
        with transaction.atomic():
            shift = CashShift.objects.create(
                user=actor, location=location, opened_at=now, opening_amount=amount, note=note
            )
    except IntegrityError:
        raise _already_open() from None
    post = partial(_post, shift, now=now, actor=actor)
    post(EntryKind.CASH_HANDOVER, f"shift_change:{shift.pk}", change, chart.OWNER)
    post(EntryKind.CASH_DIFFERENCE, f"shift_opening:{shift.pk}", amount - expected, chart.CASH_DIFFERENCE)
    staff_acted(actor, "shift.opened", ip, shift=shift.pk, counted=amount, expected=expected, from_owner=change)
    return shift


def _already_open() -> TransitionError:
    return TransitionError(_("Your shift is open already."), code="cash.shift_open")


def _post(shift: CashShift, kind: str, source: str, amount: Decimal, other: str, *, now: datetime, actor: User) -> None:
    """`amount` into the drawer out of `other`; negative the other way round."""
    if not amount:
        return
    entry_post(
        kind=kind, source=source, occurred_at=now, actor=actor, location_id=shift.location_id,
        lines=[Line(chart.cash(shift.user_id), amount), Line(other, -amount)],
    )  # fmt: skip


@transaction.atomic
def shift_count(
    shift: CashShift, *, counted: Amount, now: datetime, actor: User, ip: str | None = None, note: str = ""
) -> CashShift:
    """Close a shift with what was counted. A difference is posted, so that the drawer holds what is really there.

    Raises TransitionError when it was counted already, DomainError for somebody else's shift (unless the actor may
    manage shifts).
    """
    amount = amount_not_negative(counted, field="counted")
    _own_or_manager(shift, actor)
    expected = drawer_close(shift.user_id)
    fresh = lock_row(CashShift.objects.all(), shift.pk)
    transition(
        CashShift.objects.filter(pk=fresh.pk), to=ShiftStatus.COUNTED, allowed=SHIFT_MOVES, counted_at=now,
        counted_amount=amount, expected_amount=expected, note=note or fresh.note,
    )  # fmt: skip
    _post(
        fresh, EntryKind.CASH_DIFFERENCE, f"shift_difference:{fresh.pk}", amount - expected, chart.CASH_DIFFERENCE,
        now=now, actor=actor,
    )  # fmt: skip
    staff_acted(actor, "shift.counted", ip, shift=fresh.pk, counted=amount, expected=expected)
    fresh.refresh_from_db()
    return fresh


@transaction.atomic
def shift_hand_over(
    shift: CashShift,
    *,
    amount: Amount,
    to_user: User | None = None,
    to_bank: str = "",
    now: datetime,
    actor: User,
    ip: str | None = None,
) -> CashShift:
    """Hand the counted money over: into a colleague's drawer, a bank account, or (neither given) to the owner.

    0 (to nobody) closes the shift when nothing is handed over, as after counting an empty drawer. The rest stays in the
    drawer for the next shift. Raises TransitionError unless the shift is counted, DomainError (`cash.no_shift`) for a
    colleague without a shift where the setting asks for one.
    """
    _own_or_manager(shift, actor)
    value = amount_positive(amount) if to_user or to_bank else amount_not_negative(amount)
    inside = drawer_lock(shift.user_id)
    fresh = lock_row(CashShift.objects.all(), shift.pk)
    in_drawer_check(value, inside)
    account = _destination(fresh.user_id, to_user, to_bank)
    transition(
        CashShift.objects.filter(pk=fresh.pk), to=ShiftStatus.HANDED_OVER, allowed=SHIFT_MOVES, handed_over_at=now,
        handed_over_amount=value, handed_over_to=to_user,
    )  # fmt: skip
    _post(fresh, EntryKind.CASH_HANDOVER, f"shift_handover:{fresh.pk}", -value, account, now=now, actor=actor)
    staff_acted(actor, "shift.handed_over", ip, shift=fresh.pk, amount=value, into=account)
    fresh.refresh_from_db()
    return fresh


@transaction.atomic
def cash_hand_over(
    *,
    amount: Amount,
    request_key: str,
    to_user: User | None = None,
    to_bank: str = "",
    now: datetime,
    actor: User,
    ip: str | None = None,
    location_id: int | None = None,
    reason: str = "",
) -> JournalEntry:
    """Hand money over in the middle of a shift, or where no shifts are kept. The same `request_key` does it once."""
    value = amount_positive(amount)
    source = f"handover:{key_checked(request_key)}"
    inside = drawer_lock(actor.pk)
    if known := JournalEntry.objects.filter(source=source).first():
        return known
    shift_check(actor)
    in_drawer_check(value, inside)
    account = _destination(actor.pk, to_user, to_bank)
    entry, _is_new = entry_post(
        kind=EntryKind.CASH_HANDOVER, source=source, occurred_at=now, actor=actor, location_id=location_id,
        reason=reason, lines=[Line(account, value), Line(chart.cash(actor.pk), -value)],
    )  # fmt: skip
    staff_acted(actor, "cash.handed_over", ip, entry=entry.pk, amount=value, into=account)
    return entry


def bank_account(code: str) -> str:
    """The account of a bank code a person typed. Raises DomainError (`cash.bank`)."""
    try:
        return chart.bank(code.strip().lower())
    except ValueError:
        message = _("A bank is named with a-z, 0-9 and _, for example bca_01.")
        raise DomainError("cash.bank", message, fields={"to_bank": message}) from None


def bank_amount(code: str) -> Decimal:
    return account_amount(bank_account(code))


def key_checked(request_key: str) -> str:
    """A form's key: 1 to 64 characters, or the second press of a button could not be told from the first."""
    if not request_key or len(request_key) > 64:
        raise DomainError("request_key", _("A request key of 1 to %(n)d characters is needed.") % {"n": 64})
    return request_key


def _destination(from_user_id: int, to_user: User | None, to_bank: str) -> str:
    if to_user is not None and to_bank:
        message = _("Choose a person or a bank, not both.")
        raise DomainError("cash.two_destinations", message, fields={"to_user": message})
    if to_user is not None:
        if to_user.pk == from_user_id or not to_user.is_active:
            message = _("Hand it over to somebody else.")
            raise DomainError("cash.same_drawer", message, fields={"to_user": message})
        return drawer_of_other_enter(to_user, field="to_user")
    return bank_account(to_bank) if to_bank else chart.OWNER


def _own_or_manager(shift: CashShift, actor: User) -> None:
    if shift.user_id != actor.pk and not actor.has_perm("billing.manage_cashshift"):
        raise DomainError("cash.not_yours", _("This is somebody else's shift."), status=404)
