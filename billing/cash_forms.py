"""Forms of drawers, expenses, corrections and agents. Amounts are checked by the services' own rule."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.choices import Role
from accounts.models import User
from billing.ledger import chart
from billing.models import Agent, Expense, ExpenseCategory
from billing.services.amounts import amount_not_negative, amount_positive, amount_signed
from core.admin import ConfirmForm, style_form
from core.errors import DomainError

BANK_HELP = gettext_lazy("A short name of the account, for example bca_01.")


class MoneyField(forms.CharField):
    """An amount as people write it: whole, without separators. Never through a float. `check` is the services' rule."""

    widget = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    check = staticmethod(amount_positive)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 20)
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Decimal | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return self.check(text)
        except DomainError as error:
            raise forms.ValidationError(str(error.message)) from None


class CountedField(MoneyField):
    check = staticmethod(amount_not_negative)


class SignedField(MoneyField):
    check = staticmethod(amount_signed)
    widget = forms.TextInput({"autocomplete": "off"})


def colleagues(user: User) -> Any:
    """Who may be handed money: staff, not agents, not oneself."""
    return User.objects.filter(is_active=True).exclude(pk=user.pk).exclude(role=Role.AGENT).order_by("username")


class OpenShiftForm(ConfirmForm):
    counted = CountedField(
        label=gettext_lazy("in the drawer now"), help_text=gettext_lazy("Count it, with the change money.")
    )
    from_owner = CountedField(
        label=gettext_lazy("change money from the owner"), required=False,
        help_text=gettext_lazy("What was put in just now, if anything."),
    )  # fmt: skip


class CountShiftForm(ConfirmForm):
    counted = CountedField(
        label=gettext_lazy("counted"), help_text=gettext_lazy("What really lies in the drawer. A difference is written down.")
    )  # fmt: skip
    note = forms.CharField(label=gettext_lazy("note"), max_length=300, required=False)


class HandOverForm(ConfirmForm):
    amount = CountedField(
        label=gettext_lazy("amount"), help_text=gettext_lazy("0 closes a counted shift of which nothing is handed over.")
    )  # fmt: skip
    to_user = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("to"), required=False, empty_label=gettext_lazy("the owner, or the bank below")
    )  # fmt: skip
    to_bank = forms.CharField(label=gettext_lazy("bank account"), max_length=40, required=False, help_text=BANK_HELP)

    def __init__(self, *args: Any, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people: Any = self.fields["to_user"]
        people.queryset = colleagues(user) if user else User.objects.filter(is_active=True).exclude(role=Role.AGENT)


class ReasonForm(ConfirmForm):
    reason = forms.CharField(label=gettext_lazy("reason"), max_length=300)


class ExpenseForm(forms.ModelForm):  # type: ignore[type-arg]
    """`request_key` makes a second press of "save" the same expense."""

    refusal_aliases = {"paid_from": "source", "to_bank": "bank"}
    amount = MoneyField(label=gettext_lazy("amount"))
    category = forms.ModelChoiceField(
        ExpenseCategory.objects.filter(is_active=True), label=gettext_lazy("category")
    )  # fmt: skip
    source = forms.ChoiceField(
        label=gettext_lazy("paid from"),
        choices=[("drawer", gettext_lazy("my drawer")), ("bank", gettext_lazy("the bank account below")),
                 ("owner", gettext_lazy("the owner's own money"))],
    )  # fmt: skip
    bank = forms.CharField(label=gettext_lazy("bank account"), max_length=40, required=False, help_text=BANK_HELP)
    request_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    class Meta:
        model = Expense
        fields = ("category", "amount", "spent_on", "location", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "amount" in self.fields:
            self.initial.setdefault("request_key", uuid.uuid4().hex)
            style_form(self)

    def _get_validation_exclusions(self) -> set[str]:
        # a key that is known already is the same expense sent again, not a mistake
        return {*super()._get_validation_exclusions(), "request_key"}  # type: ignore[misc]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("source") == "bank":
            try:
                chart.bank((data.get("bank") or "").strip().lower())
            except ValueError:
                self.add_error("bank", _("A bank is named with a-z, 0-9 and _, for example bca_01."))
        return data

    def paid_from(self, user_id: int) -> str:
        """The ledger account that pays."""
        if self.cleaned_data["source"] == "bank":
            return chart.bank(self.cleaned_data["bank"].strip().lower())
        return chart.cash(user_id) if self.cleaned_data["source"] == "drawer" else chart.OWNER


class AdjustForm(ConfirmForm):
    amount = SignedField(
        label=gettext_lazy("amount"),
        help_text=gettext_lazy("In the customer's favour: 50000. Against him: -50000; that becomes a bill."),
    )
    reason = forms.CharField(
        label=gettext_lazy("reason"), max_length=300, help_text=gettext_lazy("The customer may read it.")
    )


class AmountForm(ConfirmForm):
    amount = MoneyField(label=gettext_lazy("amount"))


class AgentForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new agent gets a login; for an existing one these two fields are not there."""

    username = forms.CharField(label=gettext_lazy("user name"), max_length=150)
    password = forms.CharField(
        label=gettext_lazy("password"), max_length=128, strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )  # fmt: skip

    class Meta:
        model = Agent
        fields = ("name", "phone", "location", "commission_percent", "credit_limit", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in ("username", "password"):
                self.fields.pop(name, None)
        elif "is_active" in self.fields:
            del self.fields["is_active"]
        style_form(self)
