"""The forms of a location: itself, with a password nobody can read back, and who works there."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from core.admin import ConfirmForm, SecretField
from locations.models import Location

HOME_ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")


def zone_choices() -> list[Any]:
    others = sorted(zone for zone in available_timezones() if "/" in zone and zone not in HOME_ZONES)
    return [
        (_("Indonesia"), [(zone, zone) for zone in HOME_ZONES]),
        (_("Elsewhere"), [(zone, zone) for zone in [*others, "UTC"]]),
    ]


class LocationForm(forms.ModelForm):  # type: ignore[type-arg]
    tls_fingerprint = forms.CharField(
        label=gettext_lazy("certificate SHA-256"), required=False, max_length=200,
        help_text=gettext_lazy("Empty until somebody compared it: the page “Certificate” of the location shows how."),
    )  # fmt: skip
    password = SecretField(label=gettext_lazy("router password"))
    hotspot_dns = forms.RegexField(
        r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$", required=False, max_length=253,
        label=gettext_lazy("name of the login page"),
        help_text=gettext_lazy("DNS name of the hotspot's login page; QR codes on vouchers lead there."),
    )  # fmt: skip

    class Meta:
        model = Location
        fields = (
            "name", "host", "port", "username", "password", "tls_mode", "tls_fingerprint", "timezone", "latitude",
            "longitude", "is_active", "isolation_method", "isolation_rate_limit", "isolation_list",
            "isolation_page_address", "isolation_page_port", "isolation_allowed_hosts", "speed_change_pace",
            "drift_repair", "drift_repair_hour", "capacity", "writes_per_second",
        )  # fmt: skip
        help_texts = {
            "host": gettext_lazy("Host name or IP address of the router, as this server reaches it."),
            "port": gettext_lazy("8728 without encryption, 8729 with TLS."),
            "username": gettext_lazy("A router user with the policies read, write, api and test."),
            "timezone": gettext_lazy("Days and times of this place are counted in it."),
            "is_active": gettext_lazy("Switched off: nothing is read from or written to this router."),
            "isolation_method": gettext_lazy(
                "How unpaid subscribers are held back. Everyone isolated now is written anew when you change it."
            ),
            "isolation_rate_limit": gettext_lazy("Upload/download of the isolated, for example 64k/64k."),
            "isolation_list": gettext_lazy("The firewall knows the isolated by this list."),
            "isolation_page_address": gettext_lazy(
                "IP address of the server that shows the isolation page. With it we put the firewall rules on the router, "
                "before its other rules. Empty: your own rules decide what the address list means."
            ),
            "isolation_allowed_hosts": gettext_lazy(
                "Payment gateways and others they may still reach, one a line. This server is always among them."
            ),
            "speed_change_pace": gettext_lazy("When a plan's new speed shall hold at once."),
            "writes_per_second": gettext_lazy(
                "Empty: as many as the router answers in good time, and fewer while its CPU is busy."
            ),
            "capacity": gettext_lazy("Groups of locations put nobody new here beyond it. Empty: no limit."),
            "drift_repair": gettext_lazy(
                "Compared every six hours. After a restart, a reset or a new router everything is always repaired."
            ),
            "drift_repair_hour": gettext_lazy("0 to 23, in the time zone of this place; for “once a day”."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("hotspot_dns", (self.instance.settings or {}).get("hotspot_dns", ""))
        zone = self.fields.get("timezone")
        if zone is not None:
            classes = zone.widget.attrs
            zone.widget = forms.Select(choices=zone_choices(), attrs=classes)
        if not self.instance.pk and "password" in self.fields:
            self.fields["password"].help_text = _("Stored encrypted and never shown again.")

    def _get_validation_exclusions(self) -> set[str]:
        # an empty password keeps the stored one, which is not for this form to judge
        return {*super()._get_validation_exclusions(), "password"}  # type: ignore[misc]

    def clean_password(self) -> str:
        return str(self.cleaned_data["password"] or self.instance.password)


def staff_form(staff: QuerySet[User]) -> type[ConfirmForm]:
    """Choose from these people."""

    class StaffForm(ConfirmForm):
        staff_members = forms.ModelMultipleChoiceField(
            staff, label=gettext_lazy("staff"), widget=forms.CheckboxSelectMultiple
        )

    return StaffForm
