"""Forms of bills. They work without JavaScript: a bill has a fixed number of lines to fill in, empty ones are left out."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.choices import TaxMode
from billing.ledger import chart
from billing.models import Invoice, Subscription
from billing.services.invoices import ManualLine
from billing.services.invoices_manual import MANUAL_ACCOUNTS
from core import clock
from core.admin import ConfirmForm, style_form
from core.formats import local
from customers.models import Customer
from customers.selectors import customers_search, customers_visible_to

LINES = 8
LABELS = (
    gettext_lazy("line {n}: what for"), gettext_lazy("line {n}: price of one"), gettext_lazy("line {n}: quantity"),
)  # fmt: skip


class ReasonForm(ConfirmForm):
    reason = forms.CharField(label=gettext_lazy("why"), max_length=300)


class CreditForm(ReasonForm):
    amount = forms.DecimalField(
        label=gettext_lazy("amount with tax"), required=False, min_value=0, max_digits=18, decimal_places=2,
        help_text=gettext_lazy("Empty: all that can still be credited. What was paid already goes to the balance."),
    )  # fmt: skip
    field_order = ("amount", "reason")


class WrittenForm(forms.Form):
    """What a person writes on a bill: its lines, tax, day and note; `clean` gathers `lines`."""

    due_on = forms.DateField(label=gettext_lazy("to pay by"), widget=forms.DateInput(attrs={"type": "date"}))
    tax_mode = forms.ChoiceField(label=gettext_lazy("tax"), choices=TaxMode.choices, initial=TaxMode.NONE)
    account = forms.ChoiceField(label=gettext_lazy("kind of income"), choices=())
    note = forms.CharField(label=gettext_lazy("note on the bill"), max_length=300, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # `base_fields` are shared; choices and first values are of this moment and this language
        self.fields["account"].choices = [(code, chart.name_of(code)) for code in MANUAL_ACCOUNTS]  # type: ignore[attr-defined]
        self.fields["due_on"].initial = local(clock.now()).date() + timedelta(days=7)
        style_form(self)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        account = data.get("account") or chart.INCOME_OTHER
        lines = []
        for index in range(LINES):
            text, price = data.get(f"line_{index}_text", ""), data.get(f"line_{index}_price")
            if not text and price is None:
                continue
            if not text:
                self.add_error(f"line_{index}_text", _("Write what it is for."))
            elif price is None:
                self.add_error(f"line_{index}_price", _("Write an amount of money."))
            else:
                lines.append(ManualLine(text, price, data.get(f"line_{index}_quantity") or 1, account))
        if not lines and not self.errors:
            self.add_error("line_0_text", _("Write at least one line."))
        data["lines"] = lines
        return data


class InvoiceForm(WrittenForm, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A bill that a person writes. `request_key` makes a second press of "save" the same bill."""

    refusal_aliases = {"lines": "line_0_text", "customer": "to", "subscription": "service"}

    to = forms.CharField(
        label=gettext_lazy("customer"), max_length=120,
        help_text=gettext_lazy("Number, phone, user name, or the name when only one customer has it."),
    )  # fmt: skip
    service = forms.CharField(
        label=gettext_lazy("for the service (user name)"), max_length=64, required=False,
        help_text=gettext_lazy("Then it holds the service back when it is not paid in time. Empty: for no service."),
    )  # fmt: skip
    is_draft = forms.BooleanField(
        label=gettext_lazy("keep as a draft"), required=False,
        help_text=gettext_lazy("Without a number; the customer sees it and owes it only once it is issued."),
    )  # fmt: skip
    request_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    class Meta:
        model = Invoice
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["request_key"].initial = uuid.uuid4().hex
        self.user: Any = getattr(self, "user", None)
        if self.user is not None and not self.user.has_perm("billing.add_invoice"):
            self.fields["is_draft"].initial = True
            self.fields["is_draft"].disabled = True  # he prepares, somebody else issues

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        data["subscription"] = self._service(data.get("to"), data.get("service", "").strip())
        return data

    def _service(self, customer: Customer | None, username: str) -> Subscription | None:
        if customer is None or not username:
            return None
        rows = Subscription.objects.filter(customer=customer.merged_into_id or customer.pk, username=username)
        row = rows.order_by("-pk").first()
        if row is None:
            text = _("%(customer)s has no service with this user name.")
            self.add_error("service", text % {"customer": customer})
        return row

    def clean_to(self) -> Customer:
        """The one customer this text means; he is among those this person may see."""
        text = str(self.cleaned_data["to"]).strip()
        exact = customers_visible_to(self.user).filter(number=text).first()
        found = [exact] if exact else list(customers_search(self.user, text).order_by("-pk")[:6])
        if not found:
            raise ValidationError(_("No customer answers to this."))
        if len(found) > 1:
            names = ", ".join(str(row) for row in found[:5])
            raise ValidationError(
                _("Several customers answer to this: %(names)s. Write the number.") % {"names": names}
            )
        return found[0]


class IssueForm(ConfirmForm):
    due_on = forms.DateField(label=gettext_lazy("to pay by"), widget=forms.DateInput(attrs={"type": "date"}))


class DraftForm(WrittenForm, ConfirmForm):
    """A draft written anew."""


def _with_lines() -> None:
    """Eight lines of three fields each, declared once."""
    for index in range(LINES):
        labels = [format_lazy(label, n=index + 1) for label in LABELS]
        text = forms.CharField(label=labels[0], max_length=200, required=False)
        price = forms.DecimalField(label=labels[1], required=False, max_digits=14, decimal_places=2)
        quantity = forms.DecimalField(label=labels[2], required=False, min_value=0, max_digits=12, decimal_places=3)
        for name, field in (("text", text), ("price", price), ("quantity", quantity)):
            for form in (InvoiceForm, DraftForm):
                form.base_fields[f"line_{index}_{name}"] = field
                form.declared_fields[f"line_{index}_{name}"] = field


_with_lines()
