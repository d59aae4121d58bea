"""Bills: the list, a page that explains one to the last rupiah, and the corrections."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, path, reverse
from django.utils.dateformat import format as date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.admin.invoice_again import BillAgain
from billing.admin.invoice_drafts import DraftActions, draft_points
from billing.admin.invoice_file import InvoiceFile
from billing.admin.invoice_forms import LINES, CreditForm, InvoiceForm, ReasonForm
from billing.choices import InvoiceKind, InvoiceStatus
from billing.ledger import chart
from billing.models import Allocation, Charge, Invoice, JournalEntry
from billing.pdf import invoice_pdf, quantity_words
from billing.selectors import invoices_visible_to, note_of
from billing.services.invoices import (
    credit_left,
    credit_note_issue,
    invoice_use_balance,
    invoice_void,
    invoice_write,
    write_off,
)
from billing.services.roots import family_ids
from billing.words import invoice_words, line_words
from core import clock
from core.admin import AutocompleteFilter, Confirmation
from core.client_ip import client_ip
from core.formats import local, moment, money
from core.links import pay_link
from core.panels import Link
from customers.selectors import customers_found

MOST_CUSTOMERS = 100  # whose bills one search looks through
ISSUED = {InvoiceStatus.OPEN, InvoiceStatus.PAID}


class DueFilter(admin.SimpleListFilter):
    """From the partial index of open bills by day."""

    title = gettext_lazy("due")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("late", _("late")), ("today", _("today")), ("later", _("later"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
        today = local(clock.now()).date()
        conditions = {"late": Q(due_on__lt=today), "today": Q(due_on=today), "later": Q(due_on__gt=today)}
        condition = conditions.get(self.value() or "")
        if condition is None:
            return queryset
        return queryset.filter(condition, status=InvoiceStatus.OPEN, kind=InvoiceKind.INVOICE)


@admin.register(Invoice)
class InvoiceAdmin(BillAgain, DraftActions, InvoiceFile):
    form = InvoiceForm
    nav_group, nav_icon, nav_order = "money", "receipt_long", 10
    list_display = ("number_text", "customer_text", "state", "total_text", "left_text", "due_text")
    list_select_related = ("customer", "location")
    list_filter = ("status", DueFilter, ("location", AutocompleteFilter))
    search_fields = ("number__exact", "number__startswith")
    search_help_text = gettext_lazy("Number of the bill; or number, name or phone of its customer")
    uppercase_search = True
    sortable_by = ()
    ordering = ("-id",)
    add_fieldsets: Any = (
        (None, {"fields": ("to", "service", "due_on", "tax_mode", "account", "request_key")}),
        *(
            (None, {"fields": (f"line_{n}_text", (f"line_{n}_price", f"line_{n}_quantity"))})
            for n in range(LINES)
        ),
        (None, {"fields": ("note", "is_draft")}),
    )  # fmt: skip
    fieldsets = add_fieldsets
    confirmations = (
        "issue", "change_draft", "discard", "use_balance", "credit", "void", "bill_again", "write_off",
    )  # fmt: skip
    live_template = "billing/admin/invoice_facts.html"
    is_facts_only = True
    audit_noun = ""
    empty_text = gettext_lazy("Bills come by themselves from subscriptions; you can also write one.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        return invoices_visible_to(request.user).order_by("-id")  # type: ignore[arg-type]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """A number of a bill or its beginning; else a customer's bills, and those of whoever was merged into him.

        Asked one after the other, for an OR over two tables would read them both.
        """
        found, _may_repeat = super().get_search_results(request, queryset, search_term)
        if not search_term.strip() or Invoice.objects.filter(pk__in=found.order_by().values("pk")[:1]).exists():
            return found, False
        ids = customers_found(search_term, MOST_CUSTOMERS + 1)
        if len(ids) > MOST_CUSTOMERS:
            text = _("Many customers answer to this; these are the bills of the newest %(n)d. Write more of the name.")
            messages.info(request, text % {"n": MOST_CUSTOMERS})
        return queryset.filter(customer_id__in=family_ids(ids[:MOST_CUSTOMERS])), False

    def get_urls(self) -> list[Any]:
        pdf = self.admin_site.admin_view(self.pdf_view)
        return [path("<int:pk>/pdf/", pdf, name="billing_invoice_pdf"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may not issue bills may still prepare them."""
        return super().has_add_permission(request) or request.user.has_perm("billing.prepare_invoice")

    def has_change_permission(self, request: HttpRequest, obj: Invoice | None = None) -> bool:
        """What was issued never changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invoice | None = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.user = request.user
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """`?to=C123` from a customer's page."""
        return {"to": request.GET.get("to", "")[:120]}

    def save_model(self, request: HttpRequest, obj: Invoice, form: Any, change: bool) -> None:
        data, actor = form.cleaned_data, request.user
        saved = invoice_write(
            customer=data["to"], subscription=data["subscription"], lines=data["lines"], due_on=data["due_on"],
            tax_mode=data["tax_mode"], note=data["note"], request_key=f"u{actor.pk}:{data['request_key']}", now=clock.now(),
            actor=actor, ip=client_ip(request), is_draft=data["is_draft"],  # type: ignore[arg-type]
        )  # fmt: skip
        obj.__dict__.update(saved.__dict__)

    def response_post_save_add(self, request: HttpRequest, obj: Invoice) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:billing_invoice_change", args=[obj.pk]))

    def pdf_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The paper, in the customer's language."""
        row = self.get_queryset(request).select_related("customer", "credits").filter(pk=pk).first()
        if row is None or not self.has_view_permission(request, row) or row.status == InvoiceStatus.DRAFT:
            raise Http404
        response = HttpResponse(invoice_pdf(row), content_type="application/pdf")
        response["Content-Disposition"] = f'inline; filename="{str(row.number).replace("/", "-")}.pdf"'
        return response

    # --- columns ----------------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("number"))
    def number_text(self, row: Invoice) -> Any:
        return whole(str(row))

    @admin.display(description=gettext_lazy("customer"))
    def customer_text(self, row: Invoice) -> str:
        return str(row.customer)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Invoice) -> Any:
        return invoice_words(row, today_at(row)).html()

    @admin.display(description=gettext_lazy("total"))
    def total_text(self, row: Invoice) -> Any:
        return whole(money(row.total))

    @admin.display(description=gettext_lazy("still to pay"))
    def left_text(self, row: Invoice) -> Any:
        return whole(money(row.total - row.settled_amount)) if row.status == InvoiceStatus.OPEN else ""

    @admin.display(description=gettext_lazy("to pay by"))
    def due_text(self, row: Invoice) -> Any:
        return whole(day_words(row.due_on))

    # --- page -------------------------------------------------------------------------------------------------------

    def facts(self, request: HttpRequest, row: Invoice) -> dict[str, Any]:
        row.refresh_from_db()
        zone = row.location.timezone if row.location else None
        settled = Allocation.objects.filter(invoice=row).select_related("entry").order_by("pk")
        notes = Invoice.objects.filter(credits=row).order_by("pk")
        return {
            "invoice": row,
            "words": invoice_words(row, today_at(row)),
            "fact_rows": fact_rows(row),
            "lines": [
                {"text": line_words(line), "quantity": quantity_words(line.quantity), "amount": money(line.amount),
                 "tax": money(line.tax_amount) if line.tax_amount else "", "account": chart.name_of(line.account)}
                for line in row.lines.all()
            ],
            "settled": [
                {"what": capfirst(entry.entry.get_kind_display()), "url": entry_url(request, entry.entry_id),
                 "when": moment(entry.at, zone), "amount": money(entry.amount)}
                for entry in settled
            ],
            "entry": entry_facts(request, row),
            "notes": [{"number": note.number, "url": change_url(note.pk), "amount": money(note.total)} for note in notes],
            "credits_url": change_url(row.credits_id) if row.credits_id else "",
            "links": links(row), "is_draft": row.status == InvoiceStatus.DRAFT, "draft_points": draft_points(row),
        }  # fmt: skip

    # --- actions ----------------------------------------------------------------------------------------------------

    def use_balance(self, request: HttpRequest, row: Invoice) -> Confirmation | None:
        balance = (row.customer.merged_into or row.customer).balance
        if row.kind != InvoiceKind.INVOICE or row.status != InvoiceStatus.OPEN or not balance:
            return None

        def run(data: dict[str, Any]) -> str:
            amount = invoice_use_balance(row, **who(request))
            return _("%(amount)s of %(number)s is paid from the balance.") % {
                "amount": money(amount),
                "number": row.number,
            }

        left = row.total - row.settled_amount
        return Confirmation(
            title=_("Pay from the balance"), button=_("Pay from the balance"), run=run, icon="check",
            question=_("Pay %(amount)s of %(number)s from the balance of %(balance)s?")
            % {"amount": money(min(left, balance)), "number": row.number, "balance": money(balance)},
            permission="payments.take_cash", is_primary=True,
        )  # fmt: skip

    def credit(self, request: HttpRequest, row: Invoice) -> Confirmation | None:
        if row.kind != InvoiceKind.INVOICE or row.status not in ISSUED or not (left := credit_left(row)):
            return None

        def run(data: dict[str, Any]) -> str:
            note = credit_note_issue(
                row, amount=data["amount"], reason=data["reason"], request_key=data["request_key"], **who(request)
            )
            return _("Credit note %(number)s over %(amount)s is written.") % {
                "number": note.number, "amount": money(note.total),
            }  # fmt: skip

        return Confirmation(
            title=_("Write a credit note"), button=_("Write credit note"), run=run, icon="undo", form=CreditForm,
            question=_("Credit %(number)s? At most %(amount)s can still be credited.")
            % {"number": row.number, "amount": money(left)},
            permission="billing.credit_invoice",
        )  # fmt: skip

    def void(self, request: HttpRequest, row: Invoice) -> Confirmation | None:
        if row.kind != InvoiceKind.INVOICE or row.status != InvoiceStatus.OPEN or row.settled_amount:
            return None

        def run(data: dict[str, Any]) -> str:
            invoice_void(row, reason=data["reason"], **who(request))
            return _("%(number)s is void.") % {"number": row.number}

        question = _("Make %(number)s over %(amount)s void? Its number stays used; the period it covers stays covered.") % {
            "number": row.number, "amount": money(row.total),
        }  # fmt: skip
        if charges := Charge.objects.filter(invoice=row).count():
            question += " " + ngettext(
                "%(n)d one-off charge waits for a next bill again.",
                "%(n)d one-off charges wait for a next bill again.",
                charges,
            ) % {"n": charges}
        return Confirmation(
            title=_("Make void"), button=_("Make void"), run=run, icon="block", is_danger=True, form=ReasonForm,
            question=question, permission="billing.void_invoice",
        )  # fmt: skip

    def write_off(self, request: HttpRequest, row: Invoice) -> Confirmation | None:
        if row.kind != InvoiceKind.INVOICE or row.status != InvoiceStatus.OPEN:
            return None

        def run(data: dict[str, Any]) -> str:
            write_off(row, reason=data["reason"], **who(request))
            return _("%(number)s is written off.") % {"number": row.number}

        return Confirmation(
            title=_("Write off"), button=_("Write off"), run=run, icon="remove", is_danger=True, form=ReasonForm,
            question=_("Give up %(amount)s of %(number)s? It counts as a loss, and the customer owes it no more.")
            % {"number": row.number, "amount": money(row.total - row.settled_amount)},
            permission="billing.write_off_invoice",
        )  # fmt: skip


def who(request: HttpRequest) -> dict[str, Any]:
    return {"actor": request.user, "ip": client_ip(request), "now": clock.now()}


def today_at(row: Invoice) -> date:
    return local(clock.now(), row.location.timezone if row.location else None).date()


def whole(text: str) -> SafeString:
    """A number, amount or day that is not broken over two lines where there is room for it."""
    return format_html('<span class="mb-whole">{}</span>', text)


def day_words(day: date | None) -> str:
    return date_format(day, "j M Y") if day else "–"


def change_url(pk: int) -> str:
    return reverse("admin:billing_invoice_change", args=[pk])


def entry_url(request: HttpRequest, entry_id: int) -> str:
    """The entry in the journal, for who may read it."""
    if not request.user.has_perm("billing.view_journalentry"):
        return ""
    try:
        return reverse("admin:billing_journalentry_change", args=[entry_id])
    except NoReverseMatch:
        return ""


def entry_facts(request: HttpRequest, row: Invoice) -> dict[str, Any] | None:
    """The bill's own entry in the ledger; none for a draft, or a bill whose every line is 0."""
    entry = JournalEntry.objects.filter(source=f"invoice:{row.pk}").first()
    if entry is None:
        return None
    legs = [
        {"account": chart.name_of(leg.account), "debit": money(leg.amount) if leg.amount > 0 else "",
         "credit": money(-leg.amount) if leg.amount < 0 else ""}
        for leg in entry.postings.order_by("pk")
    ]  # fmt: skip
    return {"url": entry_url(request, entry.pk), "legs": legs}


def fact_rows(row: Invoice) -> list[tuple[str, str]]:
    rows = [
        (_("Total"), money(row.total)), (_("Settled"), money(row.settled_amount)),
        (_("Still to pay"), money(row.total - row.settled_amount) if row.status == InvoiceStatus.OPEN else money(0)),
        (_("Customer"), str(row.customer)), (_("Location"), str(row.location or "–")),
        (_("Issued"), day_words(row.issued_on)),
        (_("To pay by"), day_words(row.due_on)),
        (_("Without tax"), money(row.subtotal)), (_("Tax"), money(row.tax_amount)),
    ]  # fmt: skip
    return [*rows, (_("Note"), note)] if (note := note_of(row)) else rows


def links(row: Invoice) -> list[Link]:
    if row.status == InvoiceStatus.DRAFT:
        return []
    found = [Link(_("PDF"), reverse("admin:billing_invoice_pdf", args=[row.pk]), "download")]
    if row.kind == InvoiceKind.INVOICE:
        found.append(Link(_("The customer's page"), pay_link(row.token), "open_in_new"))
    return found
