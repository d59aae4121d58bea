"""The ledger's rows. Written by `billing.ledger` only; the database refuses to change, delete or truncate them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.choices import EntryKind
from billing.ledger.chart import CODE_PATTERN, OF_CUSTOMERS
from billing.models.plans import Plan
from core.fields import AmountField
from customers.models import Customer
from locations.models import Location


class JournalEntry(models.Model):
    """One thing that happened to money. `source` says which ("invoice:12", "payment:7"), and can be there only once.

    The table has one more column, `created_xid`, that the database fills: postings are accepted only by the
    transaction that made their entry.
    """

    kind = models.CharField(_("kind"), max_length=20, choices=EntryKind.choices)
    source = models.CharField(_("source"), max_length=120, unique=True)
    occurred_at = models.DateTimeField(_("when"))
    recorded_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    reverses = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="reversal", verbose_name=_("takes back")
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("who"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    location = models.ForeignKey(
        Location, verbose_name=_("location"), null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    agent = models.ForeignKey(
        "billing.Agent", verbose_name=_("agent"), null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    method = models.CharField(
        _("method"), max_length=60, blank=True, help_text="name of the payment method, for reports"
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["-occurred_at", "-id"], name="billing_entry_newest"),
            models.Index(fields=["location", "-occurred_at"], name="billing_entry_place"),
            models.Index(fields=["actor", "-occurred_at"], name="billing_entry_actor"),
            models.Index(
                fields=["agent", "-occurred_at"], name="billing_entry_agent", condition=Q(agent__isnull=False)
            ),
            models.Index(fields=["kind", "-occurred_at"], name="billing_entry_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}"


class Posting(models.Model):
    """One leg of an entry: debit positive, credit negative. The legs of an entry sum to zero."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="postings")
    account = models.CharField(_("account"), max_length=60)
    amount = AmountField(_("amount"))
    customer = models.ForeignKey(
        Customer, verbose_name=_("customer"), null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    plan = models.ForeignKey(
        Plan, verbose_name=_("plan"), null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="billing_posting_not_zero"),
            models.CheckConstraint(condition=Q(account__regex=CODE_PATTERN), name="billing_posting_account"),
            models.CheckConstraint(
                condition=~Q(account__in=OF_CUSTOMERS) | Q(customer__isnull=False), name="billing_posting_whose"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="billing_posting_account"),
            models.Index(
                fields=["customer", "-id"], name="billing_posting_customer", condition=Q(customer__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.amount}"
