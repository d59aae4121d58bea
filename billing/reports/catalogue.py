"""Every report: its name in addresses, its words, who may see it, and what it can be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from billing.reports import expenses, income, profit, received, tax
from billing.reports.asking import Ask
from billing.reports.receivables import receivables_report
from billing.reports.shifts import shifts_report
from billing.reports.table import Table, Text
from billing.reports.trial import trial_report

VIEW_REPORTS = "billing.view_reports"  # figures of one's own locations and deeds
VIEW_BOOKS = "billing.view_books"  # figures of the whole business


@dataclass(frozen=True)
class Report:
    """`groups`: what it can be grouped by, the usual one first. `is_of_a_day`: asked for the end of one day, not a span."""

    name: str
    title: Text
    about: Text
    icon: str
    run: Callable[[Ask, User], Table]
    permission: str = VIEW_REPORTS
    groups: tuple[str, ...] = ()
    is_of_a_day: bool = False


REPORTS: dict[str, Report] = {
    report.name: report
    for report in (
        Report(
            "income", _("Income"), _("What was earned: bills and voucher sales on their day, paid or not."), icon="sell",
            run=income.income_report, groups=income.GROUPS,
        ),
        Report(
            "received", _("Money received"), _("What customers and agents paid, by method, person or place."), icon="inbox",
            run=received.received_report, groups=received.GROUPS,
        ),
        Report(
            "receivables", _("Receivables"), _("What customers owe at the end of a day, by how late it is."),
            icon="receipt_long", run=receivables_report, is_of_a_day=True,
        ),
        Report(
            "shifts", _("Cash shift report"), _("What was expected, counted and handed over."), icon="lock_open",
            run=shifts_report,
        ),
        Report(
            "expenses", _("Expense report"), _("Money that went out, by category."), icon="upload",
            run=expenses.expenses_report, permission=VIEW_BOOKS, groups=expenses.GROUPS,
        ),
        Report(
            "profit", _("Profit"), _("Income less expenses, fees, commission and the cost of vouchers, per month."),
            icon="speed", run=profit.profit_report, permission=VIEW_BOOKS, groups=profit.GROUPS,
        ),
        Report(
            "tax", _("Tax"), _("Tax of your bills per month."), icon="receipt", run=tax.tax_report, permission=VIEW_BOOKS,
            groups=tax.GROUPS,
        ),
        Report(
            "trial-balance", _("Trial balance"), _("What every account holds at the end of a day."), icon="sort",
            run=trial_report, permission=VIEW_BOOKS, is_of_a_day=True,
        ),
    )
}  # fmt: skip
