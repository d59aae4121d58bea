"""The journal and its postings, to read: what moved, why, and what an account held after it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.invoices import whole
from billing.admin.reports import page_url
from billing.admin.rows_filter import RowsFilter, asked_rows
from billing.admin.sources import source_url
from billing.choices import EntryKind
from billing.ledger import chart
from billing.models import Allocation, JournalEntry, Posting
from billing.reports.names import account_names
from billing.reports.postings import PostingQuery
from billing.reports.scope import entries_visible_to, postings_visible_to
from core.admin import ModelAdmin, ReadOnlyMixin
from core.errors import DomainError
from core.formats import local, moment, money
from core.money import quantise
from core.words import Tone, Words


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyMixin, ModelAdmin[JournalEntry]):
    nav_group, nav_icon, nav_order = "reports", "list", 200
    change_list_template = "billing/admin/journal_list.html"
    live_template = "billing/admin/entry_facts.html"
    is_facts_only = True
    list_display = ("when", "what", "amount", "cause", "actor", "location", "state")
    list_filter = (RowsFilter,)
    list_select_related = ("actor", "location", "reversal")
    search_fields = ("source__startswith",)
    search_help_text = gettext_lazy("Cause, for example invoice:12")
    sortable_by = ()
    ordering = ("-id",)
    csv_fields = (
        "id", "csv_when", "csv_recorded", "what", "csv_amount", "source", "method", "reason", "actor", "location", "agent",
        "reverses_id",
    )  # fmt: skip
    is_file_linked = True
    empty_text = gettext_lazy("Every movement of money is written here, for ever. Nothing has moved yet.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[JournalEntry]:
        return entries_visible_to(request.user).order_by("-id")  # type: ignore[arg-type]  # staff only

    def decorate(self, request: HttpRequest, rows: list[JournalEntry]) -> None:
        legs = Posting.objects.filter(entry__in=[row.pk for row in rows], amount__gt=0).order_by()
        sums = dict(legs.values_list("entry_id").annotate(total=Sum("amount")))
        for row in rows:
            row._amount = sums.get(row.pk, Decimal(0))  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("when"))
    def when(self, row: JournalEntry) -> str:
        return moment(row.occurred_at, row.location.timezone if row.location else None)

    @admin.display(description=gettext_lazy("what"))
    def what(self, row: JournalEntry) -> str:
        return str(EntryKind(row.kind).label)

    @admin.display(description=gettext_lazy("amount"))
    def amount(self, row: JournalEntry) -> str:
        return money(getattr(row, "_amount", Decimal(0)))

    @admin.display(description=gettext_lazy("cause"))
    def cause(self, row: JournalEntry) -> str:
        return row.source

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: JournalEntry) -> Any:
        return entry_words(row).html()

    def csv_rows(self, queryset: QuerySet[JournalEntry]) -> QuerySet[JournalEntry]:
        debits = Posting.objects.filter(entry=OuterRef("pk"), amount__gt=0).order_by().values("entry")
        moved = Subquery(debits.annotate(sum=Sum("amount")).values("sum"))
        return queryset.select_related("actor", "location", "agent").annotate(moved=moved)

    @admin.display(description=gettext_lazy("when"))
    def csv_when(self, row: JournalEntry) -> str:
        return when_plain(row, row.occurred_at)

    @admin.display(description=gettext_lazy("recorded"))
    def csv_recorded(self, row: JournalEntry) -> str:
        return when_plain(row, row.recorded_at)

    @admin.display(description=gettext_lazy("amount"))
    def csv_amount(self, row: JournalEntry) -> Decimal:
        return quantise(getattr(row, "moved", None) or 0)

    @admin.display(description=gettext_lazy("takes back"))
    def reverses_id(self, row: JournalEntry) -> Any:
        return row.reverses_id

    def facts(self, request: HttpRequest, row: JournalEntry) -> dict[str, Any]:
        legs = list(Posting.objects.filter(entry=row).select_related("customer", "plan").order_by("pk"))
        names = account_names({leg.account for leg in legs})
        settled = Allocation.objects.filter(entry=row).select_related("invoice").order_by("pk")
        return {
            "entry": row, "words": entry_words(row), "kind": EntryKind(row.kind).label, "source_url": source_url(row.source),
            "zone": row.location.timezone if row.location else None,
            "legs": [_leg(leg, str(names[leg.account])) for leg in legs],
            "total": money(sum((leg.amount for leg in legs if leg.amount > 0), Decimal(0))),
            "settled": [
                {"text": str(part.invoice), "amount": part.amount, "url": page_url("billing_invoice_change", part.invoice_id)}
                for part in settled
            ],
        }  # fmt: skip


def entry_words(row: JournalEntry) -> Words:
    """Whether it still holds."""
    if hasattr(row, "reversal"):
        return Words(Tone.WAITING, "undo", _("taken back"))
    if row.reverses_id:
        return Words(Tone.QUIET, "undo", _("takes another one back"))
    return Words(Tone.GOOD, "check_circle", _("holds"))


def _leg(leg: Posting, name: str) -> dict[str, Any]:
    customer = leg.customer
    return {
        "account": name, "account_url": account_url(leg.account), "customer": customer, "plan": leg.plan,
        "customer_url": account_url(leg.account, customer.pk) if customer else "",
        "debit": money(leg.amount) if leg.amount > 0 else "", "credit": money(-leg.amount) if leg.amount < 0 else "",
    }  # fmt: skip


def account_url(code: str, customer_id: int | None = None) -> str:
    """The page of an account: its postings with the balance after each."""
    query = PostingQuery(accounts=(code,), customer=customer_id)
    return reverse("admin:billing_posting_changelist") + "?" + "&".join(f"{k}={v}" for k, v in query.params().items())


@admin.register(Posting)
class PostingAdmin(ReadOnlyMixin, ModelAdmin[Posting]):
    """Rows behind the numbers of reports. Filtered by one account it is that account's page, with a running balance."""

    change_list_template = "billing/admin/posting_list.html"
    list_display = ("when", "account_name", "customer_link", "debit", "credit", "entry_link")
    list_display_links = None
    list_filter = (RowsFilter,)
    list_select_related = ("entry__location", "customer")
    sortable_by = ()
    ordering = ("-id",)
    csv_fields = (
        "entry_id", "csv_when", "csv_entry", "csv_source", "account", "csv_account", "csv_customer", "csv_name", "plan",
        "csv_debit", "csv_credit", "csv_place",
    )  # fmt: skip
    is_file_linked = True
    empty_text = gettext_lazy("Every entry of the journal has at least two postings; they appear here.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        return postings_visible_to(request.user).order_by("-id")  # type: ignore[arg-type]  # staff only

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        shown = tuple(self.list_display)
        return (*shown[:-1], "balance", shown[-1]) if _balanced(_query(request)) else shown

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """A posting alone says little: its entry is the page."""
        row = self.get_object(request, object_id) if object_id else None
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id or "")  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("admin:billing_journalentry_change", args=[row.entry_id]))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        changelist.sums = _sums(changelist.queryset) if changelist.has_active_filters else None
        query = _query(request)
        changelist.account = account_names([query.account])[query.account] if query.account else ""
        return changelist

    def decorate(self, request: HttpRequest, rows: list[Posting]) -> None:
        names = account_names({row.account for row in rows})
        balance = self._balance_after(request, rows)
        for row in rows:
            row._name, row._balance = names[row.account], balance  # type: ignore[attr-defined]
            balance -= row.amount

    def _balance_after(self, request: HttpRequest, rows: list[Posting]) -> Decimal:
        """What the account held after the newest posting of this page."""
        query = _query(request)
        if not rows or not _balanced(query):
            return Decimal(0)
        whole = PostingQuery(accounts=query.accounts, customer=query.customer)
        older = self.get_queryset(request).filter(whole.posting_condition(), pk__lte=rows[0].pk).order_by()
        return older.aggregate(total=Sum("amount"))["total"] or Decimal(0)

    def csv_rows(self, queryset: QuerySet[Posting]) -> QuerySet[Posting]:
        return queryset.select_related("entry__location", "customer", "plan")

    @admin.display(description=gettext_lazy("entry"))
    def entry_id(self, row: Posting) -> int:
        return row.entry_id

    @admin.display(description=gettext_lazy("when"))
    def csv_when(self, row: Posting) -> str:
        return when_plain(row.entry, row.entry.occurred_at)

    @admin.display(description=gettext_lazy("kind"))
    def csv_entry(self, row: Posting) -> str:
        return str(EntryKind(row.entry.kind).label)

    @admin.display(description=gettext_lazy("cause"))
    def csv_source(self, row: Posting) -> str:
        return row.entry.source

    @admin.display(description=gettext_lazy("name of the account"))
    def csv_account(self, row: Posting) -> str:
        return chart.name_of(row.account)

    @admin.display(description=gettext_lazy("customer number"))
    def csv_customer(self, row: Posting) -> str:
        return row.customer.number if row.customer else ""

    @admin.display(description=gettext_lazy("customer"))
    def csv_name(self, row: Posting) -> str:
        return row.customer.name if row.customer else ""

    @admin.display(description=gettext_lazy("debit"))
    def csv_debit(self, row: Posting) -> Any:
        return quantise(row.amount) if row.amount > 0 else ""

    @admin.display(description=gettext_lazy("credit"))
    def csv_credit(self, row: Posting) -> Any:
        return quantise(-row.amount) if row.amount < 0 else ""

    @admin.display(description=gettext_lazy("location"))
    def csv_place(self, row: Posting) -> str:
        return str(row.entry.location or "")

    @admin.display(description=gettext_lazy("when"))
    def when(self, row: Posting) -> str:
        place = row.entry.location
        return moment(row.entry.occurred_at, place.timezone if place else None)

    @admin.display(description=gettext_lazy("account"))
    def account_name(self, row: Posting) -> SafeString:
        name = getattr(row, "_name", row.account)
        return format_html('<a class="mb-unbroken" href="{}">{}</a>', account_url(row.account), name)

    @admin.display(description=gettext_lazy("customer"))
    def customer_link(self, row: Posting) -> Any:
        if row.customer is None:
            return None
        return format_html('<a href="{}">{}</a>', account_url(row.account, row.customer_id), row.customer.name)

    @admin.display(description=gettext_lazy("debit"))
    def debit(self, row: Posting) -> Any:
        return whole(money(row.amount)) if row.amount > 0 else ""

    @admin.display(description=gettext_lazy("credit"))
    def credit(self, row: Posting) -> Any:
        return whole(money(-row.amount)) if row.amount < 0 else ""

    @admin.display(description=gettext_lazy("balance after it"))
    def balance(self, row: Posting) -> str:
        return balance_words(getattr(row, "_balance", Decimal(0)))

    @admin.display(description=gettext_lazy("entry"))
    def entry_link(self, row: Posting) -> SafeString:
        url = reverse("admin:billing_journalentry_change", args=[row.entry_id])
        return format_html('<a href="{}">{}</a>', url, EntryKind(row.entry.kind).label)


def balance_words(amount: Decimal) -> str:
    """The side an account's balance stands on, in words instead of a minus sign."""
    if amount == 0:
        return money(0)
    text = _("%(amount)s debit") if amount > 0 else _("%(amount)s credit")
    return text % {"amount": money(abs(amount))}


def when_plain(entry: JournalEntry, at: datetime) -> str:
    """`2026-11-22 14:05` by the clock of its place, as spreadsheets sort it."""
    return f"{local(at, entry.location.timezone if entry.location else None):%Y-%m-%d %H:%M}"


def _query(request: HttpRequest) -> PostingQuery:
    """What the address asks for; the filter itself turns away what means nothing."""
    try:
        return asked_rows(request.GET.dict())
    except DomainError:
        return PostingQuery()


def _balanced(query: PostingQuery) -> bool:
    """A running balance means something for one account, and perhaps one customer, and for nothing narrower."""
    return bool(query.account) and set(query.params()) <= {"account", "customer", "zone", "from", "to"}


def _sums(rows: QuerySet[Posting]) -> dict[str, str]:
    found = rows.order_by().aggregate(
        debit=Sum("amount", filter=Q(amount__gt=0)), credit=Sum("amount", filter=Q(amount__lt=0))
    )
    debit, credit = found["debit"] or Decimal(0), -(found["credit"] or Decimal(0))
    return {"debit": money(debit), "credit": money(credit), "total": balance_words(debit - credit)}
