from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import override_settings
from django.utils import translation

from core import formats

NOON = datetime(2026, 11, 22, 7, 5, tzinfo=UTC)  # 14.05 in Jakarta, 16.05 in Jayapura


@pytest.mark.parametrize(
    ("language", "amount", "currency", "text"),
    [
        ("id", Decimal(15000), "IDR", "Rp 15.000"),
        ("en", Decimal(15000), "IDR", "IDR 15,000"),
        ("id", Decimal("-2500000.4"), "IDR", "Rp -2.500.000"),
        ("en", Decimal("15.5"), "USD", "USD 15.50"),
        ("id", Decimal("1015.5"), "USD", "USD 1.015,50"),
        ("en", 0, "IDR", "IDR 0"),
    ],
)
def test_money(language: str, amount: Decimal, currency: str, text: str) -> None:
    with translation.override(language):
        assert formats.money(amount, currency) == text


def test_money_uses_the_currency_of_the_installation() -> None:
    with translation.override("en"), override_settings(CURRENCY="USD"):
        assert formats.money(Decimal(3)) == "USD 3.00"


@pytest.mark.parametrize(
    ("language", "zone", "text"),
    [
        ("en", "Asia/Jakarta", "22 Nov 2026 14.05"),
        ("id", "Asia/Jakarta", "22 Nov 2026 14.05"),
        ("en", "Asia/Jayapura", "22 Nov 2026 16.05"),
    ],
)
def test_moments_are_written_in_the_zone_of_their_place(language: str, zone: str, text: str) -> None:
    with translation.override(language):
        assert formats.moment(NOON, zone) == text


def test_short_moments_leave_out_what_is_clear() -> None:
    zone = "Asia/Jakarta"
    with translation.override("en"):
        assert formats.moment_short(NOON, zone, NOON + timedelta(hours=5)) == "14.05"
        assert formats.moment_short(NOON, zone, NOON + timedelta(days=3)) == "22 Nov 14.05"
        assert formats.moment_short(NOON, zone, NOON + timedelta(days=300)) == "22 Nov 2026 14.05"


@pytest.mark.parametrize(
    ("seconds", "english", "indonesian"),
    [
        (0, "just now", "baru saja"),
        (-30, "just now", "baru saja"),
        (12, "12 s ago", "12 dtk lalu"),
        (60, "1 min ago", "1 mnt lalu"),
        (7200, "2 h ago", "2 jam lalu"),
        (86400, "1 day ago", "1 hari lalu"),
        (3 * 86400, "3 days ago", "3 hari lalu"),
    ],
)
def test_ago(seconds: int, english: str, indonesian: str) -> None:
    now = NOON + timedelta(seconds=seconds)
    with translation.override("en"):
        assert formats.ago(NOON, now) == english
    with translation.override("id"):
        assert formats.ago(NOON, now) == indonesian


@pytest.mark.parametrize(
    ("seconds", "english", "indonesian"),
    [
        (0, "0 s", "0 dtk"),
        (45, "45 s", "45 dtk"),
        (5400, "1 h 30 min", "1 jam 30 mnt"),
        (86400, "1 day", "1 hari"),
        (2 * 86400 + 3 * 3600 + 60, "2 days 3 h", "2 hari 3 jam"),
    ],
)
def test_durations(seconds: int, english: str, indonesian: str) -> None:
    with translation.override("en"):
        assert formats.duration(seconds) == english
    with translation.override("id"):
        assert formats.duration(seconds) == indonesian


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1024, "1 KB"), (1536 * 1024**2, "1.5 GB"), (5 * 1024**4, "5 TB")]
)
def test_data_sizes(size: int, text: str) -> None:
    with translation.override("en"):
        assert formats.data_size(size) == text
