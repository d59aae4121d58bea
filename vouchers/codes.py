"""Voucher codes from the operating system's random source, and the room there is for them.

Guessing a code must be hopeless and two batches must not collide, so a batch is refused when more than a tenth of
all possible codes of its kind would exist.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection

from django.utils.translation import gettext as _

from core.errors import DomainError
from vouchers.choices import CHARACTERS

MIN_LENGTH, MAX_LENGTH = 4, 20
FILL_DIVISOR = 10  # at most one code in ten may exist
PASSWORD_LENGTH = 6
_SPARE = 1.02


def random_texts(count: int, length: int, characters: str) -> list[str]:
    """`count` independent texts; every character equally likely. Duplicates are possible.

    One bulk draw from `secrets`; bytes beyond the largest multiple of the alphabet are thrown away (rejection
    sampling), because a plain modulo would make the first characters likelier.
    """
    wanted = count * length
    limit = 256 - 256 % len(characters)
    table = bytes(ord(characters[i % len(characters)]) if i < limit else 0 for i in range(256))
    unfair = bytes(range(limit, 256))
    drawn = bytearray()
    while len(drawn) < wanted:
        missing = wanted - len(drawn)
        drawn += secrets.token_bytes(int(missing * 256 / limit * _SPARE) + 16).translate(table, unfair)
    text = drawn[:wanted].decode("ascii")
    return [text[start : start + length] for start in range(0, wanted, length)]


def codes_draw(*, quantity: int, prefix: str, length: int, charset: str, taken: Collection[str] = ()) -> list[str]:
    """`quantity` different codes that are not in `taken`, sorted.

    Sorted, because processes that copy codes in the same order cannot dead-lock on the unique index.
    """
    characters = CHARACTERS[charset]
    codes: set[str] = set()
    while len(codes) < quantity:
        fresh = random_texts(quantity - len(codes), length, characters)
        codes.update(prefix + text for text in fresh)
        if taken:
            codes.difference_update(taken)
    return sorted(codes)


def passwords_draw(quantity: int, charset: str) -> list[str]:
    """Passwords for vouchers whose password is not their code."""
    return random_texts(quantity, PASSWORD_LENGTH, CHARACTERS[charset])


def code_space(length: int, charset: str) -> int:
    """How many different codes there are of this length."""
    return int(len(CHARACTERS[charset]) ** length)


def smallest_length(needed: int, charset: str) -> int:
    """The shortest length at which `needed` codes fill no more than a tenth."""
    length = MIN_LENGTH
    while needed * FILL_DIVISOR > code_space(length, charset) and length < MAX_LENGTH:
        length += 1
    return length


def code_space_check(*, quantity: int, existing: int, length: int, charset: str) -> None:
    """Refuse a batch whose codes would be easy to guess. Raises DomainError (`batch.code_space`) with the way out."""
    needed = existing + quantity
    space = code_space(length, charset)
    if needed * FILL_DIVISOR <= space:
        return
    shortest = smallest_length(needed, charset)
    message = _(
        "Codes of %(length)d random characters are too few: there are %(space)s of them, and with the %(existing)s"
        " that exist more than one in ten would be valid and could be guessed. Use at least %(shortest)d characters."
    ) % {"length": length, "space": f"{space:,}", "existing": f"{existing:,}", "shortest": shortest}
    raise DomainError("batch.code_space", message, fields={"length": message})
