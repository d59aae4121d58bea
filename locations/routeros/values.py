"""RouterOS value formats (routeros.md 1.10): durations, booleans, what our own rows look like as router words."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?(?:(\d+)us)?")
_CLOCK = re.compile(r"(?:(\d+)w)?\s*(?:(\d+)d)?\s*(\d+):(\d\d):(\d\d)")


def duration_seconds(value: str) -> int:
    """Seconds of `1w2d3h4m5s`, `00:10:00`, `1d01:22:53` or a plain number. Raises ValueError for anything else."""
    value = value.strip()
    if value.isdigit():
        return int(value)
    clock = _CLOCK.fullmatch(value)
    if clock:
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return ((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds
    letters = _DURATION.fullmatch(value)
    if not value or not letters:
        raise ValueError(f"not a RouterOS duration: {value[:40]!r}")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in letters.groups()[:5])
    return ((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds


def seconds_text(seconds: int | None) -> str:
    """A duration as input; None is RouterOS's `none`."""
    return "none" if seconds is None else f"{seconds}s"


def is_true(value: str) -> bool:
    return value in {"true", "yes"}


def whole(value: str) -> int:
    """A decimal integer, 0 when absent or not a number: counters from a router are never trusted to be one."""
    return int(value) if value.isdigit() else 0


def comment_of(installation_tag: str, row_tag: str) -> str:
    """The comment every entry of ours carries."""
    return f"mb:{installation_tag}:{row_tag}"


def is_ours(comment: str, installation_tag: str) -> bool:
    return comment.startswith(f"mb:{installation_tag}:")
