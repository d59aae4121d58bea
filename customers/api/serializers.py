from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import (
    AmountField,
    OutSerializer,
    StrictBooleanField,
    StrictSerializer,
    TextField,
    id_field,
)
from customers.checking import ADDRESS, AREA, EMAIL, NAME, NOTES, TAG, TAGS
from customers.choices import Channel, ConsentKind, ContactRole, DocumentKind
from customers.models import Contact, Customer
from customers.phones import LONGEST_TYPED
from locations.api.fields import LocationField


class NullableLocationField(LocationField):
    """The id of a location the caller may see, or null."""

    def __init__(self, **kwargs: Any):
        super().__init__(allow_null=True, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return None if data is None else super().run_validation(data)


class DegreesField(serializers.DecimalField):
    def __init__(self, largest: int, **kwargs: Any):
        super().__init__(
            max_digits=9, decimal_places=6, allow_null=True, min_value=Decimal(-largest), max_value=Decimal(largest),
            **kwargs,
        )  # fmt: skip


class _Fields(StrictSerializer):
    """What may be written about a customer; names and lengths are those of the services."""

    phone = TextField(
        max_length=LONGEST_TYPED, allow_blank=True, required=False, help_text="In any spelling; stored as E.164."
    )
    email = TextField(max_length=EMAIL, allow_blank=True, required=False)
    address = TextField(max_length=ADDRESS, allow_blank=True, required=False)
    location = NullableLocationField(required=False, help_text="Default for an Operator with one location: that one.")
    latitude = DegreesField(90, required=False)
    longitude = DegreesField(180, required=False)
    area = TextField(max_length=AREA, allow_blank=True, required=False, help_text="Area or ODP.")
    tags = serializers.ListField(child=TextField(max_length=TAG), max_length=TAGS, required=False)
    notes = TextField(max_length=NOTES, allow_blank=True, required=False)
    language = serializers.ChoiceField(choices=settings.LANGUAGES, allow_blank=True, required=False)
    is_active = StrictBooleanField(required=False)


class CustomerIn(_Fields):
    name = TextField(max_length=NAME)
    number = TextField(max_length=20, required=False, help_text="Default: the next one, `C000123`.")


class CustomerPatchIn(_Fields):
    name = TextField(max_length=NAME, required=False)
    number = TextField(max_length=20, required=False)


class CustomerRowOut(serializers.ModelSerializer[Customer]):
    location_name = serializers.CharField(source="location.name", allow_null=True, default=None)
    balance = AmountField(help_text="Money of theirs that we hold.")
    debt = AmountField(help_text="What they owe.")

    class Meta:
        model = Customer
        fields = [
            "id", "number", "name", "phone", "email", "location", "location_name", "area", "tags", "balance", "debt",
            "is_active", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class MergedOut(OutSerializer):
    id = serializers.IntegerField()
    number = serializers.CharField()


class CustomerOut(CustomerRowOut):
    merged_into = serializers.IntegerField(
        source="merged_into_id", allow_null=True, help_text="The customer that stayed: use that one."
    )
    merged = serializers.SerializerMethodField(help_text="Customers that were merged into this one.")

    class Meta(CustomerRowOut.Meta):
        fields = [
            *CustomerRowOut.Meta.fields, "phone_typed", "address", "latitude", "longitude", "notes", "language",
            "updated_at", "merged_into", "merged", "erased_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(MergedOut(many=True))
    def get_merged(self, customer: Customer) -> Any:
        return MergedOut(customer.merged.order_by("pk"), many=True).data


class ContactIn(StrictSerializer):
    name = TextField(max_length=NAME)
    role = serializers.ChoiceField(choices=ContactRole.choices, default=ContactRole.OTHER)
    phone = TextField(max_length=LONGEST_TYPED, allow_blank=True, required=False)
    email = TextField(max_length=EMAIL, allow_blank=True, required=False)


class ContactPatchIn(StrictSerializer):
    name = TextField(max_length=NAME, required=False)
    role = serializers.ChoiceField(choices=ContactRole.choices, required=False)
    phone = TextField(max_length=LONGEST_TYPED, allow_blank=True, required=False)
    email = TextField(max_length=EMAIL, allow_blank=True, required=False)


class ContactOut(serializers.ModelSerializer[Contact]):
    class Meta:
        model = Contact
        fields = ["id", "customer", "name", "role", "phone", "phone_typed", "email", "created_at"]
        read_only_fields = fields


class ConsentIn(StrictSerializer):
    channel = serializers.ChoiceField(choices=Channel.choices)
    kind = serializers.ChoiceField(choices=ConsentKind.choices)
    is_granted = StrictBooleanField()
    source = TextField(  # type: ignore[assignment]  # the class attribute of the library is never read
        max_length=120, help_text="How we know: `signed form`. Stays for good; no names."
    )


class ConsentOut(OutSerializer):
    id = serializers.IntegerField()
    channel = serializers.ChoiceField(choices=Channel.choices)
    kind = serializers.ChoiceField(choices=ConsentKind.choices)
    is_granted = serializers.BooleanField()
    source = serializers.CharField()  # type: ignore[assignment]  # see ConsentIn
    actor = serializers.IntegerField(source="actor_id", allow_null=True)
    at = serializers.DateTimeField()


class DocumentOut(OutSerializer):
    """About the file; the file itself is given out by the back office only."""

    id = serializers.IntegerField()
    customer = serializers.IntegerField(source="customer_id")
    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    title = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField()
    uploaded_by = serializers.IntegerField(source="uploaded_by_id", allow_null=True)
    uploaded_at = serializers.DateTimeField()


class NoteIn(StrictSerializer):
    text = TextField(max_length=2000)


class MergeIn(StrictSerializer):
    loser = id_field(help_text="The customer that goes; this one stays.")
    is_dry_run = StrictBooleanField(required=False, default=False, help_text="Only say what would happen.")


class MergeOut(OutSerializer):
    merge = serializers.IntegerField(allow_null=True, help_text="null: nothing was done, it was a dry run.")
    winner = serializers.IntegerField()
    loser = serializers.IntegerField()
    moved = serializers.DictField(child=serializers.IntegerField(), help_text="How many rows came along, by kind.")
    balance = AmountField(help_text="Of the one that stays, afterwards.")
    debt = AmountField()


class EraseIn(StrictSerializer):
    number = TextField(max_length=20, help_text="The customer's number, as a confirmation.")


class CustomerEventOut(OutSerializer):
    id = serializers.IntegerField()
    customer = serializers.IntegerField(source="customer_id")
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    actor = serializers.IntegerField(source="actor_id", allow_null=True, help_text="null: the system.")
    details = serializers.DictField(help_text="Names of fields, never what tells who somebody is.")
