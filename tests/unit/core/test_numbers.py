from __future__ import annotations

import pytest

from core.numbers import page_number, whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("007", 7),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, None),
        ("²", None),
        ("٣", None),
        ("-1", None),
        ("", None),
    ],
)
def test_only_plain_digits_are_a_number(text: str, number: int | None) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize(("text", "page"), [("3", 3), ("0", 1), ("", 1), ("²", 1), ("-2", 1), ("9" * 7, 1)])
def test_what_is_no_page_is_the_first(text: str, page: int) -> None:
    assert page_number(text) == page
