"""What comes in is checked field by field; what nobody declared is refused, not ignored."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

MAX_ID = 2**63 - 1
MAX_INT = 2**31 - 1


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown fields by name: a misspelt `qantity` must not silently mean "the default"."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            unknown = {str(name)[:80]: [str(_("There is no such field."))] for name in data if name not in known}
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)

    def create(self, validated_data: Any) -> NoReturn:
        raise TypeError("services write, serializers do not")

    def update(self, instance: Any, validated_data: Any) -> NoReturn:
        raise TypeError("services write, serializers do not")


class OutSerializer(serializers.Serializer[Any]):
    """An answer; never used for input."""


class NoInput(StrictSerializer):
    """A command that takes no body."""


class AmountField(serializers.DecimalField):
    """Money as text with up to two decimals (`"15000.00"`); a JSON number was a float somewhere."""

    default_error_messages = {"not_text": _('Send amounts as text, for example "15000.00".')}

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("min_value", Decimal(0))
        super().__init__(max_digits=18, decimal_places=2, **kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str):
            self.fail("not_text")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """JSON true or false, nothing that merely looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class WholeField(serializers.IntegerField):
    """A JSON whole number; text and fractions are refused."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """JSON text with a required longest length."""

    def __init__(self, *, max_length: int, **kwargs: Any):
        super().__init__(max_length=max_length, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


def id_field(**kwargs: Any) -> WholeField:
    return WholeField(min_value=1, max_value=MAX_ID, **kwargs)


class ErrorOut(OutSerializer):
    """The body of every error."""

    code = serializers.CharField(help_text="Stable, for programs: `voucher.not_sellable`.")
    message = serializers.CharField(help_text="A sentence for people, in the caller's language.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(), help_text="Field name to what is wrong with it."
    )
