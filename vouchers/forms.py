"""Forms of the voucher room's admin."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.forms import UNIT_CHOICES, UNITS, UnitField
from billing.models import Plan
from billing.words import plan_offer
from core.admin import ConfirmForm, style_form
from locations.models import Location, LocationGroup
from vouchers.models import VoucherBatch
from vouchers.services import batch_warnings
from vouchers.words import ROAMING_DELAY

YEAR = 366 * 86400


class PlanField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not subscriptable at run time
    """A plain list, because plans are few: it works without JavaScript and shows what each plan costs and gives."""

    def label_from_instance(self, obj: Plan) -> str:
        return plan_offer(obj)


class BatchForm(forms.ModelForm):  # type: ignore[type-arg]
    """An order for vouchers. `request_key` makes a second press of "save" the same order."""

    refusal_aliases = {"locations": "places"}

    plan = PlanField(Plan.objects.none(), label=gettext_lazy("plan"), empty_label=gettext_lazy("Choose a plan"))
    places = forms.ModelMultipleChoiceField(
        Location.objects.none(), label=gettext_lazy("locations"), widget=forms.CheckboxSelectMultiple, required=False,
        help_text=format_lazy(
            "{} {}",
            gettext_lazy("Several: a voucher works at each of them, with one time and one data limit for all."),
            ROAMING_DELAY,
        ),
    )  # fmt: skip
    group = forms.ModelChoiceField(
        LocationGroup.objects.none(), label=gettext_lazy("or a group"), required=False,
        empty_label=gettext_lazy("I choose the locations myself"),
        help_text=gettext_lazy("The group chooses one location and says why."),
    )  # fmt: skip
    name = forms.CharField(
        label=gettext_lazy("name"), max_length=80, required=False,
        help_text=gettext_lazy("Empty: the plan's name and today's date."),
    )  # fmt: skip
    request_key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    is_warned = forms.BooleanField(label=gettext_lazy("Make them anyway"), required=False)

    class Meta:
        model = VoucherBatch
        fields = (
            "plan", "quantity", "name", "prefix", "length", "charset", "mode", "push_at", "price", "price_cost", "note",
        )  # fmt: skip
        help_texts = {
            "quantity": gettext_lazy("1 to 100,000; made in the background."),
            "prefix": gettext_lazy("Stands before every code, for example POS2-."),
            "push_at": gettext_lazy("When sold: routers stay small, but selling needs a reachable router."),
            "price": gettext_lazy("Empty: the plan's price. Frozen for these vouchers."),
            "price_cost": gettext_lazy("Empty: the plan's cost."),
            "length": gettext_lazy("Random characters after the prefix; more are harder to guess."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "price" not in self.fields:
            return  # the page of an existing batch has no form
        self.initial.setdefault("request_key", uuid.uuid4().hex)
        for name in ("price", "price_cost"):
            self.fields[name].required = False
        self.fields["quantity"].validators.append(MaxValueValidator(100_000))
        self.warnings: list[str] = []
        if not self.data.get("is_warned") and "quantity" not in self.data:
            self.fields["is_warned"].widget = forms.HiddenInput()
        style_form(self)

    def _get_validation_exclusions(self) -> set[str]:
        # a key that is known already is the same order sent again, not a mistake
        return {*super()._get_validation_exclusions(), "request_key"}  # type: ignore[misc]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        places, quantity, push_at = data.get("places"), data.get("quantity"), data.get("push_at")
        if bool(places) == bool(data.get("group")) and "places" not in self.errors:
            self.add_error("places", _("Choose locations, or a group that chooses."))
        if places and quantity and push_at:
            found = batch_warnings(locations=list(places), quantity=quantity, push_at=push_at)
            self.warnings = [warning.sentence for warning in found]
        if self.warnings and not data.get("is_warned"):
            for sentence in self.warnings:
                self.add_error(None, sentence)
            self.add_error("is_warned", _("Tick this to make them anyway, or change the order."))
        return data


class SellForm(ConfirmForm):
    amount = forms.DecimalField(label=gettext_lazy("price"), min_value=0, max_digits=18, decimal_places=2)


class VoidForm(ConfirmForm):
    reason = forms.CharField(
        label=gettext_lazy("reason"), max_length=200, help_text=gettext_lazy("Stays in the voucher's history.")
    )


class ExtendForm(ConfirmForm):
    seconds = UnitField(UNITS, UNIT_CHOICES, "h", YEAR, label=gettext_lazy("more time"))

    def clean_seconds(self) -> int:
        seconds = self.cleaned_data.get("seconds")
        if not seconds:
            raise forms.ValidationError(_("Write how much more time."))
        return int(seconds)


def move_form(places: Any) -> type[ConfirmForm]:
    """A form whose choices are the locations this person may move the voucher to."""

    class MoveForm(ConfirmForm):
        location = forms.ModelChoiceField(places, label=gettext_lazy("new location"))

    return MoveForm
