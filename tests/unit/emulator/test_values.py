from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from locations.emulator import values


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("30m", 1800),
        ("1d2h", 93600),
        ("1w2d3h4m5s", 788645),
        ("01:30:00", 5400),
        ("1d 00:00:00", 86400),
        ("1d01:22:53", 91373),
        ("0s", 0),
        ("14ms612us", 0.014612),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert values.parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "abc", "1x", "1d-2h", "m5", "5m "[:-1] + "x"])
def test_other_text_is_no_duration(text: str) -> None:
    assert values.parse_duration(text) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59.9, "59s"), (3600, "1h"), (788645, "1w2d3h4m5s"), (86460, "1d1m")]
)
def test_durations_are_written(seconds: float, text: str) -> None:
    assert values.format_duration(seconds) == text


def test_dates_change_their_spelling_with_7_10() -> None:
    moment = datetime(2024, 1, 2, 10, 0, 0, tzinfo=UTC)
    assert values.format_moment(moment, (6, 49, 17)) == "jan/02/2024 10:00:00"
    assert values.format_moment(moment, (7, 9, 2)) == "jan/02/2024 10:00:00"
    assert values.format_moment(moment, (7, 10, 0)) == "2024-01-02 10:00:00"
    assert values.parse_date("jan/02/2024") == values.parse_date("2024-01-02") == (2024, 1, 2)
    assert values.parse_date("02.01.2024") is None


def test_gmt_offset_has_a_sign() -> None:
    jakarta = datetime(2024, 1, 2, tzinfo=ZoneInfo("Asia/Jakarta"))
    st_johns = datetime(2024, 1, 2, tzinfo=ZoneInfo("America/St_Johns"))
    assert values.format_gmt_offset(jakarta) == "+07:00"
    assert values.format_gmt_offset(st_johns) == "-03:30"


def test_rates_are_decimal_and_sizes_binary() -> None:
    assert values.parse_rate("5M") == 5_000_000
    assert values.parse_rate("512k") == 512_000
    assert values.parse_bytes("1M") == 1_048_576
    assert values.parse_rate("fast") is None


def test_booleans_in_any_spelling() -> None:
    assert [values.parse_bool(text) for text in ("yes", "true", "no", "false", "maybe")] == [
        True,
        True,
        False,
        False,
        None,
    ]


@pytest.mark.parametrize("text", ["7", "seven", "7.16.x"])
def test_a_version_must_be_one(text: str) -> None:
    with pytest.raises(ValueError, match="not a RouterOS version"):
        values.parse_version(text)
