"""Services: found among a million, and a page that says what is wanted, what the router confirmed and what is owed."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin import service_actions, service_ahead, service_extras
from billing.admin.mass import MOST_IDS
from billing.admin.mass import PERMISSION as MASS
from billing.choices import PlanChangeStatus, PlanType, SubscriptionStatus
from billing.models import TERMS_FIELDS, Addon, Invoice, PlanChange, Subscription, SubscriptionEvent
from billing.selectors import plans_on_sale, subscriptions_visible_to
from billing.selectors_services import (
    addons_running,
    charges_waiting,
    coupons_running,
    next_bill_of,
    overdue_of,
    prepay_table,
)
from billing.service_forms import SubscriptionForm
from billing.service_words import (
    EVENTS,
    address_text,
    balance_use_text,
    day_text,
    late_fee_text,
    login_words,
    next_bill_text,
    overdue_text,
    prepay_words,
    status_words,
    tax_text,
    terms_text,
    wish_text,
)
from billing.services.history import today_at
from billing.services.roots import family_ids
from billing.services.subscriptions import subscription_activate, subscription_create
from core import clock
from core.admin import AutocompleteFilter, ModelAdmin
from core.client_ip import client_ip
from core.formats import moment, money
from core.money import quantise
from locations.models import RouterEntry
from locations.selectors import choice_for, groups_visible_to, shut_address
from locations.words_balancing import choice_sentences

SHOWN_EVENTS, SHOWN_BILLS = 50, 6


@admin.register(Subscription)
class SubscriptionAdmin(ModelAdmin[Subscription]):
    form = SubscriptionForm
    nav_group, nav_icon, nav_order = "customers", "cable", 20
    list_display = ("username", "customer_name", "plan_name", "place_name", "state", "on_router", "paid_until")
    list_select_related = ("customer", "plan", "location__state", "account")
    list_filter = ("status", "type", ("plan", AutocompleteFilter), ("location", AutocompleteFilter))
    search_fields = ("username__startswith",)
    search_help_text = gettext_lazy("User name or its beginning")
    sortable_by = ()
    ordering = ("-id",)
    autocomplete_fields = ("customer", "location")
    add_fieldsets = (
        (None, {"fields": ("customer", "plan", "location", "group", "is_started", "form_key")}),
        (gettext_lazy("Login"), {"fields": ("username", "password", "static_address", "mac_address")}),
        (gettext_lazy("Agreed"), {"fields": ("price", "note")}),
        (
            gettext_lazy("Terms that differ from the plan's"),
            {
                "classes": ("collapse",), "fields": TERMS_FIELDS,
                "description": gettext_lazy("The first bill follows them. They can be changed later on the service's page."),
            },
        ),
    )  # fmt: skip
    actions = ("many",)
    confirmations = (
        "activate", "promise", "resume", "pay_ahead", "change_plan", "change_terms", "prepay_terms", "change_login",
        "add_addon", "add_charge", "enter_coupon", "end_addon", "bill_charge", "drop_charge", "end_coupon", "pause", "move",
        "open_now", "cancel_promise", "cancel_plan_change", "isolate", "end",
    )  # fmt: skip
    live_template = "billing/admin/subscription_facts.html"
    is_facts_only = True
    csv_fields = (
        "username", "type", "status", "csv_customer", "customer_name", "plan_name", "csv_price", "place_name", "billing_mode",
        "period_months", "started_on", "billed_until", "expiry_date", "static_address", "mac_address", "note",
    )  # fmt: skip
    is_file_linked = True
    audit_noun = ""
    empty_text = gettext_lazy("A service is what a customer has from you month by month: a plan, a login, a place.")

    activate = service_actions.activate
    promise = service_actions.promise
    cancel_promise = service_actions.cancel_promise
    pause = service_actions.pause
    resume = service_actions.resume
    pay_ahead = service_ahead.pay_ahead
    prepay_terms = service_ahead.prepay_terms
    change_plan = service_actions.change_plan
    cancel_plan_change = service_actions.cancel_plan_change
    change_terms = service_actions.change_terms
    change_login = service_actions.change_login
    move = service_actions.move
    open_now = service_actions.open_now
    add_addon = service_extras.add_addon
    add_charge = service_extras.add_charge
    enter_coupon = service_extras.enter_coupon
    end_addon = service_extras.end_addon
    bill_charge = service_extras.bill_charge
    drop_charge = service_extras.drop_charge
    end_coupon = service_extras.end_coupon
    isolate = service_actions.isolate
    end = service_actions.end

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        rows = subscriptions_visible_to(request.user)  # type: ignore[arg-type]
        return rows.select_related(*self.list_select_related).defer("customer__search").order_by("-id")

    def has_delete_permission(self, request: HttpRequest, obj: Subscription | None = None) -> bool:
        """Bills need their service: it is ended, never deleted."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Subscription | None = None) -> bool:
        """There is no form of an existing service; its steps ask for `billing.change_subscription` themselves."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is not None else self.add_fieldsets

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is None:
            user: Any = request.user
            rows: Any
            for name, rows in (("plan", plans_on_sale(user).order_by("name")), ("group", groups_visible_to(user))):
                # a copy: the declared field belongs to all threads, and another person's choices must not show up here
                field = form.base_fields[name] = deepcopy(form.base_fields[name])
                field.queryset = rows
        return form

    def save_model(self, request: HttpRequest, obj: Subscription, form: Any, change: bool) -> None:
        data = dict(form.cleaned_data)
        is_started, key = data.pop("is_started"), data.pop("form_key")
        data |= data.pop("agreed")
        if data["price"] is None:
            data.pop("price")
        who: dict[str, Any] = {"actor": request.user, "ip": client_ip(request)}
        saved = subscription_create(**data, **who, request_key=f"form:{key}"[:64])
        if is_started and saved.started_on is None:
            saved = subscription_activate(saved, **who)
        obj.__dict__.update(saved.__dict__)

    def response_post_save_add(self, request: HttpRequest, obj: Subscription) -> HttpResponseRedirect:
        """To its page, which shows login, bill and router."""
        return HttpResponseRedirect(reverse("admin:billing_subscription_change", args=[obj.pk]))

    @admin.action(description=gettext_lazy("Change many at once"), permissions=["mass"])
    def many(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> HttpResponseRedirect | None:
        """To the page that counts first."""
        ids = list(queryset.values_list("pk", flat=True)[: MOST_IDS + 1])
        if len(ids) > MOST_IDS:
            text = _("At most %(n)d services by hand. Choose a location, plan or state on the page for many instead.")
            messages.error(request, text % {"n": MOST_IDS})
            return None
        return HttpResponseRedirect(reverse("admin:billing_many") + f"?ids={','.join(map(str, ids))}")

    def has_mass_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MASS)

    # --- columns ----------------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("customer"))
    def customer_name(self, row: Subscription) -> str:
        return row.customer.name

    @admin.display(description=gettext_lazy("plan"))
    def plan_name(self, row: Subscription) -> str:
        return row.plan.name

    @admin.display(description=gettext_lazy("location"))
    def place_name(self, row: Subscription) -> str:
        return row.location.name

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Subscription) -> Any:
        return status_words(row.status).html()

    @admin.display(description=gettext_lazy("router"))
    def on_router(self, row: Subscription) -> Any:
        words = login_words(row)
        return words.html() if words else "–"

    @admin.display(description=gettext_lazy("paid until"))
    def paid_until(self, row: Subscription) -> str:
        return day_text(row.expiry_date)

    @admin.display(description=gettext_lazy("customer number"))
    def csv_customer(self, row: Subscription) -> str:
        return row.customer.number

    @admin.display(description=gettext_lazy("per month"))
    def csv_price(self, row: Subscription) -> Decimal:
        return quantise(row.plan.price_sell if row.price is None else row.price)

    # --- page -------------------------------------------------------------------------------------------------------

    def facts(self, request: HttpRequest, row: Subscription) -> dict[str, Any]:
        today = today_at(row, clock.now())
        overdue = overdue_of(row, today)
        words = login_words(row)
        is_waiting = row.account is not None and not row.account.is_synced
        return {
            "service": row,
            "words": status_words(row.status),
            "customer_url": _page("admin:customers_customer_change", row.customer_id),
            "overdue": overdue_text(row, overdue, today) if row.started_on else "",
            "wish": wish_text(row),
            "login_words": words,
            "login_url": _page("admin:locations_accessaccount_change", row.account_id),
            "fact_rows": _facts(request, row),
            "bills": _bills(row),
            "timeline": _timeline(row),
            "poll": f"every {5 if is_waiting else 20}s [document.visibilityState=='visible']",
        }


def _page(name: str, pk: int | None) -> str:
    """The address of a page, or nothing while there is none."""
    try:
        return reverse(name, args=[pk]) if pk else ""
    except NoReverseMatch:
        return ""


def _shut(row: Subscription) -> RouterEntry | None:
    is_over = row.status == SubscriptionStatus.ENDED and row.type == PlanType.STATIC and row.static_address
    return shut_address(row.location_id, str(row.static_address)) if is_over else None


def _facts(request: HttpRequest, row: Subscription) -> list[tuple[str, str]]:
    price = row.plan.price_sell if row.price is None else row.price
    next_bill = next_bill_of(row)
    waiting = (
        PlanChange.objects.filter(subscription=row, status=PlanChangeStatus.WAITING).select_related("to_plan").first()
    )
    may_see_password = request.user.has_perm("billing.change_subscription")
    addons = [_addon_text(addon) for addon in addons_running(row, today_at(row, clock.now()))]
    charges = [f"{charge.name} ({money(charge.amount)})" for charge in charges_waiting(row)]
    coupons = [use.coupon.code for use in coupons_running(row)]
    choice = choice_for(f"subscription:{row.pk}")
    rows = [
        (_("User name"), row.username),
        (_("Password"), row.password or "" if may_see_password else ""),
        (_("Type"), row.get_type_display()),
        (_("Plan"), row.plan.name),
        (_("Per month"), money(price)),
        (_("Location"), row.location.name),
        (_("Why there"), " ".join(choice_sentences(choice.details)) if choice else ""),
        (_("Static address"), address_text(row, _shut(row))),
        (_("MAC address (caller lock)"), row.mac_address),
        (_("Terms"), terms_text(row)),
        (_("Tax"), tax_text(row)),
        (_("Late fee"), late_fee_text(row)),
        (_("Balance"), balance_use_text(row)),
        (_("Months paid ahead"), prepay_words(prepay_table(row))),
        (_("Started"), day_text(row.started_on) if row.started_on else ""),
        (_("Paid until"), day_text(row.expiry_date) if row.expiry_date else ""),
        (_("Next bill"), next_bill_text(next_bill) if next_bill else ""),
        (_("Plan from then on"), f"{day_text(waiting.effective_on)}: {waiting.to_plan.name}" if waiting else ""),
        (_("Comes back on"), day_text(row.resume_on) if row.resume_on else ""),
        (_("Add-ons"), ", ".join(addons)),
        (_("Waits for the next bill"), ", ".join(charges)),
        (_("Coupons"), ", ".join(coupons)),
        (_("Note"), row.note),
    ]
    return [(label, str(value)) for label, value in rows if value]


def _addon_text(addon: Addon) -> str:
    text = f"{addon.name} ({money(addon.amount)})"
    if addon.until_on is None:
        return text
    return _("%(addon)s until %(day)s") % {"addon": text, "day": day_text(addon.until_on - timedelta(days=1))}


def _bills(row: Subscription) -> list[dict[str, Any]]:
    # by customer, for that is the index; with those merged into him: their bills stay where they were made
    family = family_ids([row.customer_id])
    rows = Invoice.objects.filter(customer_id__in=family, subscription=row).order_by("-id")[:SHOWN_BILLS]
    return [
        {
            "number": str(bill),
            "url": _page("admin:billing_invoice_change", bill.pk),
            "kind": bill.get_kind_display(),
            "total": money(bill.total),
            "due": day_text(bill.due_on),
            "status": bill.get_status_display(),
        }
        for bill in rows
    ]


def _timeline(row: Subscription) -> list[dict[str, str]]:
    events = SubscriptionEvent.objects.filter(subscription=row).select_related("actor").order_by("-id")[:SHOWN_EVENTS]
    zone = row.location.timezone
    return [
        {
            "what": str(EVENTS.get(event.kind, event.kind.replace("_", " "))),
            "more": event.reason,
            "when": moment(event.at, zone),
            "who": str(event.actor) if event.actor else _("the system"),
        }
        for event in events
    ]
