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
    "unposted": Explained(_("Bills that the ledger does not know."), page="billing_invoice_change"),
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
