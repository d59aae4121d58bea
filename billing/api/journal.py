"""The journal over REST, to read: entries with their legs, and postings as the rows behind the numbers of reports."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from billing.models import JournalEntry, Posting
from billing.reports.postings import PARAMS, PostingQuery
from billing.reports.scope import entries_visible_to, postings_visible_to
from core.api.views import RoomViewSet

WORDS = {
    "account": "Codes or families, separated by commas: `cash:7`, `income`.",
    "from": "The first day.", "to": "The last day.", "since": "From this moment on.", "until": "Before this moment.",
    "recorded_until": "Written down before this moment.",
    "also": "Causes, separated by commas, that count beside `recorded_until`: `shift_opening:7`.",
    "zone": "The zone whose clock decides days; that of the installation when missing.", "kind": "The kind as recorded.",
    "cause": "Kinds, separated by commas, together with what took them back.", "side": "`debit` or `credit`.",
    "method": "A payment method's name, or `none`.", "location": "An id, or `none`.", "actor": "An id, or `none`.",
    "agent": "An id, or `none`.", "customer": "An id, or `none`.", "plan": "An id, or `none`.",
}  # fmt: skip


class _RowsFilterSet(django_filters.FilterSet):  # type: ignore[misc]
    """Reads the parameters as one question, like the links of the reports do."""

    def question(self) -> PostingQuery:
        """Raises DomainError with every parameter that means nothing."""
        return PostingQuery.from_params(
            {name: str(self.data.get(name, "")).replace("\x00", "") for name in PARAMS.values()}
        )

    def ignored(self, rows: QuerySet[Any], _name: str, _value: str) -> QuerySet[Any]:
        return rows

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        is_postings = queryset.model is Posting
        return queryset.filter(
            self.question().posting_condition() if is_postings else self.question().entry_condition()
        )


# "from" is a word of Python, so the class is made from a table
RowsFilterSet = type(
    "RowsFilterSet", (_RowsFilterSet,),
    {name: django_filters.CharFilter(method="ignored", label=WORDS[name]) for name in PARAMS.values()},
)  # fmt: skip


class LegOut(serializers.ModelSerializer[Posting]):
    customer = serializers.IntegerField(source="customer_id", allow_null=True)
    plan = serializers.IntegerField(source="plan_id", allow_null=True)

    class Meta:
        model = Posting
        fields = ["id", "account", "amount", "customer", "plan"]
        read_only_fields = fields


class PostingOut(LegOut):
    """`amount` is positive for a debit and negative for a credit."""

    entry = serializers.IntegerField(source="entry_id")
    kind = serializers.CharField(source="entry.kind")
    source = serializers.CharField(source="entry.source")  # type: ignore[assignment]  # a field of the answer
    occurred_at = serializers.DateTimeField(source="entry.occurred_at")

    class Meta(LegOut.Meta):
        fields = [*LegOut.Meta.fields, "entry", "kind", "source", "occurred_at"]
        read_only_fields = fields


class EntryOut(serializers.ModelSerializer[JournalEntry]):
    postings = LegOut(many=True)
    reverses = serializers.IntegerField(
        source="reverses_id", allow_null=True, help_text="The entry this one takes back."
    )
    actor = serializers.IntegerField(source="actor_id", allow_null=True)
    location = serializers.IntegerField(source="location_id", allow_null=True)
    agent = serializers.IntegerField(source="agent_id", allow_null=True)

    class Meta:
        model = JournalEntry
        fields = [
            "id", "kind", "source", "occurred_at", "recorded_at", "reverses", "actor", "location", "agent", "method",
            "reason", "postings",
        ]  # fmt: skip
        read_only_fields = fields


class JournalViewSet(RoomViewSet):
    """Everything that ever moved money, newest first. Entries only grow: a mistake is taken back by another entry."""

    model = JournalEntry
    list_serializer = detail_serializer = EntryOut
    filterset_class = RowsFilterSet
    http_method_names = ["get", "head"]
    action_permissions = {"list": "billing.view_journalentry", "retrieve": "billing.view_journalentry"}

    def visible(self) -> QuerySet[JournalEntry]:
        return entries_visible_to(self.caller).prefetch_related("postings")


class PostingViewSet(RoomViewSet):
    """The legs of entries, newest first; filtered, they are the rows whose sum a report shows."""

    model = Posting
    list_serializer = detail_serializer = PostingOut
    filterset_class = RowsFilterSet
    http_method_names = ["get", "head"]
    action_permissions = {"list": "billing.view_posting", "retrieve": "billing.view_posting"}

    def visible(self) -> QuerySet[Posting]:
        return postings_visible_to(self.caller).select_related("entry")
