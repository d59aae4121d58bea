"""Forms of services: the draft, and what the steps of a service ask."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.choices import PlanType
from billing.models import TERMS_FIELDS, Charge, CouponUse, Plan, Subscription
from billing.words import plan_offer
from core.admin import ConfirmForm, style_form
from core.formats import money
from locations.models import LocationGroup

AMOUNT: dict[str, Any] = {"min_value": 1, "max_digits": 18, "decimal_places": 2}
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PlanChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # not subscriptable at run time
    """A plain list, because plans are few: it works without JavaScript and shows what each plan costs."""

    def label_from_instance(self, obj: Plan) -> str:
        return plan_offer(obj)


class ChargeChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Charge) -> str:
        return f"{obj.name} ({money(obj.amount)})"


class CouponChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: CouponUse) -> str:
        return obj.coupon.code


AS_PLAN = "plan"


def _term_field(name: str) -> forms.Field:
    """A term of this service as its model describes it, where nothing chosen means: as the plan says."""
    field: Any = Subscription._meta.get_field(name)
    flags = [("yes", _("yes")), ("no", _("no"))] if isinstance(field, models.BooleanField) else []
    if not flags and not field.choices:
        made: forms.Field = field.formfield(required=False, initial=None)
        return made
    return forms.ChoiceField(
        choices=[(AS_PLAN, _("as the plan says")), *(flags or field.choices)], label=field.verbose_name,
        help_text=field.help_text, required=False, initial=AS_PLAN,
    )  # fmt: skip


class TermsForm(forms.Form):
    """Terms agreed with the service, before its first bill; `agreed` has those that differ from the plan's."""

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        flag = {"yes": True, "no": False}
        values = {name: data.pop(name, None) for name in TERMS_FIELDS}
        agreed = {name: value for name, value in values.items() if value not in {None, "", AS_PLAN}}
        data["agreed"] = {
            name: flag[value] if name == "is_auto_renewed" else value for name, value in agreed.items()
        }  # fmt: skip
        return data


for _name in TERMS_FIELDS:
    TermsForm.base_fields[_name] = TermsForm.declared_fields[_name] = _term_field(_name)


class SubscriptionForm(TermsForm, forms.ModelForm):  # type: ignore[type-arg]
    """A new service. Terms are the plan's unless others are agreed here or on the service's page."""

    plan = PlanChoice(Plan.objects.none(), label=_("plan"), empty_label=_("Choose a plan"))
    group = forms.ModelChoiceField(
        LocationGroup.objects.none(), label=_("or a group"), required=False, empty_label=_("None"),
        help_text=_("The group chooses one location and says why."),
    )  # fmt: skip
    username = forms.CharField(
        label=_("user name"), max_length=64, required=False, help_text=_("Empty: the next one by the pattern.")
    )
    password = forms.CharField(
        label=_("password"), max_length=64, required=False, help_text=_("Empty: a new one is made."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    is_started = forms.BooleanField(
        label=_("Start at once"), required=False, initial=True,
        help_text=_("The login goes to the router and the first bill is made."),
    )  # fmt: skip
    form_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    class Meta:
        model = Subscription
        fields = (
            "customer",
            "plan",
            "location",
            "username",
            "password",
            "static_address",
            "mac_address",
            "price",
            "note",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "customer" not in self.fields:
            return  # the page of an existing service has no form
        self.initial.setdefault("form_key", uuid.uuid4().hex)
        self.fields["location"].required = False  # or a group
        style_form(self)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if bool(data.get("location")) == bool(data.get("group")) and "location" not in self.errors:
            self.add_error("location", gettext("Choose a location, or a group that chooses."))
        return data

    def _get_validation_exclusions(self) -> set[str]:
        # terms and type come from the plan; the service judges the login
        excluded = super()._get_validation_exclusions()  # type: ignore[misc]
        return {*excluded, "username", "static_address", "type", *TERMS_FIELDS}


class ReasonForm(ConfirmForm):
    reason = forms.CharField(label=_("reason"), max_length=300)


class StartForm(ConfirmForm):
    started_on = forms.DateField(
        label=_("first day"), required=False, widget=DAY,
        help_text=_("Empty: today. At most a year ago; it fixes the day of the month."),
    )  # fmt: skip
    billed_until = forms.DateField(
        label=_("bills begin on"), required=False, widget=DAY,
        help_text=_("Empty: the first day. Later for who paid somewhere else already, at most a year ahead."),
    )  # fmt: skip
    reason = forms.CharField(label=_("reason"), max_length=300, required=False)


class ResumeForm(ConfirmForm):
    reason = forms.CharField(label=_("reason"), max_length=300, required=False)


class PauseForm(ConfirmForm):
    resume_on = forms.DateField(
        label=_("comes back on"), required=False, widget=DAY, help_text=_("Empty: when a person lets it come back.")
    )
    reason = forms.CharField(label=_("reason"), max_length=300, required=False)


class EndForm(ReasonForm):
    is_credited = forms.BooleanField(label=_("credit the days that are paid and not used"), required=False)


class PromiseForm(ConfirmForm):
    until_on = forms.DateField(label=_("pays by"), widget=DAY)
    note = forms.CharField(label=_("note"), max_length=300, required=False)


class AddonForm(ConfirmForm):
    name = forms.CharField(label=_("name"), max_length=120)
    amount = forms.DecimalField(label=_("per month"), **AMOUNT)
    from_on = forms.DateField(label=_("from"), required=False, widget=DAY, help_text=_("Empty: from the next bill on."))


def addon_end_form(addons: Any) -> type[ConfirmForm]:
    class AddonEndForm(ConfirmForm):
        addon = forms.ModelChoiceField(addons, label=_("add-on"), empty_label=None)
        is_at_once = forms.TypedChoiceField(
            label=_("when"), coerce=lambda value: value == "now",
            choices=[("period", _("with what is billed")), ("now", _("today: days not used are credited"))],
        )  # fmt: skip
        reason = forms.CharField(label=_("reason"), max_length=300, required=False)

    return AddonEndForm


def charge_form(charges: Any) -> type[ConfirmForm]:
    class WaitingChargeForm(ConfirmForm):
        charge = ChargeChoice(charges, label=_("one-off charge"), empty_label=None)

    return WaitingChargeForm


def coupon_end_form(uses: Any) -> type[ConfirmForm]:
    class CouponEndForm(ConfirmForm):
        use = CouponChoice(uses, label=_("coupon"), empty_label=None)

    return CouponEndForm


class ChargeForm(ConfirmForm):
    name = forms.CharField(label=_("name"), max_length=120)
    amount = forms.DecimalField(label=_("amount"), **AMOUNT)
    is_billed_now = forms.BooleanField(label=_("bill it now"), required=False)


class CouponForm(ConfirmForm):
    code = forms.CharField(label=_("code"), max_length=30)


def draft_plan_form(plans: Any) -> type[ConfirmForm]:
    class DraftPlanForm(ConfirmForm):
        plan = PlanChoice(plans, label=_("new plan"))
        reason = forms.CharField(label=_("reason"), max_length=300, required=False)

    return DraftPlanForm


def plan_form(plans: Any) -> type[ConfirmForm]:
    class ChangePlanForm(ConfirmForm):
        plan = PlanChoice(plans, label=_("new plan"))
        is_at_once = forms.TypedChoiceField(
            label=_("when"), coerce=lambda value: value == "now",
            choices=[
                ("period", _("with the next period")),
                ("now", _("now: days not used are credited, the new price is billed by the day")),
            ],
        )  # fmt: skip
        reason = forms.CharField(label=_("reason"), max_length=300, required=False)

    return ChangePlanForm


def move_form(places: Any, row: Subscription) -> type[ConfirmForm]:
    """A static service gets an address of the new place; the old one is shown as a start."""

    class MoveForm(ConfirmForm):
        location = forms.ModelChoiceField(places, label=_("new location"))
        static_address = forms.CharField(
            label=_("static address there"), required=row.type == PlanType.STATIC, initial=row.static_address,
            help_text=_("An address of the new location's network; nobody else there may have it."),
        )  # fmt: skip
        reason = forms.CharField(label=_("reason"), max_length=300, required=False)

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            if row.type != PlanType.STATIC and not row.static_address:
                del self.fields["static_address"]

    return MoveForm


def login_form(row: Subscription) -> type[ConfirmForm]:
    class LoginForm(ConfirmForm):
        username = forms.CharField(label=_("user name"), max_length=64, initial=row.username)
        password = forms.CharField(
            label=_("new password"), max_length=64, required=False, help_text=_("Empty: it stays."),
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
        )  # fmt: skip
        static_address = forms.CharField(label=_("static address"), required=False, initial=row.static_address)
        mac_address = forms.CharField(label=_("MAC address (caller lock)"), required=False, initial=row.mac_address)

    return LoginForm


def terms_form(row: Subscription) -> type[ConfirmForm]:
    """The terms of this service, as the model describes them."""
    names = ("price", *TERMS_FIELDS, "note")
    fields: dict[str, Any] = {}
    for name in names:
        field: Any = Subscription._meta.get_field(name)
        made = field.formfield()
        made.initial = getattr(row, name)
        fields[name] = made
    return type("TermsForm", (ConfirmForm,), fields)
