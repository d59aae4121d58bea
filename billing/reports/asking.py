"""What a person asks a report for, read from an address and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from billing.reports.days import month_start, today_in, zone_of
from core.errors import DomainError
from locations.models import Location
from locations.selectors import locations_visible_to

MAX_DAYS, MAX_MONTHS = 366, 120
GROUP_LABELS: dict[str, str | Promise] = {
    "day": gettext_lazy("day"), "month": gettext_lazy("month"), "plan": gettext_lazy("plan"),
    "location": gettext_lazy("location"), "actor": gettext_lazy("operator"), "agent": gettext_lazy("agent"),
    "method": gettext_lazy("method"), "account": gettext_lazy("account"),
}  # fmt: skip


@dataclass(frozen=True)
class Ask:
    """A span of days (both included) or the one day `to_on`, perhaps of one location, grouped by something."""

    from_on: date
    to_on: date
    now: datetime
    by: str = ""
    location: Location | None = None

    @property
    def zone(self) -> str:
        return zone_of(self.location)

    @property
    def location_id(self) -> int | None:
        return self.location.pk if self.location else None


class AskForm(forms.Form):
    """The filter of a report. Fields a report does not use are left out; an address without them means this month."""

    def __init__(
        self, data: Mapping[str, Any], *, user: User, now: datetime, groups: tuple[str, ...], is_of_a_day: bool
    ) -> None:
        super().__init__(None)
        places = locations_visible_to(user).order_by("name")
        if not is_of_a_day:
            self.fields["from"] = _day_field(gettext_lazy("from"))
        self.fields["to"] = _day_field(gettext_lazy("as of") if is_of_a_day else gettext_lazy("to"))
        self.fields["location"] = forms.ModelChoiceField(
            places, required=False, label=gettext_lazy("location"), empty_label=gettext_lazy("all locations")
        )
        if len(groups) > 1:
            choices = [(name, GROUP_LABELS[name]) for name in groups]
            self.fields["by"] = forms.ChoiceField(choices=choices, required=False, label=gettext_lazy("by"))
        today = today_in(zone_of(None), now)
        usual: dict[str, Any] = {"from": month_start(today), "to": today, "by": groups[0] if groups else ""}
        self.data, self.is_bound = {**usual, **{k: v for k, v in data.items() if k in self.fields and v}}, True
        self._now, self._groups = now, groups

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("from"), data.get("to")
        if first and last:
            days = (last - first).days
            if days < 0:
                self.add_error("to", _("The last day lies before the first."))
            elif data.get("by") == "day" and days >= MAX_DAYS:
                self.add_error("by", _("A year at most by day; choose by month."))
            elif days > MAX_MONTHS * 31:
                self.add_error("from", _("Ten years at most."))
        return data

    def ask(self) -> Ask:
        """Raises DomainError with the fields that are wrong."""
        if not self.is_valid():
            fields = {name: " ".join(map(str, errors)) for name, errors in self.errors.items()}
            raise DomainError("report.filter", _("This report cannot be made like that."), fields=fields)
        data = self.cleaned_data
        by = data.get("by") or (self._groups[0] if self._groups else "")
        return Ask(data.get("from") or data["to"], data["to"], self._now, by, data.get("location"))


def _day_field(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label, input_formats=["%Y-%m-%d"], widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
