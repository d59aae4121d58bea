"""The wizard's form: what every profile of the router becomes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.forms import UNIT_CHOICES, UNITS, UnitField
from billing.models import TEN_YEARS, Plan
from core.admin import style_form
from imports.choices import LoginUse
from imports.models import RouterImport, RouterImportProfile
from imports.services.routers.choosing import TYPES
from locations.choices import Kind

FIELDS = ("use", "plan", "plan_name", "price_sell", "price_cost", "duration_seconds")


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    """One profile. Amounts and names are checked by the service, which says what is wrong with each."""

    duration_seconds = UnitField(
        UNITS, UNIT_CHOICES, "d", TEN_YEARS, label=_("validity"), help_text=_("Of a voucher; empty: no end.")
    )

    class Meta:
        model = RouterImportProfile
        fields = FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: RouterImportProfile = self.instance
        uses = [one for one in LoginUse if choice.kind == Kind.HOTSPOT or one != LoginUse.VOUCHERS]
        self.fields["use"] = forms.ChoiceField(
            label=_("its logins become"), choices=[(one.value, one.label) for one in uses]
        )
        plans: Any = self.fields["plan"]
        plans.queryset = Plan.objects.filter(type=TYPES[choice.kind], is_active=True).order_by("name")
        plans.empty_label = _("a new plan")
        if choice.kind == Kind.PPP:
            del self.fields["duration_seconds"]
        style_form(self)

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in FIELDS if name in self.cleaned_data}

    def _post_clean(self) -> None:
        """The row is only changed by the service."""


class RunForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = RouterImport
        fields = ("billed_from", "is_sales_wanted")
        widgets = {"billed_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        style_form(self)

    def _post_clean(self) -> None:
        """The row is only changed by the service."""
