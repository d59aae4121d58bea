"""One number, however it is written; and what is none is refused."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from core.errors import DomainError
from customers.phones import phone_beginnings, phone_parse, phone_text

SAME = "+6281234567890"


@pytest.mark.parametrize(
    "text",
    [
        "0812-3456-7890", "081234567890", "6281234567890", "62 812 3456 7890", "+62 812-3456-7890", "+6281234567890",
        "(0812) 3456.7890", "  0812 3456 7890\t", "+62 (0)812 3456 7890", "+62 0812 3456 7890", "0062 812 3456 7890",
        "81234567890", "０８１２３４５６７８９０", "٠٨١٢٣٤٥٦٧٨٩٠", "\u202a+62 812-3456-7890\u202c", "0812–3456–7890",
        "0812\u00a03456\u00a07890",
    ],
)  # fmt: skip
def test_every_spelling_is_the_same_number(text: str) -> None:
    assert phone_parse(text) == SAME


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("(021) 555-1234", "+62215551234"),
        ("+1 650 253 0000", "+16502530000"),
        ("+60 12-345 6789", "+60123456789"),
        ("", ""),
        ("   ", ""),
        ("\u200e", ""),
    ],
)
def test_other_numbers_and_none(text: str, phone: str) -> None:
    assert phone_parse(text) == phone


@pytest.mark.parametrize(
    "text",
    [
        "12", "0812", "0812 3456", "0812-3456-7890 / 0813-1111-2222", "0812FLOWERS", "tidak ada", "-", "+", "0" * 15,
        "081234567890 ext 5", "<script>", "=1+1", "+999 12345678", "0812\x003456789", "08123456789012", "9" * 41, "0812 ²³",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(DomainError) as refused:
        phone_parse(text)
    assert (refused.value.code, list(refused.value.fields)) == ("phone.invalid", ["phone"])
    assert "is not a phone number. Write it like 0812-345-678" in refused.value.message


def test_the_region_is_the_installations_or_the_callers(settings: Settings) -> None:
    assert phone_parse("012-345 6789", "MY") == "+60123456789"
    settings.PHONE_REGION = "MY"
    assert phone_parse("012-345 6789") == "+60123456789"
    assert phone_parse("60 12-345 6789") == "+60123456789"


def test_a_stored_number_is_shown_as_people_write_it() -> None:
    assert phone_text(SAME) == "+62 812-3456-7890"
    assert phone_text("") == ""
    assert phone_text("none") == "none"


@pytest.mark.parametrize(
    ("text", "beginnings"),
    [
        ("0812-3456-7890", [SAME]),
        ("0812 34", ["+6281234"]),
        ("+62 812 34", ["+6281234"]),
        ("+62 0812 34", ["+6281234"]),
        ("0062 812 34", ["+6281234"]),
        ("62812 34", ["+6281234", "+626281234"]),
        ("812 34", ["+6281234"]),
        ("+1650", []),
        ("+16502", ["+16502"]),
        ("0812", []),
        ("Sri", []),
        ("C000123", []),
        ("", []),
    ],
)
def test_the_beginning_of_a_number_in_any_spelling(text: str, beginnings: list[str]) -> None:
    assert phone_beginnings(text) == beginnings
