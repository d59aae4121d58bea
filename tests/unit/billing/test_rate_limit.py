from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.rate_limit import Pair, RateLimit, normalise, parse
from core.errors import DomainError


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        ("   ", ""),
        ("5M/20M", "5M/20M"),
        ("5M", "5M/5M"),
        ("512k/2M", "512k/2M"),
        ("1500000/2000k", "1500k/2M"),
        ("0/10M", "0/10M"),
        ("  5M/20M  ", "5M/20M"),
        ("1M/1M 2M/2M 768k/768k 8/8", "1M/1M 2M/2M 768k/768k 8/8"),
        ("1M 2M 768k 8s", "1M/1M 2M/2M 768k/768k 8/8"),
        ("1M/2M 2M/4M 1M/2M 8/16 5", "1M/2M 2M/4M 1M/2M 8/16 5"),
        ("1M/2M 2M/4M 1M/2M 8/16 5 256k/512k", "1M/2M 2M/4M 1M/2M 8/16 5 256k/512k"),
        ("1234567/1", "1234567/1"),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    assert normalise(text) == canonical


def test_parsed_values_are_bits_per_second_upload_first() -> None:
    limit = parse("512k/2M 1M/4M 256k/1M 8/16 3 64k/128k")
    assert limit == RateLimit(
        rate=Pair(512_000, 2_000_000), burst=Pair(1_000_000, 4_000_000), threshold=Pair(256_000, 1_000_000),
        burst_time=Pair(8, 16), priority=3, minimum=Pair(64_000, 128_000),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("5m/20M", "is not a speed"),
        ("5K/20K", "is not a speed"),
        ("5 M/20M", "three values"),
        ("-5M/20M", "is not a speed"),
        ("1.5M/2M", "is not a speed"),
        ("5M/20M/1M", "is not a speed"),
        ("5M/", "is not a speed"),
        ("/5M", "is not a speed"),
        ("05M/5M", "is not a speed"),
        ("5M/20M; /system reset", "three values"),
        ("999999999999M/1M", "faster than any router"),
        ("1M/1M 2M/2M", "three values"),
        ("1M/1M 2M/2M 1M/1M", "three values"),
        ("2M/2M 1M/4M 1M/1M 8/8", "below the speed limit"),
        ("2M/2M 4M/1M 1M/1M 8/8", "below the speed limit"),
        ("0/2M 4M/4M 1M/1M 8/8", "unlimited"),
        ("1M/1M 2M/2M 3M/1M 8/8", "threshold"),
        ("1M/1M 2M/2M 0/1M 8/8", "threshold"),
        ("1M/1M 2M/2M 1M/1M 0/8", "not a burst time"),
        ("1M/1M 2M/2M 1M/1M 8m/8", "not a burst time"),
        ("1M/1M 2M/2M 1M/1M 9999/8", "not a burst time"),
        ("1M/1M 2M/2M 1M/1M 8/8 0", "from 1"),
        ("1M/1M 2M/2M 1M/1M 8/8 9", "from 1"),
        ("1M/1M 2M/2M 1M/1M 8/8 8 2M/1M", "guaranteed"),
        ("1M/1M 2M/2M 1M/1M 8/8 8 1M/1M 1M/1M", "Too many"),
        ("1M/1M" + " " * 200 + "2M/2M 1M/1M 8/8", "too long"),
    ],
)
def test_refused_with_the_reason_at_the_field(text: str, says: str) -> None:
    with pytest.raises(DomainError) as refused:
        parse(text)
    assert refused.value.code == "rate_limit.invalid"
    assert says in refused.value.fields["rate_limit"]


rates = st.integers(1, 10_000_000_000)


@given(rates, rates, st.integers(0, 10**9), st.integers(1, 3600), st.none() | st.integers(1, 8))
def test_every_valid_limit_survives_the_round_trip(
    up: int, down: int, extra: int, seconds: int, priority: int | None
) -> None:
    limit = RateLimit(
        rate=Pair(up, down), burst=Pair(up + extra, down + extra), threshold=Pair(up, 1),
        burst_time=Pair(seconds, 1), priority=priority, minimum=Pair(up, 1) if priority else None,
    )  # fmt: skip
    assert parse(limit.format()) == limit
