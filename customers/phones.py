"""Phone numbers in any spelling: stored as E.164, shown the way people write them, found by their beginning."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import DomainError

LONGEST_TYPED = 40
SHORTEST_SEARCHED = 5  # digits; fewer would find half of all customers
_WRITTEN = re.compile(r"[\d\s()+./\-]+")


def phone_parse(text: str, region: str = "") -> str:
    """E.164 of what a person wrote: `0812-3456-7890`, `62812…`, `+62 (0)812 …` are one number; "" for an empty text.

    Numbers without a country belong to `region`, by default to PHONE_REGION. Raises DomainError (`phone.invalid`,
    field `phone`) with a sentence that shows how to write it.
    """
    plain = phone_plain(text)
    if not plain:
        return ""
    if len(plain) > LONGEST_TYPED or not _WRITTEN.fullmatch(plain):
        raise _refused(text)
    region = region or settings.PHONE_REGION
    for spelling in _spellings(plain, region):
        try:
            number = phonenumbers.parse(spelling, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    raise _refused(text)


def phone_text(phone: str) -> str:
    """The stored number as people read it: `+62 812-3456-7890`. What is no number stays as it is."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def phone_beginnings(text: str, region: str = "") -> list[str]:
    """What a stored number begins with when `text` is it or its first digits, in any spelling; [] for other text."""
    plain = phone_plain(text)
    digits = re.sub(r"\D", "", plain)
    if not _WRITTEN.fullmatch(plain) or len(digits) < SHORTEST_SEARCHED or len(digits) > LONGEST_TYPED:
        return []
    country = str(phonenumbers.country_code_for_region(region or settings.PHONE_REGION))
    if plain.startswith(("+", "00")):
        digits = digits.removeprefix("00")
        rest = digits.removeprefix(country)
        return [f"+{country}{rest.lstrip('0')}" if digits != rest else f"+{digits}"]
    if digits.startswith("0"):
        return [f"+{country}{digits.lstrip('0')}"]
    found = [f"+{country}{digits}"]
    return [f"+{digits}", *found] if digits.startswith(country) else found


def phone_plain(text: str) -> str:
    """Digits of any script as 0-9, one kind of space and dash, and no invisible marks: copied numbers carry them."""
    marked = unicodedata.normalize("NFKC", text)
    plain = "".join(_plain_character(c) for c in marked if unicodedata.category(c) != "Cf")
    return " ".join(plain.split())


def _plain_character(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return "-" if unicodedata.category(character) == "Pd" else character


def _spellings(plain: str, region: str) -> list[str]:
    """As written, and the two ways people leave the + of an international number out."""
    digits = re.sub(r"\D", "", plain)
    country = str(phonenumbers.country_code_for_region(region))
    spellings = [plain]
    if digits.startswith("00"):
        spellings.insert(0, "+" + digits[2:])
    elif not plain.startswith("+") and digits.startswith(country):
        spellings.append("+" + digits)
    return spellings


def _refused(text: str) -> DomainError:
    example = phonenumbers.example_number_for_type(settings.PHONE_REGION, phonenumbers.PhoneNumberType.MOBILE)
    shown = (
        phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL) if example else "+62 812-3456-7890"
    )
    message = _("“%(text)s” is not a phone number. Write it like %(example)s, or with + and the country.") % {
        "text": text.strip()[:LONGEST_TYPED], "example": shown,
    }  # fmt: skip
    return DomainError("phone.invalid", message, fields={"phone": message})
