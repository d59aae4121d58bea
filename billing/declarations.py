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
