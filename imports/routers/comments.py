"""Who a login belongs to, from what somebody wrote beside it: `Bu Sri 0812-3456-7890 RT 3` is a name and a phone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.errors import DomainError
from customers.checking import text_clean
from customers.phones import phone_parse

_PHONE = re.compile(r"\+?\d[\d\s().-]{7,18}\d")
NAME_LENGTH = 120


@dataclass(frozen=True)
class Person:
    name: str
    phone: str = ""  # E.164


def person_read(comment: str, login: str) -> Person:
    """The first thing that is a phone number, and what is left as the name; without one the login's name stands in."""
    phone, rest = "", comment
    for match in _PHONE.finditer(comment):
        try:
            phone = phone_parse(match[0].strip())
        except DomainError:
            continue
        rest = f"{comment[: match.start()]} {comment[match.end() :]}"
        break
    name = text_clean(rest.strip(" ,;:-/|()")[:NAME_LENGTH], NAME_LENGTH)
    return Person(name if any(c.isalpha() for c in name) else text_clean(login[:NAME_LENGTH], NAME_LENGTH), phone)
