from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.requests import request_key, who
from core.api.schema import IDEMPOTENCY
from core.api.serializers import NoInput
from core.api.views import RoomViewSet
from core.errors import DomainError
from customers.api.filters import ContactFilter, CustomerFilter
from customers.api.serializers import (
    ConsentIn,
    ConsentOut,
    ContactIn,
    ContactOut,
    ContactPatchIn,
    CustomerEventOut,
    CustomerIn,
    CustomerOut,
    CustomerPatchIn,
    CustomerRowOut,
    DocumentOut,
    EraseIn,
    MergeIn,
    MergeOut,
    NoteIn,
)
from customers.models import Contact, Customer, CustomerMerge
from customers.selectors import (
    consents_of,
    contacts_of,
    contacts_visible_to,
    customers_visible_to,
    documents_of,
    events_of,
)
from customers.services import (
    MergePreview,
    consent_record,
    contact_add,
    contact_change,
    contact_remove,
    customer_change,
    customer_create,
    customer_erase,
    customer_note_add,
    customers_merge,
    customers_merge_preview,
    customers_merge_undo,
)


class CustomerViewSet(RoomViewSet):
    """Who pays. Merged rows are in no list; asked by id they say which one stayed."""

    model = Customer
    list_serializer = CustomerRowOut
    detail_serializer = CustomerOut
    filterset_class = CustomerFilter
    http_method_names = ["get", "head", "post", "patch"]
    action_permissions = {
        "list": "customers.view_customer",
        "retrieve": "customers.view_customer",
        "create": "customers.add_customer",
        "partial_update": "customers.change_customer",
        "note": "customers.change_customer",
        "contacts": "customers.view_contact",
        "contact_add": "customers.add_contact",
        "consents": "customers.view_customer",
        "consent_add": "customers.change_customer",
        "documents": "customers.view_customerdocument",
        "events": "customers.view_customer",
        "merge": "customers.merge_customer",
        "merge_undo": "customers.merge_customer",
        "erase": "customers.erase_customer",
    }

    def visible(self) -> QuerySet[Customer]:
        rows = customers_visible_to(self.caller).select_related("location").defer("search")
        return rows.filter(merged_into=None) if self.action == "list" else rows

    @extend_schema(request=CustomerIn, responses={201: CustomerOut}, parameters=[IDEMPOTENCY])
    def create(self, request: Request) -> Response:
        """Add a customer; the same key again answers with the same customer."""
        key, fields = request_key(request), self.checked(CustomerIn)
        customer = customer_create(**fields, **who(request), request_key=key)
        if customer.name != " ".join(fields["name"].split()):
            message = _("This Idempotency-Key was used for another customer; nothing was added now.")
            raise DomainError("idempotency.mismatch", message, status=409)
        return self.answer(self.fresh(customer), 201)

    @extend_schema(request=CustomerPatchIn, responses={200: CustomerOut})
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is named; the rest stays."""
        customer = self.get_object()
        customer_change(customer, **self.checked(CustomerPatchIn), **who(request))
        return self.answer(self.fresh(customer))

    @extend_schema(request=NoteIn, responses={200: CustomerOut})
    @action(detail=True, methods=["post"])
    def note(self, request: Request, pk: str) -> Response:
        """Put a dated line on top of the notes."""
        customer = self.get_object()
        customer_note_add(customer, **self.checked(NoteIn), **who(request))
        return self.answer(self.fresh(customer))

    @extend_schema(responses={200: ContactOut(many=True)}, filters=False)
    @action(detail=True, methods=["get"])
    def contacts(self, request: Request, pk: str) -> Response:
        """Others to reach, of merged rows too."""
        return self._rows(contacts_of(self.get_object()), ContactOut)

    @extend_schema(request=ContactIn, responses={201: ContactOut})
    @contacts.mapping.post
    def contact_add(self, request: Request, pk: str) -> Response:
        """Add somebody else to reach."""
        contact = contact_add(self.get_object(), **self.checked(ContactIn), **who(request))
        return Response(ContactOut(contact).data, status=201)

    @extend_schema(responses={200: ConsentOut(many=True)}, filters=False)
    @action(detail=True, methods=["get"])
    def consents(self, request: Request, pk: str) -> Response:
        """Every yes and no, newest first; the newest of a channel and kind holds."""
        return self._rows(consents_of(self.get_object()), ConsentOut)

    @extend_schema(request=ConsentIn, responses={201: ConsentOut})
    @consents.mapping.post
    def consent_add(self, request: Request, pk: str) -> Response:
        """Write a yes or no down."""
        consent = consent_record(self.get_object(), **self.checked(ConsentIn), **who(request))
        return Response(ConsentOut(consent).data, status=201)

    @extend_schema(responses={200: DocumentOut(many=True)}, filters=False)
    @action(detail=True, methods=["get"])
    def documents(self, request: Request, pk: str) -> Response:
        """What is kept about the customer, without the files."""
        return self._rows(documents_of(self.get_object()), DocumentOut)

    @extend_schema(responses={200: CustomerEventOut(many=True)}, filters=False)
    @action(detail=True, methods=["get"])
    def events(self, request: Request, pk: str) -> Response:
        """Everything that happened to the customer, newest first."""
        return self._rows(events_of(self.get_object()), CustomerEventOut)

    @extend_schema(request=MergeIn, responses={200: MergeOut})
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: str) -> Response:
        """Make another customer a pointer to this one; services and open money come along. Can be undone for 24 hours."""
        winner, asked = self.get_object(), self.checked(MergeIn)
        loser = self.get_queryset().filter(pk=asked["loser"]).first()
        if loser is None:
            message = _("There is no such customer at your locations.")
            raise DomainError("merge.unknown", message, fields={"loser": message})
        preview = customers_merge_preview(winner, loser, actor=self.caller)
        merge = None if asked["is_dry_run"] else customers_merge(winner, loser, **who(request))
        return Response(_merge_out(winner, loser, merge, preview))

    @extend_schema(request=NoInput, responses={200: CustomerOut})
    @action(detail=True, methods=["post"], url_path="merge-undo")
    def merge_undo(self, request: Request, pk: str) -> Response:
        """Asked of the customer that went: let it stand on its own again, within 24 hours."""
        loser = self.get_object()
        self.checked(NoInput)
        merge = CustomerMerge.objects.filter(loser=loser, undone_at=None).first()
        if merge is None:
            raise DomainError("merge.none", _("This customer was not merged into another one."), status=409)
        customers_merge_undo(merge, **who(request))
        return self.answer(self.fresh(loser))

    @extend_schema(request=EraseIn, responses={200: CustomerOut})
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, pk: str) -> Response:
        """Forget the person for good; number, bills and postings stay."""
        customer = self.get_object()
        if self.checked(EraseIn)["number"].strip().upper() != customer.number.upper():
            message = _("Write the customer's own number to confirm.")
            raise DomainError("erase.unconfirmed", message, fields={"number": message})
        customer_erase(customer, **who(request))
        return self.answer(self.fresh(customer))

    def _rows(self, rows: QuerySet[Any], serializer: Any) -> Response:
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(serializer(page, many=True).data)


def _merge_out(winner: Customer, loser: Customer, merge: CustomerMerge | None, preview: MergePreview) -> Any:
    return MergeOut(
        {
            "merge": merge.pk if merge else None, "winner": winner.pk, "loser": loser.pk, "moved": dict(preview.moved),
            "balance": preview.balance, "debt": preview.debt,
        }
    ).data  # fmt: skip


class ContactViewSet(RoomViewSet):
    """Others to reach for a customer. They are added under their customer."""

    model = Contact
    list_serializer = ContactOut
    detail_serializer = ContactOut
    filterset_class = ContactFilter
    http_method_names = ["get", "head", "patch", "delete"]
    action_permissions = {
        "list": "customers.view_contact",
        "retrieve": "customers.view_contact",
        "partial_update": "customers.change_contact",
        "destroy": "customers.delete_contact",
    }

    def visible(self) -> QuerySet[Contact]:
        return contacts_visible_to(self.caller)

    @extend_schema(request=ContactPatchIn, responses={200: ContactOut})
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is named; the rest stays."""
        contact = self.get_object()
        contact_change(contact, **self.checked(ContactPatchIn), **who(request))
        return self.answer(self.fresh(contact))

    @extend_schema(responses={204: OpenApiResponse(description="Gone.")})
    def destroy(self, request: Request, pk: str) -> Response:
        """Take the contact away."""
        contact_remove(self.get_object(), **who(request))
        return Response(status=204)
