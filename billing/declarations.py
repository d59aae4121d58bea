"""The system settings of the billing room."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.settings_registry import Declaration, declare


def declare_all() -> None:
    from billing.services import invoices_numbers as numbers

    category = _("Bills")
    declare(
        Declaration(
            numbers.PATTERN, str, numbers.DEFAULT_PATTERN,
            _("How bills are numbered: {series}, {year}, {month}, {number:06}."), category, max_length=40,
            check=numbers.pattern_check,
        )
    )  # fmt: skip
    declare(
        Declaration(
            numbers.INVOICE_SERIES, str, "INV", _("Series of bills."), category, max_length=10,
            check=numbers.series_check,
        )
    )  # fmt: skip
    declare(
        Declaration(
            numbers.CREDIT_NOTE_SERIES, str, "CN", _("Series of credit notes."), category, max_length=10,
            check=numbers.series_check,
        )
    )  # fmt: skip
    declare(Declaration("invoice.footer", str, "", _("The last lines of a bill."), category, max_length=300))
    _declare_cash()
    _declare_services()


def _declare_cash() -> None:
    from billing.services import drawers, second_person

    category = _("Cash and corrections")
    declare(
        Declaration(
            drawers.SHIFT_NEEDED, bool, False,
            _("Staff must open a cash shift before they take or give cash."), category,
        )
    )  # fmt: skip
    declare(
        Declaration(
            second_person.LIMIT, int, 500_000,
            _("Corrections by hand and payments taken back above this amount need a second person."), category,
            minimum=0, maximum=10**12,
        )
    )  # fmt: skip


def _declare_services() -> None:
    from billing.services import subscriptions_logins as logins
    from billing.services import subscriptions_promises as promises
    from billing.services.engine import bills, nights

    category = _("Subscriptions")
    declare(
        Declaration(
            logins.PATTERN, str, logins.DEFAULT_PATTERN,
            _("How user names are made: {location}, {customer}, {number:05}."), category, max_length=60,
            check=logins.pattern_check,
        )
    )  # fmt: skip
    declare(
        Declaration(
            nights.RUN_HOUR, int, 1, _("From which hour of the location's day its bills are made."), category,
            minimum=0, maximum=23,
        )
    )  # fmt: skip
    declare(
        Declaration(
            bills.LEAD_DAYS, int, 0, _("How many days before a prepaid period its bill is made."), category,
            minimum=0, maximum=28,
        )
    )  # fmt: skip
    declare(
        Declaration(
            promises.LONGEST, int, 14, _("How many days ahead a promise to pay may reach."), category,
            minimum=1, maximum=90,
        )
    )  # fmt: skip
