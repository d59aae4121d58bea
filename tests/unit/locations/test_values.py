"""Rates and rate limits as RouterOS writes them."""

from __future__ import annotations

import pytest

from locations.routeros.values import pair_of_seconds, queue_words, rate_pair


@pytest.mark.parametrize(
    ("text", "pair"),
    [("64k/2M", "64000/2000000"), ("5M", "5000000/5000000"), ("0/0", "0/0"), ("1G/512", "1000000000/512")],
)
def test_pairs_of_rates(text: str, pair: str) -> None:
    assert rate_pair(text) == pair


@pytest.mark.parametrize("text", ["fast", "5m", "5M/", "-1M", "5M/20M 10M/40M 4M/16M 8s 9", "1 2 3 4s 5 6 7"])
def test_what_is_no_rate_limit(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        queue_words(text)


def test_a_rate_limit_as_a_queue() -> None:
    assert queue_words("") == {
        "max-limit": "0/0", "burst-limit": "0/0", "burst-threshold": "0/0", "burst-time": "0s/0s", "priority": "8/8",
        "limit-at": "0/0",
    }  # fmt: skip
    assert queue_words("2M/4M 3M/6M 1M/2M 8s/1m 5 512k/1M") == {
        "max-limit": "2000000/4000000", "burst-limit": "3000000/6000000", "burst-threshold": "1000000/2000000",
        "burst-time": "8s/60s", "priority": "5/5", "limit-at": "512000/1000000",
    }  # fmt: skip
    assert pair_of_seconds("00:00:08/1m") == "8s/60s"
    assert pair_of_seconds("none") == "none"
