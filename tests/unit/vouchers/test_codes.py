from __future__ import annotations

import secrets
from collections import Counter

import pytest

from core.errors import DomainError
from vouchers import codes
from vouchers.choices import CHARACTERS, CharacterSet


@pytest.mark.parametrize("charset", CharacterSet.values)
def test_codes_are_different_sorted_and_of_the_ordered_form(charset: str) -> None:
    drawn = codes.codes_draw(quantity=5_000, prefix="AB-", length=8, charset=charset)
    assert len(set(drawn)) == 5_000
    assert drawn == sorted(drawn)
    assert {len(code) for code in drawn} == {11}
    assert {code[:3] for code in drawn} == {"AB-"}
    assert set("".join(code[3:] for code in drawn)) == set(CHARACTERS[charset])


def test_letters_that_look_alike_are_never_used_by_default() -> None:
    assert not set("0O1IL") & set(CHARACTERS[CharacterSet.UNAMBIGUOUS])
    assert not set("OIL") & set(CHARACTERS[CharacterSet.LETTERS])
    assert all(len(set(chars)) == len(chars) for chars in CHARACTERS.values())


def test_every_character_is_equally_likely(monkeypatch: pytest.MonkeyPatch) -> None:
    """All 256 byte values in turn: after rejection each of 31 characters must come up exactly as often."""
    stream = bytes(range(256)) * 200
    position = 0

    def counted(size: int) -> bytes:
        nonlocal position
        position += size
        return (stream * 10)[position - size : position]

    monkeypatch.setattr(secrets, "token_bytes", counted)
    characters = CHARACTERS[CharacterSet.UNAMBIGUOUS]
    # 248 of 256 bytes are fair, 8 for each of the 31 characters
    counts = Counter("".join(codes.random_texts(31, 80, characters)))
    assert set(counts.values()) == {80}
    assert len(counts) == 31


def test_draws_again_until_there_are_enough_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that gives almost only unfair bytes must not shorten or repeat codes."""
    real, calls = secrets.token_bytes, []

    def stingy(size: int) -> bytes:
        calls.append(size)
        return b"\xff" * size if len(calls) < 3 else real(size)

    monkeypatch.setattr(secrets, "token_bytes", stingy)
    drawn = codes.random_texts(100, 8, CHARACTERS[CharacterSet.UNAMBIGUOUS])
    assert [len(text) for text in drawn] == [8] * 100
    assert len(calls) == 3


def test_taken_codes_are_not_drawn() -> None:
    everything = {f"{number:04d}" for number in range(10_000)}
    free = {"0007", "4711", "9999"}
    assert codes.codes_draw(quantity=3, prefix="", length=4, charset="digits", taken=everything - free) == sorted(free)


@pytest.mark.parametrize(
    ("quantity", "existing", "length", "charset", "shortest"),
    [
        (1_000, 0, 4, "digits", None),
        (1_001, 0, 4, "digits", 5),
        (1, 1_000, 4, "digits", 5),
        (100_000, 0, 5, "digits", 6),
        (100_000, 0, 6, "digits", None),
        (92_352, 0, 4, "unambiguous", None),
        (92_353, 0, 4, "unambiguous", 5),
        (100_000, 0, 4, "letters", 5),
    ],
)
def test_room_for_codes(quantity: int, existing: int, length: int, charset: str, shortest: int | None) -> None:
    if shortest is None:
        codes.code_space_check(quantity=quantity, existing=existing, length=length, charset=charset)
        return
    with pytest.raises(DomainError) as refused:
        codes.code_space_check(quantity=quantity, existing=existing, length=length, charset=charset)
    assert refused.value.code == "batch.code_space"
    assert f"Use at least {shortest} characters." in refused.value.fields["length"]


def test_passwords_have_their_own_length() -> None:
    assert {len(word) for word in codes.passwords_draw(50, "digits")} == {codes.PASSWORD_LENGTH}
