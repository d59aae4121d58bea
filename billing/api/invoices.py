"""Bills over REST: look, write one, correct, download. What was issued never changes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.money_out import MoneyPreviewOut
from billing.choices import InvoiceStatus, TaxMode
from billing.ledger import chart
from billing.models import Allocation, Invoice, InvoiceLine
from billing.pdf import invoice_pdf
from billing.selectors import invoices_visible_to, note_of, subscriptions_visible_to
from billing.services.invoices import (
    ManualLine,
    credit_note_issue,
    draft_change,
    draft_discard,
    draft_issue,
    invoice_use_balance,
    invoice_void,
    invoice_write,
    write_off,
)
from billing.services.invoices_manual import MANUAL_ACCOUNTS, MAX_LINES
from billing.services.rebilling import bill_again_preview, invoice_bill_again
from billing.services.roots import family_ids
from billing.words import line_words
from core import clock
from core.api.filters import id_filter
from core.api.requests import request_key, who
from core.api.schema import IDEMPOTENCY
from core.api.serializers import MAX_ID, AmountField, NoInput, OutSerializer, StrictSerializer, TextField
from core.api.views import RoomViewSet
from core.errors import DomainError
from core.links import pay_link
from customers.models import Customer
from customers.selectors import customers_visible_to


class CustomerField(serializers.IntegerField):
    """The id of a customer the caller may see; the validated value is the Customer."""

    def __init__(self, **kwargs: Any):
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Customer:
        number = super().run_validation(data)
        customer = customers_visible_to(self.context["request"].user).filter(pk=number).first()
        if customer is None:
            raise serializers.ValidationError(_("No customer has this number: %(id)s.") % {"id": number})
        return customer


class InvoiceLineIn(StrictSerializer):
    text = TextField(max_length=200)
    price = AmountField(min_value=None, help_text="Of one; negative for a discount.")
    quantity = serializers.DecimalField(max_digits=12, decimal_places=3, default=Decimal(1))
    account = serializers.ChoiceField(choices=MANUAL_ACCOUNTS, default=chart.INCOME_OTHER)


class ServiceField(serializers.IntegerField):
    """The id of a service at the caller's locations; the validated value is the Subscription."""

    def __init__(self, **kwargs: Any):
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        number = super().run_validation(data)
        if number is serializers.empty or number is None:
            return number
        row = subscriptions_visible_to(self.context["request"].user).filter(pk=number).first()
        if row is None:
            raise serializers.ValidationError(_("There is no such service at your locations."))
        return row


class DraftChangeIn(StrictSerializer):
    lines = serializers.ListField(child=InvoiceLineIn(), min_length=1, max_length=MAX_LINES)
    due_on = serializers.DateField()
    tax_mode = serializers.ChoiceField(choices=TaxMode.choices, default=TaxMode.NONE)
    note = TextField(max_length=300, allow_blank=True, required=False)


class InvoiceIn(DraftChangeIn):
    customer = CustomerField()
    subscription = ServiceField(
        required=False, help_text="A service of the customer: unpaid in time, the bill holds it back."
    )


class DraftIssueIn(StrictSerializer):
    due_on = serializers.DateField(required=False, help_text="Default: the day of the draft; not before today.")


class CreditIn(StrictSerializer):
    amount = AmountField(required=False, help_text="With tax; default: all that can still be credited.")
    reason = TextField(max_length=300)


class ReasonIn(StrictSerializer):
    reason = TextField(max_length=300)


class InvoiceLineOut(serializers.ModelSerializer[InvoiceLine]):
    words = serializers.SerializerMethodField(help_text="Why it is on the bill, in the caller's language.")

    class Meta:
        model = InvoiceLine
        fields = [
            "position", "kind", "words", "details", "quantity", "amount", "tax_percent", "tax_amount", "account", "plan",
            "subscription",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.CharField())
    def get_words(self, line: InvoiceLine) -> str:
        return line_words(line)


class AllocationOut(OutSerializer):
    entry = serializers.IntegerField(source="entry_id")
    kind = serializers.CharField(
        source="entry.kind", help_text="Of the journal entry: payment, credit_note, write_off …"
    )
    amount = AmountField(min_value=None)
    at = serializers.DateTimeField()


class InvoiceRowOut(serializers.ModelSerializer[Invoice]):
    customer_name = serializers.CharField(source="customer.name")

    class Meta:
        model = Invoice
        fields = [
            "id", "kind", "number", "status", "customer", "customer_name", "subscription", "location", "credits",
            "issued_on", "due_on", "period_start", "period_end", "currency", "subtotal", "tax_amount", "total",
            "settled_amount", "tax_mode", "opened_at", "closed_at",
        ]  # fmt: skip
        read_only_fields = fields


class InvoiceOut(InvoiceRowOut):
    lines = InvoiceLineOut(many=True)
    allocations = serializers.SerializerMethodField(help_text="What settled it.")
    note = serializers.SerializerMethodField(
        help_text="Why a credit note was made, in the caller's language, and what a person wrote."
    )
    pay_link = serializers.SerializerMethodField(
        help_text="The bill's public page; who has it sees this bill. Empty for a draft."
    )

    class Meta(InvoiceRowOut.Meta):
        fields = [*InvoiceRowOut.Meta.fields, "note", "lines", "allocations", "pay_link"]
        read_only_fields = fields

    @extend_schema_field(AllocationOut(many=True))
    def get_allocations(self, invoice: Invoice) -> Any:
        rows = Allocation.objects.filter(invoice=invoice).select_related("entry").order_by("pk")
        return AllocationOut(rows, many=True).data

    @extend_schema_field(serializers.CharField())
    def get_note(self, invoice: Invoice) -> str:
        return note_of(invoice)

    @extend_schema_field(serializers.CharField())
    def get_pay_link(self, invoice: Invoice) -> str:
        return pay_link(invoice.token) if invoice.status != InvoiceStatus.DRAFT else ""


class InvoiceFilter(django_filters.FilterSet):  # type: ignore[misc]
    number = django_filters.CharFilter(method="by_number", max_length=40, label="Exactly this number.")
    number_prefix = django_filters.CharFilter(
        field_name="number",
        lookup_expr="startswith",
        min_length=2,
        max_length=40,
        label="Numbers that begin with this.",
    )
    status = django_filters.ChoiceFilter(choices=InvoiceStatus.choices)
    customer = id_filter("customer_id", method="by_customer")
    location = id_filter("location_id")

    def by_customer(self, rows: QuerySet[Invoice], name: str, value: int) -> QuerySet[Invoice]:
        # with those who were merged into the customer: their bills stay where they were made
        return rows.filter(customer_id__in=family_ids([value]))

    def by_number(self, rows: QuerySet[Invoice], name: str, value: str) -> QuerySet[Invoice]:
        return rows.filter(number=value.strip().upper())


class PdfRenderer(BaseRenderer):
    """Only names the type; the view answers with the file itself."""

    media_type, format = "application/pdf", "pdf"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        return data


class InvoiceViewSet(RoomViewSet):
    """Bills and credit notes."""

    model = Invoice
    list_serializer = InvoiceRowOut
    detail_serializer = InvoiceOut
    filterset_class = InvoiceFilter
    http_method_names = ["get", "head", "post"]
    action_permissions = {
        "list": "billing.view_invoice",
        "retrieve": "billing.view_invoice",
        "pdf": "billing.view_invoice",
        "create": "billing.add_invoice",
        "drafts": "billing.prepare_invoice",
        "change_draft": "billing.prepare_invoice",
        "discard": "billing.prepare_invoice",
        "issue": "billing.add_invoice",
        "credit_note": "billing.credit_invoice",
        "void": "billing.void_invoice",
        "bill_again": "billing.void_invoice",
        "bill_again_preview": "billing.void_invoice",
        "write_off": "billing.write_off_invoice",
        "use_balance": "payments.take_cash",
    }

    def visible(self) -> QuerySet[Invoice]:
        return invoices_visible_to(self.caller).select_related("customer", "location")

    @extend_schema(request=InvoiceIn, responses={201: InvoiceOut}, parameters=[IDEMPOTENCY])
    def create(self, request: Request) -> Response:
        """Write a bill and issue it at once; what the customer has in his balance pays it."""
        return self._write(request, is_draft=False)

    @extend_schema(request=InvoiceIn, responses={201: InvoiceOut}, parameters=[IDEMPOTENCY])
    @action(detail=False, methods=["post"])
    def drafts(self, request: Request) -> Response:
        """Keep a bill as a draft: no number, no debt, unseen by the customer until it is issued."""
        return self._write(request, is_draft=True)

    @extend_schema(request=DraftChangeIn, responses={200: InvoiceOut})
    @action(detail=True, methods=["post"], url_path="change-draft")
    def change_draft(self, request: Request, pk: str) -> Response:
        """Write a draft anew; its customer stays."""
        invoice, order = self.get_object(), self.checked(DraftChangeIn)
        lines = [ManualLine(**line) for line in order.pop("lines")]
        return self.answer(self.fresh(draft_change(invoice, **order, lines=lines, now=clock.now(), **who(request))))

    @extend_schema(request=DraftIssueIn, responses={200: InvoiceOut})
    @action(detail=True, methods=["post"])
    def issue(self, request: Request, pk: str) -> Response:
        """Make a draft a bill: its number, day and ledger entry are of now; the customer's balance pays it."""
        invoice, order = self.get_object(), self.checked(DraftIssueIn)
        return self.answer(self.fresh(draft_issue(invoice, **order, now=clock.now(), **who(request))))

    @extend_schema(request=NoInput, responses={204: None})
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: str) -> Response:
        """Throw a draft away."""
        invoice = self.get_object()
        self.checked(NoInput)
        draft_discard(invoice, now=clock.now(), **who(request))
        return Response(status=204)

    @extend_schema(request=CreditIn, responses={201: InvoiceOut}, parameters=[IDEMPOTENCY])
    @action(detail=True, methods=["post"], url_path="credit-note")
    def credit_note(self, request: Request, pk: str) -> Response:
        """Ask less: settles the open part of the bill; what was paid already becomes the customer's balance."""
        invoice, key = self.get_object(), request_key(request)
        note = credit_note_issue(invoice, **self.checked(CreditIn), request_key=key, now=clock.now(), **who(request))
        return self.answer(self.fresh(note), status=201)

    @extend_schema(request=NoInput, responses={200: InvoiceOut})
    @action(detail=True, methods=["post"], url_path="use-balance")
    def use_balance(self, request: Request, pk: str) -> Response:
        """Pay the bill from the customer's balance, as far as that reaches."""
        invoice = self.get_object()
        self.checked(NoInput)
        invoice_use_balance(invoice, now=clock.now(), **who(request))
        return self.answer(self.fresh(invoice))

    @extend_schema(request=ReasonIn, responses={200: InvoiceOut})
    @action(detail=True, methods=["post"])
    def void(self, request: Request, pk: str) -> Response:
        """Take back a bill nothing was paid of."""
        return self._close(invoice_void)

    @extend_schema(request=ReasonIn, responses={200: InvoiceOut})
    @action(detail=True, methods=["post"], url_path="bill-again")
    def bill_again(self, request: Request, pk: str) -> Response:
        """Make it void and bill its days of the service again, as agreed now. The new bill; the void one if they cost nothing."""
        invoice = self.get_object()
        made = invoice_bill_again(invoice, **self.checked(ReasonIn), **who(request))
        return self.answer(self.fresh(made or invoice))

    @extend_schema(request=ReasonIn, responses={200: MoneyPreviewOut})
    @action(detail=True, methods=["post"], url_path="bill-again-preview")
    def bill_again_preview(self, request: Request, pk: str) -> Response:
        """What billing its days again would ask. Nothing is done."""
        found = bill_again_preview(self.get_object(), **self.checked(ReasonIn), actor=self.caller)
        return Response(MoneyPreviewOut(found).data)

    @extend_schema(request=ReasonIn, responses={200: InvoiceOut})
    @action(detail=True, methods=["post"], url_path="write-off")
    def write_off(self, request: Request, pk: str) -> Response:
        """Give up what is still open of a bill."""
        return self._close(write_off)

    @extend_schema(responses={(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, description="The paper.")})
    @action(detail=True, methods=["get"], renderer_classes=[JSONRenderer, PdfRenderer])
    def pdf(self, request: Request, pk: str) -> HttpResponse:
        """The bill as a file, in the customer's language."""
        invoice = self.get_object()
        if invoice.status == InvoiceStatus.DRAFT:
            raise DomainError("invoice.draft", _("A draft has no paper yet."), status=409)
        answer = HttpResponse(invoice_pdf(invoice), content_type="application/pdf")
        name = str(invoice.number).replace("/", "-")
        answer["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
        return answer

    def _write(self, request: Request, *, is_draft: bool) -> Response:
        key, order = request_key(request), self.checked(InvoiceIn)
        lines = [ManualLine(**line) for line in order.pop("lines")]
        invoice = invoice_write(
            **order, lines=lines, request_key=key, is_draft=is_draft, now=clock.now(), **who(request)
        )  # fmt: skip
        return self.answer(self.fresh(invoice), status=201)

    def _close(self, service: Any) -> Response:
        invoice = self.get_object()
        service(invoice, **self.checked(ReasonIn), now=clock.now(), **who(self.request))
        return self.answer(self.fresh(invoice))
