"""Numbers of bills: without gaps in their series, written by a pattern that the installation may change."""

from __future__ import annotations

import re
from datetime import date
from string import Formatter

from django.utils.translation import gettext as _

from core.db.numbers import numbers_take
from core.errors import DomainError
from core.settings_registry import setting

PATTERN = "invoice.number_pattern"
INVOICE_SERIES = "invoice.series"
CREDIT_NOTE_SERIES = "invoice.credit_note_series"
DEFAULT_PATTERN = "{series}/{year}/{number:06}"
_FIELDS = {"series", "year", "month", "number"}
_SPEC = re.compile(r"(0[1-9])?")
MAX_LENGTH = 40


def pattern_check(pattern: str) -> None:
    """Raises DomainError for a pattern whose numbers could meet: two bills must never have the same one."""
    try:
        parts = list(Formatter().parse(pattern))
    except ValueError:
        raise _refusal(_("The braces do not match.")) from None
    used = [name for _text, name, _spec, _conversion in parts if name is not None]
    if not set(used) <= _FIELDS or any(conversion for *_rest, conversion in parts):
        raise _refusal(_("Only {series}, {year}, {month} and {number} can stand in braces."))
    if any(not _SPEC.fullmatch(spec or "") or (name == "series" and spec) for _text, name, spec, _c in parts):
        raise _refusal(_("After the colon only a width can stand, like {number:06}."))
    if len(set(used)) != len(used) or not {"series", "number"} <= set(used):
        raise _refusal(_("{series} and {number} must stand in it once."))
    if "month" in used and "year" not in used:
        raise _refusal(_("{month} needs {year}: numbers would come again every year."))
    if any(name is not None and not text for text, name, _spec, _c in parts[1:]):
        raise _refusal(_("Put a sign like / or - between the parts."))
    if len(pattern.format(series="S" * 10, year=2026, month=12, number=10**9)) > MAX_LENGTH:
        raise _refusal(_("The numbers would be too long."))


def _refusal(reason: str) -> DomainError:
    return DomainError("setting.invalid", reason, fields={"value": reason})


def series_check(series: str) -> None:
    if not re.fullmatch(r"[A-Z][A-Z0-9-]{0,9}", series):
        raise _refusal(_("1 to 10 capital letters and digits, a letter first."))


def sequence_key(pattern: str, series: str, day: date) -> str:
    """The counter a bill of that day is numbered by: one per series, per year or month if the pattern shows it."""
    parts = ["invoice", series]
    if "{year" in pattern:
        parts.append(f"{day:%Y}")
    if "{month" in pattern:
        parts.append(f"{day:%m}")
    return ":".join(parts)


def numbers_of(days: list[date], series: str) -> list[str]:
    """A number for each day of issue, in order. Holds the counters' rows until the transaction ends: take them last."""
    pattern = str(setting(PATTERN))
    keys = [sequence_key(pattern, series, day) for day in days]
    ranges = {key: iter(numbers_take(key, keys.count(key))) for key in sorted(set(keys))}
    return [
        pattern.format(series=series, year=day.year, month=day.month, number=next(ranges[key]))
        for key, day in zip(keys, days, strict=True)
    ]
