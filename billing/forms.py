"""The plan's form: durations and sizes as people write them, the speed limit in parts that are checked together."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import rate_limit
from billing.choices import DiscountKind
from billing.models import TEN_YEARS, TERMS_FIELDS, Plan
from billing.rate_limit import RateLimit
from core.admin import INPUT_CLASSES, SELECT_CLASSES, style_form
from core.errors import DomainError
from core.money import quantise

UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
UNIT_CHOICES = [
    ("m", gettext_lazy("minutes")), ("h", gettext_lazy("hours")), ("d", gettext_lazy("days")), ("w", gettext_lazy("weeks")),
]  # fmt: skip
SIZE_UNITS = {"MB": 1024**2, "GB": 1024**3}


class AmountWithUnit(forms.MultiWidget):
    """A number and its unit beside it."""

    def __init__(self, units: list[Any], attrs: dict[str, Any] | None = None) -> None:
        super().__init__([forms.NumberInput({"min": 1, "step": 1}), forms.Select(choices=units)], attrs)

    template_name = "billing/admin/amount_with_unit.html"

    def decompress(self, value: Any) -> list[Any]:
        return list(value) if value else [None, None]


class UnitField(forms.MultiValueField):
    """A whole number of the smallest unit, edited as "3 days". None when empty."""

    def __init__(self, factors: dict[str, int], units: list[Any], default: str, maximum: int, **kwargs: Any) -> None:
        self.factors, self.default, self.maximum = factors, default, maximum
        fields = (forms.IntegerField(min_value=1, required=False), forms.ChoiceField(choices=units, required=False))
        widget = AmountWithUnit(units)
        super().__init__(fields, widget=widget, required=False, require_all_fields=False, **kwargs)

    def get_bound_field(self, form: Any, field_name: str) -> Any:
        """The two controls share one label, so each says which part it is."""
        number, unit = self.widget.widgets
        label = capfirst(str(self.label))
        number.attrs["aria-label"] = label
        unit.attrs["aria-label"] = _("%(label)s, unit") % {"label": label}
        for widget, classes in ((number, INPUT_CLASSES), (unit, SELECT_CLASSES)):
            widget.attrs.setdefault("class", " ".join(classes))
        return super().get_bound_field(form, field_name)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        if not value:
            return [None, self.default]
        for unit, factor in sorted(self.factors.items(), key=lambda pair: -pair[1]):
            if value % factor == 0:
                return [value // factor, unit]
        unit, factor = min(self.factors.items(), key=lambda pair: pair[1])
        return [max(1, round(value / factor)), unit]

    def compress(self, data_list: list[Any]) -> int | None:
        if not data_list or data_list[0] in (None, ""):
            return None
        amount = int(data_list[0]) * self.factors[data_list[1] or self.default]
        if amount > self.maximum:
            raise forms.ValidationError(_("This is too much."))
        return amount

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.clean(data) != initial) if data is not None else False


def _span(label: Any, help_text: Any = "", default: str = "h") -> UnitField:
    return UnitField(UNITS, UNIT_CHOICES, default, TEN_YEARS, label=label, help_text=help_text)


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]
    duration_seconds = _span(gettext_lazy("validity"), gettext_lazy("Calendar time; empty: no end."), "d")
    uptime_limit_seconds = _span(gettext_lazy("online time limit"), gettext_lazy("Time connected; empty: no limit."))
    idle_timeout_seconds = _span(gettext_lazy("idle timeout"), gettext_lazy("Ends a session without traffic."), "m")
    keepalive_timeout_seconds = _span(
        gettext_lazy("keepalive timeout"), gettext_lazy("Ends a session whose device does not answer."), "m"
    )
    data_limit_bytes = UnitField(
        SIZE_UNITS, [("MB", "MB"), ("GB", "GB")], "GB", 10**15, label=gettext_lazy("data limit"),
        help_text=gettext_lazy("Up and down together; empty: no limit."),
    )  # fmt: skip
    speed_up = forms.CharField(
        label=gettext_lazy("upload"), required=False, max_length=12, help_text=gettext_lazy("For example 512k or 5M.")
    )
    speed_down = forms.CharField(
        label=gettext_lazy("download"), required=False, max_length=12,
        help_text=gettext_lazy("For example 2M or 20M. Both empty: no speed limit."),
    )  # fmt: skip
    burst = forms.CharField(
        label=gettext_lazy("burst speed"), required=False, max_length=24,
        help_text=gettext_lazy("Upload/download, for example 10M/40M. Empty: no burst."),
    )  # fmt: skip
    burst_threshold = forms.CharField(
        label=gettext_lazy("burst threshold"), required=False, max_length=24,
        help_text=gettext_lazy("Below this average speed a burst may start."),
    )  # fmt: skip
    burst_time = forms.CharField(
        label=gettext_lazy("burst time"), required=False, max_length=12,
        help_text=gettext_lazy("Seconds over which the average counts, for example 8/8."),
    )  # fmt: skip
    priority = forms.IntegerField(
        label=gettext_lazy("priority"), required=False, min_value=1, max_value=8,
        help_text=gettext_lazy("1 goes first, 8 last; only with a burst."),
    )  # fmt: skip
    minimum = forms.CharField(
        label=gettext_lazy("guaranteed speed"), required=False, max_length=24,
        help_text=gettext_lazy("Upload/download; only with a priority."),
    )  # fmt: skip

    class Meta:
        model = Plan
        fields = (
            "name", "type", "price_sell", "price_cost", "duration_seconds", "validity_from", "shared_users",
            "uptime_limit_seconds", "data_limit_bytes", "idle_timeout_seconds", "keepalive_timeout_seconds",
            "address_pool", "is_mac_locked", "is_active", *TERMS_FIELDS,
        )  # fmt: skip
        help_texts = {
            "price_sell": gettext_lazy("Changing it never touches vouchers already made."),
            "shared_users": gettext_lazy("How many devices may use one login at the same time."),
            "address_pool": gettext_lazy("Name of an address pool on the router; empty: the router's default."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in TERMS_FIELDS:
            if name in self.fields:
                self.fields[name].required = False  # left out: as it is, or the usual
        is_percent = self.initial.get("late_fee_kind") == DiscountKind.PERCENT
        for name in ("price_sell", "price_cost", *([] if is_percent else ["late_fee"])):
            if (
                name in self.initial and self.instance.pk
            ):  # (a reader's form has no fields) 5000 instead of 5000.00 where the currency has no cents
                self.initial[name] = quantise(self.initial[name])
        limit = rate_limit.parse(self.instance.rate_limit) if self.instance.rate_limit else None
        if limit is not None:
            self.initial.update(_parts(limit))
        style_form(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in TERMS_FIELDS:
            if cleaned.get(name) in {None, ""}:
                cleaned.pop(name, None)
        try:
            cleaned["rate_limit"] = rate_limit.normalise(_text(cleaned))
        except DomainError as error:
            self.add_error("speed_down", str(error.message))
        return cleaned


SPEED_FIELDS = ("speed_up", "speed_down", "burst", "burst_threshold", "burst_time", "priority", "minimum")


def _parts(limit: RateLimit) -> dict[str, Any]:
    """The parts of a limit as the form shows them."""
    words = limit.format().split()
    up, _slash, down = words[0].partition("/")
    names = ("burst", "burst_threshold", "burst_time", "priority", "minimum")
    return {"speed_up": up, "speed_down": down, **dict(zip(names, words[1:], strict=False))}


def _text(data: dict[str, Any]) -> str:
    """The RouterOS text of what was typed; `rate_limit.normalise` judges it."""
    up, down = (re.sub(r"\s", "", data.get(name) or "") for name in ("speed_up", "speed_down"))
    extras = [re.sub(r"\s", "", str(data.get(name) or "")) for name in SPEED_FIELDS[2:]]
    if not up and not down and not any(extras):
        return ""
    words = [f"{up or '0'}/{down or '0'}", *extras]
    while words and not words[-1]:
        words.pop()
    # a hole in the middle ("time without threshold") is left to the parser's refusal: it must not slide into its place
    return " ".join(word or "?" for word in words)
