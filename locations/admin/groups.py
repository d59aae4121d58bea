"""Groups among which new customers are shared out, and the choices made, each with its reasons."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin import ModelAdmin, ReadOnlyMixin
from core.client_ip import client_ip
from core.errors import DomainError
from core.formats import moment, number
from locations.choices import Strategy
from locations.models import Location, LocationChoice, LocationGroup
from locations.selectors import choices_visible_to, groups_visible_to
from locations.services import group_put, group_remove, location_preview
from locations.words_balancing import choice_sentences


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]
    members = forms.ModelMultipleChoiceField(
        Location.objects.order_by("name"), label=gettext_lazy("locations"), widget=forms.CheckboxSelectMultiple
    )
    paused = forms.ModelMultipleChoiceField(
        Location.objects.order_by("name"), label=gettext_lazy("paused"), widget=forms.CheckboxSelectMultiple,
        required=False, help_text=gettext_lazy("These get nothing new for now."),
    )  # fmt: skip

    class Meta:
        model = LocationGroup
        fields = ("name", "strategy", "manual_location", "max_cpu_load")
        help_texts = {
            "manual_location": gettext_lazy("Only for “always the one chosen here”."),
            "max_cpu_load": gettext_lazy("A router with this load or more gets nothing new while others can take it."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            places = self.instance.places
            self.initial.setdefault("members", list(places.values_list("location_id", flat=True)))
            self.initial.setdefault("paused", list(places.filter(is_paused=True).values_list("location_id", flat=True)))

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        is_manual = data.get("strategy") == Strategy.MANUAL
        if is_manual and data.get("manual_location") not in list(data.get("members") or []):
            self.add_error("manual_location", _("Choose one of the group's locations."))
        return data


@admin.register(LocationGroup)
class LocationGroupAdmin(ModelAdmin[LocationGroup]):
    form = GroupForm
    nav_group, nav_icon, nav_order = "routers", "share", 50
    is_small_table = True
    list_display = ("name", "strategy", "members_text")
    search_fields = ("name__icontains",)
    search_help_text = gettext_lazy("Name")
    sortable_by = ("name",)
    ordering = ("name",)
    autocomplete_fields = ("manual_location",)
    fieldsets = ((None, {"fields": ("name", "strategy", "manual_location", "members", "paused", "max_cpu_load")}),)
    live_template = "locations/admin/group_facts.html"
    audit_noun = ""
    empty_text = gettext_lazy("A group shares new customers out among several locations and says why it chose one.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LocationGroup]:
        return groups_visible_to(request.user).prefetch_related("places__location")  # type: ignore[arg-type]

    def save_model(self, request: HttpRequest, obj: LocationGroup, form: Any, change: bool) -> None:
        data, actor = form.cleaned_data, request.user
        fields = {name: data[name] for name in GroupForm.Meta.fields if name in data}
        saved = group_put(
            obj if change else None, locations=data["members"], paused=data["paused"], actor=actor,  # type: ignore[arg-type]
            ip=client_ip(request), **fields,
        )  # fmt: skip
        obj.pk, obj._state.adding = saved.pk, False

    def delete_model(self, request: HttpRequest, obj: LocationGroup) -> None:
        group_remove(obj, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]

    @admin.display(description=gettext_lazy("locations"))
    def members_text(self, row: LocationGroup) -> str:
        return ", ".join(place.location.name for place in row.places.all()) or "–"

    def facts(self, request: HttpRequest, row: LocationGroup) -> dict[str, Any]:
        """What would be chosen now, and each location's numbers."""
        try:
            choice = location_preview(row)
        except DomainError as error:
            return {"sentences": [error.message], "rows": []}
        rows = [
            {
                "name": one["name"], "url": reverse("admin:locations_location_change", args=[one["location"]]),
                "users": number(one["users"]), "online": number(one["sessions"]), "logins": number(one["accounts"]),
                "capacity": number(one["capacity"]) if one["capacity"] else "–",
                "cpu": f"{one['cpu_load']} %" if one["cpu_load"] is not None else "–",
            }
            for one in choice.details["candidates"]
        ]  # fmt: skip
        return {"sentences": choice_sentences(choice.details), "rows": rows}


@admin.register(LocationChoice)
class LocationChoiceAdmin(ReadOnlyMixin, ModelAdmin[LocationChoice]):
    nav_group, nav_icon, nav_order = "routers", "alt_route", 60
    list_display = ("chosen_at", "location", "group", "subject", "name", "strategy")
    list_select_related = ("location", "group")
    list_filter = ("strategy",)
    search_fields = ("subject__startswith",)
    search_help_text = gettext_lazy("What it was for, or its beginning")
    sortable_by = ()
    ordering = ("-id",)
    live_template = "locations/admin/choice_facts.html"
    is_facts_only = True
    empty_text = gettext_lazy("Every location chosen by a group is written down here with its reasons.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LocationChoice]:
        return choices_visible_to(request.user).select_related("location", "group", "actor")  # type: ignore[arg-type]

    def facts(self, request: HttpRequest, row: LocationChoice) -> dict[str, Any]:
        facts = [
            (_("Group"), row.group.name if row.group else "–"),
            (_("For"), row.subject or "–"),
            (_("Name"), row.name or "–"),
            (_("Chosen"), moment(row.chosen_at, row.location.timezone)),
            (_("By"), str(row.actor) if row.actor else "–"),
        ]
        return {"sentences": choice_sentences(row.details), "fact_rows": facts}
