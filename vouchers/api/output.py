"""Details that ask several tables: a batch with its progress, a voucher with what its routers confirmed."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import OutSerializer
from vouchers.api.serializers import BatchProgressOut, BatchRowOut, PlaceOut, VoucherRowOut
from vouchers.models import Voucher, VoucherBatch
from vouchers.selectors import accounts_of, batch_progress
from vouchers.services import batch_warnings


class BatchOut(BatchRowOut):
    sync = serializers.SerializerMethodField(help_text="How far the batch and its routers are.")

    class Meta(BatchRowOut.Meta):
        fields = [*BatchRowOut.Meta.fields, "sync"]
        read_only_fields = fields

    @extend_schema_field(BatchProgressOut)
    def get_sync(self, batch: VoucherBatch) -> Any:
        return BatchProgressOut(batch_progress(batch)).data


class WarningOut(OutSerializer):
    code = serializers.CharField(help_text="`small_router`, `many_entries`.")
    location = serializers.IntegerField(source="location_id")
    sentence = serializers.CharField()


class BatchCreatedOut(BatchOut):
    warnings = serializers.SerializerMethodField(help_text="What these routers may find too much.")

    class Meta(BatchOut.Meta):
        fields = [*BatchOut.Meta.fields, "warnings"]
        read_only_fields = fields

    @extend_schema_field(WarningOut(many=True))
    def get_warnings(self, batch: VoucherBatch) -> Any:
        locations = list(batch.locations.all())
        found = batch_warnings(locations=locations, quantity=batch.quantity, push_at=batch.push_at, made=batch)
        return WarningOut(found, many=True).data


class VoucherOut(VoucherRowOut):
    password = serializers.SerializerMethodField(help_text="null: the code is the password.")
    price = serializers.DecimalField(18, 2, source="batch.price")
    places = serializers.SerializerMethodField(help_text="Each router the code is, or should be, on.")

    class Meta(VoucherRowOut.Meta):
        fields = [*VoucherRowOut.Meta.fields, "price", "password", "places"]
        read_only_fields = fields

    def get_password(self, voucher: Voucher) -> str | None:
        password: str | None = voucher.password
        return password

    @extend_schema_field(PlaceOut(many=True))
    def get_places(self, voucher: Voucher) -> Any:
        accounts = accounts_of(voucher).select_related("location__state").order_by("location__name")
        return PlaceOut(accounts, many=True).data
