"""Customers: found among a million, their page of facts, merged, erased, exported."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin import AutocompleteFilter, ModelAdmin, TabularInline
from core.client_ip import client_ip
from core.errors import DomainError
from core.money import quantise
from core.panels import RowLink, add_row_link
from customers.admin import actions as customer_actions
from customers.admin.facts import facts_of, preview_lines
from customers.admin.filters import ActiveFilter, MoneyFilter, TagFilter
from customers.forms import ContactForm, CustomerForm
from customers.models import Contact, Customer
from customers.phones import phone_text
from customers.searching import text_found
from customers.selectors import customers_visible_to
from customers.services import (
    contact_add,
    contact_change,
    contact_remove,
    customer_change,
    customer_create,
    customers_exported,
    customers_merge,
    customers_merge_preview,
)
from customers.words import balance_text, balance_words, customer_name, state_words


class ContactInline(TabularInline):
    model = Contact
    form = ContactForm
    fields = ("name", "role", "phone", "email")
    max_num = 20
    verbose_name = gettext_lazy("somebody else to reach")
    verbose_name_plural = gettext_lazy("others to reach")


@admin.register(Customer)
class CustomerAdmin(ModelAdmin[Customer]):
    form = CustomerForm
    nav_group, nav_icon, nav_order = "customers", "person", 10
    list_display = ("name_text", "number", "phone_shown", "balance_now", "location", "state_now")
    list_select_related = ("location",)
    list_filter = (MoneyFilter, ActiveFilter, TagFilter, ("location", AutocompleteFilter))
    search_fields = ("number__startswith",)
    search_help_text = gettext_lazy("Name, phone, number, user name or e-mail address")
    sortable_by = ()
    ordering = ("-id",)
    autocomplete_fields = ("location",)
    fieldsets = (
        (None, {"fields": ("name", "phone", "email", "language", "request_key")}),
        (gettext_lazy("Place"), {"fields": ("address", "location", "area", "latitude", "longitude")}),
        (gettext_lazy("Remarks"), {"fields": ("tags", "notes", "is_active")}),
    )
    confirmations = ("note", "consent", "document", "merge", "undo_merge", "erase")
    live_template = "customers/admin/customer_facts.html"
    csv_fields: ClassVar[Sequence[str]] = (
        "number", "csv_name", "csv_phone", "email", "address", "location", "area", "csv_tags", "latitude", "longitude",
        "notes", "language", "csv_balance", "csv_debt", "csv_active", "created_at",
    )  # fmt: skip
    audit_noun = ""
    empty_text = gettext_lazy("A customer is somebody who pays for a service: a name, a phone number, a place.")

    note = customer_actions.note
    consent = customer_actions.consent
    document = customer_actions.document
    merge = customer_actions.merge
    undo_merge = customer_actions.undo_merge
    erase = customer_actions.erase

    # --- rows -------------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        rows = customers_visible_to(request.user)  # type: ignore[arg-type]
        return rows.defer("search").select_related("location").order_by("-id")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Also for the choice of a customer in other forms. Merged rows are reached through the one that stayed."""
        found = text_found(search_term, customers_visible_to(request.user))  # type: ignore[arg-type]
        rows = queryset.filter(merged_into=None)
        return (rows if found is None else rows.filter(found)), False

    def has_change_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        is_closed = obj is not None and not customer_actions.is_open(obj)
        return not is_closed and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        """Bills need their customer: a person is erased, a row never deleted."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Customer | None = None) -> Any:
        """Without the right to change, the facts say everything; an existing row needs no key against pressing twice."""
        if obj is None:
            return self.fieldsets
        if not self.has_change_permission(request, obj):
            return ()
        first = {"fields": ("name", "phone", "email", "language")}
        return ((None, first), *self.fieldsets[1:])

    def get_inlines(self, request: HttpRequest, obj: Customer | None) -> Any:
        return (ContactInline,) if obj is not None and self.has_change_permission(request, obj) else ()

    # --- writing ----------------------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        actor: Any = request.user
        if change:
            saved = customer_change(obj, actor=actor, ip=client_ip(request), **form.changes())
        else:
            saved = customer_create(actor=actor, ip=client_ip(request), **form.changes())
        obj.__dict__.update(saved.__dict__)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Contacts, each through its service."""
        actor: Any = request.user
        who = {"actor": actor, "ip": client_ip(request)}
        formset.save(commit=False)  # writes nothing; sorts rows into new, changed and deleted
        rows = {entry.instance.pk: entry for entry in formset.initial_forms}
        for contact in formset.deleted_objects:
            contact_remove(contact, **who)
        for contact, names in formset.changed_objects:
            contact_change(contact, **{name: rows[contact.pk].cleaned_data[name] for name in names}, **who)
        for entry in formset.extra_forms:
            if entry.has_changed() and not entry.cleaned_data.get("DELETE"):
                contact_add(
                    form.instance, **{name: entry.cleaned_data[name] for name in ContactForm.Meta.fields}, **who
                )

    def response_post_save_add(self, request: HttpRequest, obj: Customer) -> HttpResponseRedirect:
        """To the customer's page: a service comes next."""
        return HttpResponseRedirect(reverse("admin:customers_customer_change", args=[obj.pk]))

    # --- columns ----------------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("name"))
    def name_text(self, row: Customer) -> Any:
        return format_html("<bdi>{}</bdi>", customer_name(row))

    @admin.display(description=gettext_lazy("phone"))
    def phone_shown(self, row: Customer) -> str:
        return phone_text(row.phone) or "–"

    @admin.display(description=gettext_lazy("money"))
    def balance_now(self, row: Customer) -> Any:
        return balance_words(row.balance, row.debt).html()

    @admin.display(description=gettext_lazy("state"))
    def state_now(self, row: Customer) -> Any:
        return state_words(row).html()

    # --- CSV --------------------------------------------------------------------------------------------------------

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        if not request.user.has_perm("customers.export_customer"):
            actions.pop("export_csv", None)
        return actions

    def export_csv(self, request: HttpRequest, queryset: QuerySet[Customer]) -> HttpResponse:
        """The chosen customers as a CSV file; that somebody took it is written down."""
        customers_exported(actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
        return super().export_csv(request, queryset)

    @admin.display(description=gettext_lazy("name"))
    def csv_name(self, row: Customer) -> str:
        return customer_name(row)

    @admin.display(description=gettext_lazy("phone"))
    def csv_phone(self, row: Customer) -> str:
        return phone_text(row.phone)

    @admin.display(description=gettext_lazy("tags"))
    def csv_tags(self, row: Customer) -> str:
        return ", ".join(row.tags)

    @admin.display(description=gettext_lazy("balance"))
    def csv_balance(self, row: Customer) -> Decimal:
        return quantise(row.balance)

    @admin.display(description=gettext_lazy("debt"))
    def csv_debt(self, row: Customer) -> Decimal:
        return quantise(row.debt)

    @admin.display(description=gettext_lazy("active"))
    def csv_active(self, row: Customer) -> str:
        return _("yes") if row.is_active else _("no")

    # --- page -------------------------------------------------------------------------------------------------------

    def facts(self, request: HttpRequest, row: Customer) -> dict[str, Any]:
        return facts_of(request, row)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.merge_preview)
        mine = path("<path:object_id>/merge-preview/", view, name="customers_customer_merge_preview")
        return [mine, *super().get_urls()]

    def merge_preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the merge would do, tried and taken back; POST does it."""
        row = self.get_object(request, object_id)
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        if not request.user.has_perm("customers.merge_customer"):
            raise PermissionDenied
        actor: Any = request.user
        back = reverse("admin:customers_customer_change", args=[row.pk])
        asked = (request.POST if request.method == "POST" else request.GET).get("loser", "")
        loser = customers_visible_to(actor).filter(pk=asked).first() if asked.isdecimal() and len(asked) < 19 else None
        if loser is None:
            return HttpResponseRedirect(reverse("admin:customers_customer_merge", args=[row.pk]))
        try:
            if request.method == "POST":
                customers_merge(row, loser, actor=actor, ip=client_ip(request))
                messages.success(
                    request, _("Merged. For 24 hours the page of %(number)s can undo it.") % {"number": loser.number}
                )
                return HttpResponseRedirect(back)
            preview = customers_merge_preview(row, loser, actor=actor)
        except DomainError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": row, "title": _("Merge"), "back": back,
            "winner": row, "loser": loser, "lines": preview_lines(preview), "has_view_permission": True,
            "before": [balance_text(each.balance, each.debt) for each in (row, loser)],
            "after": balance_text(preview.balance, preview.debt),
        }  # fmt: skip
        return TemplateResponse(request, "customers/admin/merge_preview.html", context)


# the page of the dashboard that answers everything about a customer; offered when that room is there
add_row_link(
    RowLink(
        "customers.customer", gettext_lazy("Everything about this customer"), "open_in_new", "dashboard:customer",
        "customers.view_customer",
    )
)  # fmt: skip
