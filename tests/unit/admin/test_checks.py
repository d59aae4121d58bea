"""The system check finds every rule when it is broken, and nothing in the admins we have."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.contrib.admin import ModelAdmin as DjangoModelAdmin
from django.core.paginator import Paginator

from accounts.models import ActivityLog
from billing.models import Plan
from core.admin import AutocompleteFilter, ModelAdmin, TabularInline
from core.admin.checks import check_admin, check_admins
from locations.models import AccessAccount, Location, LocationUser
from vouchers.models import Voucher, VoucherBatch


class Good(ModelAdmin[Voucher]):
    autocomplete_fields = ("batch", "plan", "agent")
    sortable_by = ()
    search_fields = ("code__startswith",)


class MemberInline(TabularInline):
    model = LocationUser


def ids(admin_class: type[Any], model: type[Any] = Voucher) -> set[str]:
    return {str(problem.id) for problem in check_admin(admin_class(model, admin.site))}


def variant(**attributes: Any) -> type[Any]:
    return type("Broken", (Good,), attributes)


def test_our_admins_keep_every_rule() -> None:
    assert check_admins() == []


def test_an_admin_that_keeps_the_rules_passes() -> None:
    assert ids(Good) == set()


def test_an_admin_of_another_base_is_found() -> None:
    assert ids(type("Foreign", (DjangoModelAdmin,), {})) == {"core.A001"}


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ({"paginator": Paginator}, "core.A002"),
        ({"show_full_result_count": True}, "core.A003"),
        ({"list_per_page": 100}, "core.A004"),
        ({"autocomplete_fields": ("batch",)}, "core.A005"),
        ({"list_select_related": True}, "core.A006"),
        ({"list_select_related": False}, "core.A006"),
        ({"list_filter": ("batch",)}, "core.A007"),
        ({"list_filter": ("batch__name",)}, "core.A007"),
        ({"list_filter": ("code",)}, "core.A007"),
        ({"date_hierarchy": "created_at"}, "core.A008"),
        ({"view_on_site": True}, "core.A009"),
        ({"search_fields": ("code",)}, "core.A010"),
        ({"search_fields": ("code__icontains",)}, "core.A010"),
        ({"search_fields": ("ended_at__exact",)}, "core.A010"),
        ({"search_fields": ("code__startswith", "batch__name__exact")}, "core.A010"),
        ({"sortable_by": None}, "core.A011"),
        ({"sortable_by": ("ended_at",)}, "core.A011"),
        ({"list_display": ("code", "status"), "list_editable": ("status",)}, "core.A012"),
    ],
)
def test_each_rule_is_found_when_broken(attributes: dict[str, Any], found: str) -> None:
    assert ids(variant(**attributes)) == {found}


@pytest.mark.parametrize(
    "attributes",
    [
        {"list_filter": (("batch", AutocompleteFilter), "status")},
        {"sortable_by": ("id",)},
        {"search_fields": ("code__exact",)},
        {"is_small_table": True, "search_fields": ("code__icontains",), "sortable_by": None},
        {"fields": ("code",), "autocomplete_fields": ()},
        {"readonly_fields": ("batch", "plan", "agent"), "autocomplete_fields": ()},
    ],
)
def test_what_is_allowed_passes(attributes: dict[str, Any]) -> None:
    assert ids(variant(**attributes)) == set()


class ChoosingForm(forms.ModelForm[Voucher]):
    """Says by itself what may be chosen, of a small table and of one that grows."""

    plan = forms.ModelChoiceField(Plan.objects.none())
    batch = forms.ModelChoiceField(VoucherBatch.objects.none())


def test_a_plain_list_is_allowed_for_a_small_table_only() -> None:
    assert ids(variant(form=ChoosingForm, autocomplete_fields=("batch", "agent"))) == set()
    assert ids(variant(form=ChoosingForm, autocomplete_fields=("plan",))) == {"core.A005"}
    assert ids(variant(autocomplete_fields=("batch",))) == {"core.A005"}


def test_an_inline_needs_autocomplete_too() -> None:
    attributes = {"inlines": (MemberInline,), "is_small_table": True}
    assert ids(type("WithInline", (ModelAdmin,), attributes), Location) == {"core.A005"}


def test_a_related_column_may_be_the_only_search_when_it_is_indexed() -> None:
    base = {"sortable_by": (), "autocomplete_fields": ("user",)}
    assert ids(type("One", (ModelAdmin,), {**base, "search_fields": ("user__username__exact",)}), ActivityLog) == set()
    assert ids(type("Two", (ModelAdmin,), {**base, "search_fields": ("user__email__exact",)}), ActivityLog) == {
        "core.A010"
    }


def test_a_partial_index_does_not_count_as_an_index() -> None:
    base = {"autocomplete_fields": ("location", "profile", "moved_to"), "sortable_by": ("hold",)}
    assert ids(type("Held", (ModelAdmin,), base), AccessAccount) == {"core.A011"}
