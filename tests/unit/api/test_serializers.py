"""Strict input, without a database."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from rest_framework import serializers

from core.api.errors import _flatten
from core.api.serializers import AmountField, StrictBooleanField, StrictSerializer, TextField, WholeField


class Inner(StrictSerializer):
    number = WholeField(min_value=1, max_value=9)


class Outer(StrictSerializer):
    name = TextField(max_length=5)
    inner = Inner(required=False)
    shown = serializers.CharField(read_only=True)


def _errors(serializer: StrictSerializer) -> dict[str, str]:
    assert not serializer.is_valid()
    return dict(_flatten(serializer.errors))


def test_only_what_was_declared_comes_through() -> None:
    serializer = Outer(data={"name": "abc"})
    assert serializer.is_valid()
    assert serializer.validated_data == {"name": "abc"}


@pytest.mark.parametrize("extra", ["nmae", "shown", "", "x" * 500])
def test_unknown_and_read_only_names_are_refused(extra: str) -> None:
    assert _errors(Outer(data={"name": "abc", extra: 1})) == {extra[:80]: "There is no such field."}


def test_nested_unknown_names_are_refused() -> None:
    errors = _errors(Outer(data={"name": "abc", "inner": {"number": 1, "more": 2}}))
    assert errors == {"inner.more": "There is no such field."}


def test_serializers_never_write() -> None:
    serializer = Outer(data={"name": "abc"})
    assert serializer.is_valid()
    with pytest.raises(TypeError, match="services write"):
        serializer.save()


@pytest.mark.parametrize("value", [1, 1.0, True, None, "", " ", "1,5", "Infinity", "NaN", "-0.01", "0.005", "1" * 17])
def test_what_is_no_amount(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        AmountField().run_validation(value)


@pytest.mark.parametrize(
    ("text", "amount"), [("0", "0"), ("15000.00", "15000.00"), ("0.01", "0.01"), ("9" * 16, "9" * 16)]
)
def test_amounts_are_text(text: str, amount: str) -> None:
    assert AmountField().run_validation(text) == Decimal(amount)
    assert AmountField().to_representation(Decimal("5000")) == "5000.00"


@pytest.mark.parametrize("value", ["1", 1.0, True, None, [], 10**30])
def test_what_is_no_whole_number(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        WholeField(min_value=0, max_value=100).run_validation(value)


@pytest.mark.parametrize("value", ["true", 1, 0, "yes", None])
def test_what_is_no_boolean(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        StrictBooleanField().run_validation(value)


@pytest.mark.parametrize("value", [1, True, ["a"], "abcdef", "a\x00", "   "])
def test_what_is_no_text(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        TextField(max_length=5).run_validation(value)


def test_errors_become_dotted_names() -> None:
    detail = {"a": ["one", "two"], "b": [{}, {"c": ["three"]}], "non_field_errors": ["four"], "d": {}}
    assert dict(_flatten(detail)) == {"a": "one two", "b.1.c": "three", "": "four"}
