"""What a finding of the ledger check means, and what to do about it, in words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CORRECT = _(
    "Do not change anything by hand. Tell your supplier the numbers of these rows; a correcting entry sets it right."
)


@dataclass(frozen=True)
class Explained:
    """`page` is the admin page that shows one of the rows, or nothing."""

    text: str | Promise
    todo: str | Promise = CORRECT
    page: str = ""


EXPLAINED: dict[str, Explained] = {
    "unbalanced": Explained(
        _("Journal entries whose debits and credits differ."), page="billing_journalentry_change"
    ),
    "sum": Explained(_("All postings together do not make zero; it should be exactly 0.")),
    "balance": Explained(
        _("Customers whose balance or debt on the screen is not the sum of their postings."), page="customers_customer_change"
    ),
    "receivable": Explained(
        _("Customers whose debt is not the sum of their open bills."), page="customers_customer_change"
    ),
    "settled": Explained(
        _("Bills whose paid part is not the sum of what settled them."), page="billing_invoice_change"
    ),
    "lines": Explained(_("Bills whose total is not the sum of their lines."), page="billing_invoice_change"),
    "unposted": Explained(
        _("Bills that the ledger does not know, or knows with another amount."), page="billing_invoice_change"
    ),
    "voided": Explained(
        _("Bills that are void while their entry was not taken back, or the other way round."),
        page="billing_invoice_change",
    ),
    "unposted_expenses": Explained(
        _("Expenses that the ledger does not know, or knows with another amount."), page="billing_expense_change"
    ),
    "unposted_adjustments": Explained(
        _("Corrections that the ledger does not know, or knows with another amount."), page="billing_adjustment_change"
    ),
    "unposted_shifts": Explained(
        _("Cash shifts whose difference or hand-over the ledger knows with another amount."),
        page="billing_cashshift_change",
    ),
    "unposted_payments": Explained(
        _("Payments that the ledger does not know, or knows with another amount."), page="payments_payment_change"
    ),
    "unposted_refunds": Explained(_("Refunds that the ledger does not know, or knows with another amount.")),
    "unposted_reversals": Explained(
        _("Payments taken back of which the ledger knows something else."), page="payments_payment_change"
    ),
    "rowless": Explained(
        _("Journal entries whose bill, expense, correction or shift is gone."), page="billing_journalentry_change"
    ),
    "rowless_payments": Explained(
        _("Journal entries whose payment or refund is gone."), page="billing_journalentry_change"
    ),
    "days_forgotten": Explained(
        _("Bills for days that the service does not remember: these days could be billed again."),
        page="billing_invoice_change",
    ),
    "days_twice": Explained(_("Services with days that were billed twice."), page="billing_subscription_change"),
    "agents": Explained(_("Agents whose deposit is not the sum of their postings."), page="billing_agent_change"),
    "unposted_used_codes": Explained(
        _("Vouchers of agents that guests used and nobody paid for."),
        _("Open each and press “Charge the agent”; ask for 0 where nothing is owed."), page="vouchers_voucher_change",
    ),
    "triggers": Explained(
        _("Guards of the database that are switched off."),
        _("Switch them on again before anybody works: run manage.py migrate, then “Check now”. Somebody with the owner's "
          "password has switched them off; ask who."),
    ),
}  # fmt: skip
OTHER = Explained(_("Rows that say money moved while the ledger knows nothing of it."))


def explained(finding: str) -> Explained:
    """The words for a finding; those that rooms added share one sentence."""
    return EXPLAINED.get(finding, OTHER)
