"""The filter of the journal and of postings: a plain form, and whatever the number of a report asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.admin import ListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from billing.choices import EntryKind
from billing.ledger.chart import KINDS, NAMES
from billing.models import Posting
from billing.reports.postings import PARAMS, PostingQuery
from billing.reports.scope import sees_everything
from core.admin import style_form
from core.errors import DomainError
from customers.models import Customer
from locations.selectors import locations_visible_to

NUMBER = "number"  # people know a customer's number, not his id
ASKED = ("account", "kind", "from", "to", "actor", "location", NUMBER)


class RowsForm(forms.Form):
    """What a person fills in; every field may stay empty."""

    def __init__(self, data: dict[str, str], user: User) -> None:
        super().__init__(data)
        self.fields["account"] = forms.CharField(
            label=_("account"), max_length=60, widget=forms.TextInput({"list": "mb-accounts", "autocomplete": "off"})
        )
        self.fields[NUMBER] = forms.CharField(label=_("customer number"), max_length=20)
        kinds: list[tuple[str, Any]] = [("", _("all kinds")), *EntryKind.choices]
        self.fields["kind"] = forms.ChoiceField(choices=kinds, label=_("kind"))
        for name, label in (("from", _("from")), ("to", _("to"))):
            self.fields[name] = forms.CharField(label=label, widget=forms.DateInput({"type": "date"}))
        places = locations_visible_to(user).order_by("name")
        self.fields["location"] = forms.ModelChoiceField(places, label=_("location"), empty_label=_("all locations"))
        if sees_everything(user):
            people = User.objects.filter(is_staff=True).order_by("username")
            self.fields["actor"] = forms.ModelChoiceField(people, label=_("who"), empty_label=_("everybody"))
        for field in self.fields.values():
            field.required = False
        style_form(self)


class RowsFilter(ListFilter):
    """Reads the address into a `PostingQuery`, for entries as for postings."""

    title = _("rows")
    template = "billing/admin/rows_filter.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Any], model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.expected_parameters():
            if name in params:
                self.used_parameters[name] = str(params.pop(name)[-1])
        user: Any = request.user
        self.user, self.model = user, model
        self.given = {name: str(value) for name, value in self.used_parameters.items()}
        try:
            self.query = asked_rows(self.given)
        except DomainError as error:
            raise IncorrectLookupParameters(str(error.message)) from None

    def expected_parameters(self) -> list[str | None]:
        return [*PARAMS.values(), NUMBER]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        is_postings = self.model is Posting
        return queryset.filter(self.query.posting_condition() if is_postings else self.query.entry_condition())

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        hidden = [(name, value) for name, value in self.given.items() if name not in ASKED]
        yield {
            "form": RowsForm(self.given, self.user), "hidden": hidden, "is_set": bool(self.given),
            "accounts": [*((family, family) for family in KINDS if family not in NAMES), *NAMES.items()],
        }  # fmt: skip


def asked_rows(params: dict[str, str]) -> PostingQuery:
    """The rows an address asks for. Raises DomainError for what means nothing; an unknown customer number finds nothing."""
    params = {name: text.replace("\x00", "") for name, text in params.items()}
    query = PostingQuery.from_params(params)
    if number := params.get(NUMBER, "").strip():
        customer = Customer.objects.filter(number=number[:20]).values_list("pk", flat=True).first()
        return query.narrowed(customer=customer or 0)
    return query
