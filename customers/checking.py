"""What may be written about a customer: each field cleaned, or refused with a sentence beside it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from core.errors import DomainError
from customers.phones import phone_parse, phone_plain
from locations.models import Location

NAME, EMAIL, ADDRESS, AREA, NOTES = 120, 254, 500, 120, 5000
TAG, TAGS = 30, 20
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]{0,19}")
_SIX = Decimal("0.000001")
# they turn the text around them, so that a name reads as something else; no name needs them
_TURNING = set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")

FIELDS = (
    "number", "name", "phone", "email", "address", "location", "latitude", "longitude", "area", "tags", "notes",
    "language", "is_active",
)  # fmt: skip
# what tells who somebody is: never copied into events or the activity log, replaced when the person is erased
PERSONAL = frozenset({"name", "phone", "email", "address", "latitude", "longitude", "area", "tags", "notes"})


def customer_clean(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns to write for these fields. Raises DomainError (`customer.invalid`) with every field that is wrong.

    `phone` also gives `phone_typed`. Reads nothing: whether a number is taken or a location is yours is asked elsewhere.
    """
    columns: dict[str, Any] = {}
    wrong = {name: _("There is no such field.") for name in fields if name not in FIELDS}
    for name in FIELDS:
        if name not in fields:
            continue
        try:
            columns.update(_CLEANERS[name](fields[name]))
        except DomainError as error:
            wrong[name] = str(error.message)
    is_half = (columns.get("latitude") is None) != (columns.get("longitude") is None)
    if is_half and not {"latitude", "longitude"} & set(wrong):
        wrong["longitude"] = _("Write both coordinates, or none.")
    if wrong:
        raise DomainError("customer.invalid", _("Please correct the marked fields."), wrong)
    return columns


def text_clean(value: Any, longest: int, *, is_required: bool = False, has_lines: bool = False) -> str:
    """Text without characters that nobody sees; one line, unless `has_lines`. Raises DomainError when it is too long."""
    text = unicodedata.normalize("NFC", "" if value is None else str(value))
    text = "".join(
        c for c in text if c not in _TURNING and (c in "\n\t\r" or unicodedata.category(c) not in {"Cc", "Cs"})
    )
    if has_lines:
        text = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).strip()
    else:
        text = " ".join(text.split())
    if is_required and not text:
        raise _wrong(_("Please fill this in."))
    if len(text) > longest:
        raise _wrong(_("At most %(n)d characters.") % {"n": longest})
    return text


def phone_clean(value: Any) -> dict[str, str]:
    """`phone` in E.164, and `phone_typed` as it was written."""
    typed = "" if value is None else str(value)
    phone = phone_parse(typed)
    return {"phone": phone, "phone_typed": text_clean(typed, 40) if phone else ""}


def email_clean(value: Any) -> str:
    """In lower case: nobody has two mailboxes that differ by it, and it is found however it was typed."""
    text = text_clean(value, EMAIL).lower()
    if text:
        try:
            validate_email(text)
        except ValidationError:
            raise _wrong(_("This is not an e-mail address.")) from None
    return text


def tags_clean(value: Any) -> list[str]:
    """Lower case, each once, in the order given. Text is cut at commas."""
    parts: Iterable[Any] = value.split(",") if isinstance(value, str) else (value or ())
    tags: list[str] = []
    for part in parts:
        tag = text_clean(part, TAG).lower()
        if "," in tag:
            raise _wrong(_("A tag has no comma in it."))
        if tag and tag not in tags:
            tags.append(tag)
    if len(tags) > TAGS:
        raise _wrong(_("At most %(n)d tags.") % {"n": TAGS})
    return tags


def _number(value: Any) -> dict[str, str]:
    text = phone_plain(str(value or "")).upper()
    if text and not NUMBER.fullmatch(text):
        raise _wrong(_("A customer number has up to 20 letters, digits, dots, slashes and dashes."))
    return {"number": text}


def _degrees(name: str, largest: int) -> Callable[[Any], dict[str, Decimal | None]]:
    def clean(value: Any) -> dict[str, Decimal | None]:
        if value is None or value == "":
            return {name: None}
        try:
            degrees = Decimal(str(value).replace(",", ".")).quantize(_SIX)
        except InvalidOperation:
            raise _wrong(_("Write degrees as a number, for example -7.562.")) from None
        if not degrees.is_finite() or abs(degrees) > largest:
            raise _wrong(_("From -%(n)d to %(n)d degrees.") % {"n": largest})
        return {name: degrees}

    return clean


def _location(value: Any) -> dict[str, Location | None]:
    if value is not None and not isinstance(value, Location):
        raise _wrong(_("This is not a location."))
    return {"location": value}


def _language(value: Any) -> dict[str, str]:
    if value and value not in dict(settings.LANGUAGES):
        raise _wrong(_("One of: %(choices)s.") % {"choices": ", ".join(dict(settings.LANGUAGES))})
    return {"language": value or ""}


def _wrong(message: str) -> DomainError:
    return DomainError("customer.invalid", message)


_CLEANERS: dict[str, Callable[[Any], Mapping[str, Any]]] = {
    "number": _number,
    "name": lambda value: {"name": text_clean(value, NAME, is_required=True)},
    "phone": phone_clean,
    "email": lambda value: {"email": email_clean(value)},
    "address": lambda value: {"address": text_clean(value, ADDRESS, has_lines=True)},
    "location": _location,
    "latitude": _degrees("latitude", 90),
    "longitude": _degrees("longitude", 180),
    "area": lambda value: {"area": text_clean(value, AREA)},
    "tags": lambda value: {"tags": tags_clean(value)},
    "notes": lambda value: {"notes": text_clean(value, NOTES, has_lines=True)},
    "language": _language,
    "is_active": lambda value: {"is_active": bool(value)},
}
