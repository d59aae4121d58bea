"""Forms of the payment room. Amounts are checked by the services' own rule, so that a form refuses what an API refuses."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.cash_forms import MoneyField
from core.admin import ConfirmForm
from payments.choices import FeeType, MethodKind
from payments.models import PaymentMethod

DEBTS, INVOICE, BALANCE = "debts", "invoice", "balance"


class TakeCashForm(ConfirmForm):
    """How much, and what for. `invoice` is a choice only when the page was opened from one."""

    amount = MoneyField(label=gettext_lazy("amount"), help_text=gettext_lazy("What you have in your hand."))
    purpose = forms.ChoiceField(label=gettext_lazy("for"), widget=forms.RadioSelect)
    note = forms.CharField(label=gettext_lazy("note"), max_length=300, required=False)

    def __init__(self, *args: Any, invoice: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(DEBTS, _("what is owed, the oldest first")), (BALANCE, _("the balance, for later"))]
        if invoice is not None:
            choices.insert(0, (INVOICE, _("invoice %(number)s, then what else is owed") % {"number": invoice}))
        purpose: Any = self.fields["purpose"]
        purpose.choices = choices
        purpose.initial = choices[0][0]


class RefundForm(ConfirmForm):
    amount = MoneyField(label=gettext_lazy("amount"))
    reason = forms.CharField(
        label=gettext_lazy("reason"), max_length=300, help_text=gettext_lazy("Stays with the payment.")
    )


class ReversalForm(ConfirmForm):
    reason = forms.CharField(
        label=gettext_lazy("reason"), max_length=300,
        help_text=gettext_lazy("What went wrong, for example: entered twice. It stays with the money for good."),
    )  # fmt: skip


class MethodForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = PaymentMethod
        fields = ("name", "kind", "fee_type", "fee_amount", "bearer", "minimum", "maximum", "is_active")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        smallest, largest = data.get("minimum"), data.get("maximum")
        if smallest is not None and largest is not None and smallest > largest:
            self.add_error("maximum", _("Smaller than the smallest amount."))
        if data.get("kind") == MethodKind.CASH and data.get("fee_type") not in {None, FeeType.NONE}:
            self.add_error("fee_type", _("Cash has no fee."))
        if data.get("fee_type") == FeeType.PERCENT and (data.get("fee_amount") or 0) >= 100:
            self.add_error("fee_amount", _("Less than 100 percent."))
        return data
