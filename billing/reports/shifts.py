"""Cash shifts: what lay in the drawer, what the ledger expected, what was counted, and what was handed over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from billing.choices import EntryKind, ShiftStatus
from billing.ledger import chart
from billing.models import CashShift
from billing.reports.asking import Ask
from billing.reports.days import day_end, day_start
from billing.reports.grouping import span_words
from billing.reports.names import user_names
from billing.reports.parts import PartsQuery
from billing.reports.postings import PostingQuery
from billing.reports.scope import shifts_visible_to
from billing.reports.table import Cell, Column, Form, Table, summed
from core.formats import money

MAX_SHIFTS = 2_000
_INSTANT = timedelta(microseconds=1)


def shifts_report(ask: Ask, user: User) -> Table:
    """Shifts opened in the span, newest first. For one that is still open "expected" is what should lie in the drawer now.

    The rows behind "expected" are those that were written down when the drawer was counted: an expense written later for an
    earlier day was not in it.
    """
    start, end = day_start(ask.from_on, ask.zone), day_end(ask.to_on, ask.zone)
    found = shifts_visible_to(user).filter(opened_at__gte=start, opened_at__lt=end).select_related("location")
    if ask.location_id:
        found = found.filter(location=ask.location_id)
    shifts = list(found.order_by("-opened_at", "-pk")[:MAX_SHIFTS])
    names = user_names(
        {shift.user_id for shift in shifts} | {s.handed_over_to_id for s in shifts if s.handed_over_to_id}
    )
    rows = [_row(shift, user, names) for shift in shifts]
    difference = summed(rows, 6)
    words = {**span_words(ask), "n": len(rows), "difference": money(difference)}
    return Table(
        columns=_columns(),
        rows=rows,
        totals=(
            Cell(_("Total")), Cell(None), Cell(None),
            *(
                Cell(summed(rows, place), PartsQuery("shifts", column.key, ask, shifts_report))
                for place, column in enumerate(_columns())
                if column.is_number
            ),
            Cell(""),
        ),
        sentence=ngettext(
            "%(n)d shift was opened from %(from)s to %(to)s; counted less expected is %(difference)s.",
            "%(n)d shifts were opened from %(from)s to %(to)s; counted less expected is %(difference)s in all.", len(rows),
        ) % words,
        notes=_notes(rows),
    )  # fmt: skip


def _columns() -> Sequence[Column]:
    return (
        Column("cashier", gettext_lazy("cashier"), Form.TEXT), Column("state", gettext_lazy("state"), Form.TEXT),
        Column("opened", gettext_lazy("opened"), Form.MOMENT), Column("opening", gettext_lazy("at opening")),
        Column("expected", gettext_lazy("expected")), Column("counted", gettext_lazy("counted")),
        Column("difference", gettext_lazy("difference")), Column("handed_over", gettext_lazy("handed over")),
        Column("to", gettext_lazy("handed over to"), Form.TEXT),
    )  # fmt: skip


def _row(shift: CashShift, user: User, names: dict[object, str]) -> tuple[Cell, ...]:
    drawer = PostingQuery(accounts=(chart.cash(shift.user_id),))
    before = drawer.narrowed(recorded_until=shift.counted_at)
    expected = shift.expected_amount if shift.status != ShiftStatus.OPEN else before.total(user)
    difference = None
    if shift.counted_amount is not None and shift.expected_amount is not None:
        difference = shift.counted_amount - shift.expected_amount
    return (
        Cell(names.get(shift.user_id, "")), Cell(str(ShiftStatus(shift.status).label)), Cell(shift.opened_at),
        Cell(shift.opening_amount, _at_opening(drawer, shift)), Cell(expected, before),
        Cell(shift.counted_amount, _counted(before, shift)), Cell(difference, _posted(drawer, shift) if difference else None),
        Cell(shift.handed_over_amount, _given(drawer, shift), -1), Cell(names.get(shift.handed_over_to_id, "")),
    )  # fmt: skip


def _at_opening(drawer: PostingQuery, shift: CashShift) -> PostingQuery:
    """What the drawer held when it was opened, with what opening it wrote: change money, and what was too much or too little."""
    own = (f"shift_change:{shift.pk}", f"shift_opening:{shift.pk}")
    return drawer.narrowed(recorded_until=shift.opened_at, also=own)


def _counted(before: PostingQuery, shift: CashShift) -> PostingQuery | None:
    """What was expected, with the difference that counting it wrote."""
    return before.narrowed(also=(f"shift_difference:{shift.pk}",)) if shift.counted_at else None


def _posted(drawer: PostingQuery, shift: CashShift) -> PostingQuery:
    """The entry that was written when the drawer was counted."""
    at = shift.counted_at
    return drawer.narrowed(causes=(EntryKind.CASH_DIFFERENCE.value,), since=at, until=at and at + _INSTANT)


def _given(drawer: PostingQuery, shift: CashShift) -> PostingQuery | None:
    at = shift.handed_over_at
    if at is None:
        return None
    return drawer.narrowed(causes=(EntryKind.CASH_HANDOVER.value,), since=at, until=at + _INSTANT)


def _notes(rows: Sequence[Sequence[Cell]]) -> tuple[str, ...]:
    if len(rows) < MAX_SHIFTS:
        return ()
    return (_("Only the newest %(n)d shifts are shown; choose fewer days.") % {"n": MAX_SHIFTS},)
