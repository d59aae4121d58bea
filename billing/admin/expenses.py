"""Money that goes out, and its categories."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.cash_forms import ExpenseForm, ReasonForm
from billing.cash_selectors import expenses_visible_to
from billing.ledger import chart
from billing.models import Expense, ExpenseCategory
from billing.services.expenses import expense_reverse, expense_write
from core import clock
from core.admin import AutocompleteFilter, Confirmation, ModelAdmin
from core.client_ip import client_ip
from core.formats import money
from core.words import Tone, Words


@admin.register(ExpenseCategory)
class ExpenseCategoryAdmin(ModelAdmin[ExpenseCategory]):
    """The code names an account of the books: once written it stays."""

    nav_group, nav_icon, nav_order = "money", "list", 80
    is_small_table = True
    list_display = ("name", "code", "is_active")
    search_fields = ("name", "code")
    audit_noun = "expense_category"
    empty_text = gettext_lazy("What money is spent on: electricity, bandwidth, fuel, wages.")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Expense)
class ExpenseAdmin(ModelAdmin[Expense]):
    nav_group, nav_icon, nav_order = "money", "upload", 60
    form = ExpenseForm
    list_display = ("spent_on", "category", "amount_text", "source_text", "location", "state", "created_by")
    list_select_related = ("category", "location", "created_by")
    list_filter = (("category", AutocompleteFilter), ("location", AutocompleteFilter))
    autocomplete_fields = ("location",)
    sortable_by = ()
    ordering = ("-id",)
    fields = ("category", "amount", "spent_on", "source", "bank", "location", "note", "request_key")
    confirmations = ("reverse",)
    audit_noun = ""
    csv_fields = ("spent_on", "category", "amount", "paid_from", "location", "note", "created_by", "reversed_at")
    empty_text = gettext_lazy("Write down what the business spends, out of a drawer or a bank account.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Expense]:
        rows = expenses_visible_to(request.user)  # type: ignore[arg-type]  # staff only
        return rows.select_related("category", "location", "created_by").order_by("-id")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.fields
        return ("spent_on", "category", "amount_text", "source_text", "location", "note", "state", "created_by")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.get_fields(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"spent_on": clock.now().date()}

    def save_model(self, request: HttpRequest, obj: Expense, form: Any, change: bool) -> None:
        user: Any = request.user
        data = form.cleaned_data
        made = expense_write(
            category=data["category"], amount=data["amount"], spent_on=data["spent_on"], note=data["note"],
            paid_from=form.paid_from(user.pk), location=data["location"], request_key=data["request_key"],
            now=clock.now(), actor=user, ip=client_ip(request),
        )  # fmt: skip
        obj.__dict__.update(made.__dict__)

    @admin.display(description=gettext_lazy("amount"))
    def amount_text(self, row: Expense) -> str:
        return money(row.amount)

    @admin.display(description=gettext_lazy("paid from"))
    def source_text(self, row: Expense) -> str:
        return chart.name_of(row.paid_from)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Expense) -> Any:
        if row.reversed_at is None:
            return Words(Tone.GOOD, "check", _("in the books")).html()
        return Words(Tone.QUIET, "undo", _("taken back")).html()

    def reverse(self, request: HttpRequest, row: Expense) -> Confirmation | None:
        if row.reversed_at is not None:
            return None
        user: Any = request.user

        def run(data: dict[str, Any]) -> str:
            expense_reverse(row, reason=data["reason"], now=clock.now(), actor=user, ip=client_ip(request))
            return _("The expense is taken back; the money is where it came from.")

        return Confirmation(
            title=_("Take back"), button=_("Take back"), run=run, icon="undo", form=ReasonForm, is_danger=True,
            question=_("Take the expense of %(amount)s back?") % {"amount": money(row.amount)},
            permission="billing.reverse_expense",
        )  # fmt: skip
