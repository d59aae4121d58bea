"""Plans: what is sold, and where."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.forms import SPEED_FIELDS, PlanForm
from billing.models import Plan, PlanLocation, PrepayDiscount
from billing.selectors import plans_on_sale
from billing.services import (
    plan_change,
    plan_create,
    plan_publish,
    plan_speed_rollout,
    plan_unpublish,
    prepay_discounts_put,
)
from billing.words import plan_terms
from core import clock
from core.admin import Confirmation, ConfirmForm, ModelAdmin, TabularInline
from core.client_ip import client_ip
from core.formats import money
from core.panels import FirstStep, add_first_step
from core.words import Tone, Words
from locations.choices import RolloutMode
from locations.models import Location, RouterProfile, RouterSession
from locations.selectors import locations_visible_to
from locations.services import profiles_compare
from locations.words import fact_of, row_words


def _places_form(places: QuerySet[Location], checked: bool) -> type[ConfirmForm]:
    class PlacesForm(ConfirmForm):
        locations = forms.ModelMultipleChoiceField(
            places, label=gettext_lazy("locations"), widget=forms.CheckboxSelectMultiple,
            initial=list(places) if checked else None,
        )  # fmt: skip

    return PlacesForm


class PrepayInline(TabularInline):
    """Bounded by months: at most 23 rows."""

    model = PrepayDiscount
    fields = ("months", "percent")
    max_num = 23


@admin.register(Plan)
class PlanAdmin(ModelAdmin[Plan]):
    form = PlanForm
    nav_group, nav_icon, nav_order = "sell", "sell", 40
    is_small_table = True
    list_display = ("name", "type", "price", "terms", "speed_text", "published", "on_sale")
    list_filter = ("type", "is_active")
    search_fields = ("name__icontains",)
    search_help_text = gettext_lazy("Name")
    sortable_by = ("name",)
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "type", "is_active")}),
        (gettext_lazy("Price"), {"fields": ("price_sell", "price_cost")}),
        (
            gettext_lazy("Terms"),
            {
                "fields": (
                    "duration_seconds", "validity_from", "uptime_limit_seconds", "data_limit_bytes", "shared_users",
                    "is_mac_locked",
                )
            },
        ),
        (
            gettext_lazy("Billing of subscriptions"),
            {
                "fields": (
                    "billing_mode", "period_mode", "period_months", "fixed_day", "first_bill", "due_days", "grace_days",
                    "tax_mode", "late_fee_kind", "late_fee", "late_fee_days", "is_auto_renewed",
                )
            },
        ),
        (gettext_lazy("Speed"), {"fields": SPEED_FIELDS}),
        (gettext_lazy("On the router"), {"fields": ("idle_timeout_seconds", "keepalive_timeout_seconds", "address_pool")}),
    )  # fmt: skip
    inlines = (PrepayInline,)
    confirmations = ("publish", "unpublish", "speed", "compare")
    live_template = "billing/admin/plan_facts.html"
    audit_noun = ""
    empty_text = gettext_lazy(
        "A plan is what you sell: price, time, speed. Publish it to a location, then make vouchers of it."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        rows = Plan.objects.all()
        if not request.user.has_perm("billing.change_plan"):
            rows = plans_on_sale(request.user)  # type: ignore[arg-type]
        return rows.order_by("name")

    def has_delete_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        """Plans of vouchers stay for ever; take one off sale instead."""
        return False

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:
        actor: Any = request.user
        names = [*PlanForm.Meta.fields, "rate_limit"]
        fields = {name: form.cleaned_data[name] for name in names if name in form.cleaned_data}
        if change:
            plan_change(obj, actor=actor, ip=client_ip(request), **fields)
            return
        saved = plan_create(actor=actor, ip=client_ip(request), **fields)
        obj.pk, obj._state.adding = saved.pk, False

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """The discounts for months ahead, as a whole."""
        rows = [entry.cleaned_data for entry in formset.forms if entry.is_valid() and entry.cleaned_data]
        wanted = {row["months"]: row["percent"] for row in rows if not row.get("DELETE")}
        actor: Any = request.user
        prepay_discounts_put(form.instance, wanted, actor=actor, ip=client_ip(request))
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []

    def decorate(self, request: HttpRequest, rows: list[Plan]) -> None:
        places = PlanLocation.objects.filter(plan__in=[row.pk for row in rows]).values_list("plan_id")
        counts = dict(places.annotate(n=Count("pk")))
        for row in rows:
            row._published = counts.get(row.pk, 0)  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("price"))
    def price(self, row: Plan) -> str:
        return money(row.price_sell)

    @admin.display(description=gettext_lazy("terms"))
    def terms(self, row: Plan) -> str:
        return plan_terms(row)

    @admin.display(description=gettext_lazy("speed"))
    def speed_text(self, row: Plan) -> str:
        return row.rate_limit.split()[0] if row.rate_limit else _("no limit")

    @admin.display(description=gettext_lazy("published at"))
    def published(self, row: Plan) -> str:
        n = getattr(row, "_published", 0)
        return ngettext("%(n)d location", "%(n)d locations", n) % {"n": n}

    @admin.display(description=gettext_lazy("state"))
    def on_sale(self, row: Plan) -> Any:
        if row.is_active:
            return Words(Tone.GOOD, "check_circle", _("on sale")).html()
        return Words(Tone.QUIET, "block", _("not on sale")).html()

    def facts(self, request: HttpRequest, row: Plan) -> dict[str, Any]:
        visible = locations_visible_to(request.user).values("pk")  # type: ignore[arg-type]
        rows = PlanLocation.objects.filter(plan=row, location__in=visible)
        places = [
            {
                "name": place.location.name,
                "url": reverse("admin:locations_location_change", args=[place.location_id]),
                "profile": place.profile.name,
                "words": row_words(
                    fact_of(place.profile, location=place.location, state=getattr(place.location, "state", None))
                ),
            }
            for place in rows.select_related("location__state", "profile").order_by("location__name")
        ]
        return {"places": places}

    # --- actions ----------------------------------------------------------------------------------------------------

    def publish(self, request: HttpRequest, row: Plan) -> Confirmation | None:
        here = PlanLocation.objects.filter(plan=row).values("location_id")
        user: Any = request.user
        free = locations_visible_to(user).filter(is_active=True).exclude(pk__in=here).order_by("name")
        if not free:
            return None

        def run(data: dict[str, Any]) -> str:
            done = plan_publish(row, data["locations"], actor=user, ip=client_ip(request))
            return ngettext("Published to %(n)d location.", "Published to %(n)d locations.", len(done)) % {
                "n": len(done)
            }

        return Confirmation(
            title=_("Publish"), button=_("Publish"), run=run, icon="publish", is_primary=True,
            question=_("Put “%(name)s” on the routers of these locations?") % {"name": row.name},
            form=_places_form(free, checked=True), permission="billing.publish_plan",
        )  # fmt: skip

    def unpublish(self, request: HttpRequest, row: Plan) -> Confirmation | None:
        user: Any = request.user
        here = PlanLocation.objects.filter(plan=row).values("location_id")
        places = locations_visible_to(user).filter(pk__in=here).order_by("name")
        if not places:
            return None

        def run(data: dict[str, Any]) -> str:
            n = plan_unpublish(row, data["locations"], actor=user, ip=client_ip(request))
            return ngettext("Taken off %(n)d location.", "Taken off %(n)d locations.", n) % {"n": n}

        return Confirmation(
            title=_("Take off locations"), button=_("Take off"), run=run, icon="undo", is_danger=True,
            question=_("Take “%(name)s” off these locations? This works only where nothing uses it.") % {"name": row.name},
            form=_places_form(places, checked=False), permission="billing.publish_plan",
        )  # fmt: skip

    def compare(self, request: HttpRequest, row: Plan) -> Confirmation | None:
        """Its profile and logins at every router, against what is wanted."""
        user: Any = request.user
        here = PlanLocation.objects.filter(plan=row, location__in=locations_visible_to(user).values("pk"))
        profiles = RouterProfile.objects.filter(pk__in=here.values("profile_id"))
        if not here.exists():
            return None

        def run(data: dict[str, Any]) -> str:
            n = profiles_compare(profiles, now=clock.now(), actor=user, ip=client_ip(request))
            text = ngettext("%(n)d router is compared now.", "%(n)d routers are compared now.", n)
            return text % {"n": n}

        return Confirmation(
            title=_("Compare on routers"), button=_("Compare now"), run=run, icon="sync", is_direct=True,
            question=_("Look at “%(name)s” on its routers now?") % {"name": row.name},
            permission="locations.repair_location",
        )  # fmt: skip

    def speed(self, request: HttpRequest, row: Plan) -> Confirmation | None:
        """The plan's speed for everybody who is online with it, with their number."""
        user: Any = request.user
        here = PlanLocation.objects.filter(plan=row)
        places = locations_visible_to(user).filter(pk__in=here.values("location_id")).order_by("name")
        online = RouterSession.objects.filter(
            account__profile__in=here.values("profile_id"), location__in=places
        ).count()
        if not places or not online:
            return None

        def run(data: dict[str, Any]) -> str:
            n = plan_speed_rollout(
                row, data["locations"], mode=data["mode"], now=clock.now(), actor=user, ip=client_ip(request)
            )  # fmt: skip
            text = ngettext(
                "The new speed is on its way at %(n)d location.", "The new speed is on its way at %(n)d locations.", n
            )
            return text % {"n": n}

        question = ngettext(
            "%(n)d session runs with “%(name)s”. When does it get the plan's speed?",
            "%(n)d sessions run with “%(name)s”. When do they get the plan's speed?", online,
        )  # fmt: skip
        return Confirmation(
            title=_("Bring the speed to who is online"), button=_("Change speed"), run=run, icon="speed",
            question=question % {"name": row.name, "n": online}, form=_speed_form(places), affected=online,
            permission="billing.publish_plan",
        )  # fmt: skip


def _speed_form(places: QuerySet[Location]) -> type[ConfirmForm]:
    class SpeedForm(_places_form(places, checked=True)):  # type: ignore[misc]
        mode = forms.ChoiceField(label=gettext_lazy("when"), choices=RolloutMode.choices)

    return SpeedForm


def _has_published_plan() -> bool:
    return PlanLocation.objects.exists()


add_first_step(
    FirstStep(
        title=gettext_lazy("Create a plan"),
        text=gettext_lazy("Price, time and speed of what you sell, for example 1 day for Rp 5.000."),
        button=gettext_lazy("Create a plan"),
        url_name="admin:billing_plan_add",
        permission="billing.add_plan",
        is_done=Plan.objects.exists,
        order=20,
    )
)
add_first_step(
    FirstStep(
        title=gettext_lazy("Publish your plan"),
        text=gettext_lazy("Choose the locations where the plan is sold; its profile is then put on their routers."),
        button=gettext_lazy("Open the plans"),
        url_name="admin:billing_plan_changelist",
        permission="billing.publish_plan",
        is_done=_has_published_plan,
        order=30,
    )
)
