"""RouterOS value formats (routeros.md 1.10): durations, booleans, what our own rows look like as router words."""

from __future__ import annotations

import re

from core.numbers import whole_number

_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?(?:(\d+)us)?")
_CLOCK = re.compile(r"(?:(\d+)w)?\s*(?:(\d+)d)?\s*(\d+):(\d\d):(\d\d)")


MOST_SECONDS = 2**32  # 136 years: more is no duration of a router, and no date of ours
MOST = 2**56  # 72 petabytes: a router that counts more lies; a few of them, and eight times it, fit into 64 bits


def duration_seconds(value: str) -> int:
    """Seconds of `1w2d3h4m5s`, `00:10:00`, `1d01:22:53` or a plain number. Raises ValueError for anything else."""
    seconds = _seconds(value.strip())
    if seconds > MOST_SECONDS:
        raise ValueError("longer than any duration of RouterOS")
    return seconds


def _seconds(value: str) -> int:
    if (plain := whole_number(value)) is not None:
        return plain
    clock = _CLOCK.fullmatch(value)
    if clock:
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return ((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds
    letters = _DURATION.fullmatch(value)
    if not value or not letters:
        raise ValueError(f"not a RouterOS duration: {value[:40]!r}")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in letters.groups()[:5])
    return ((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds


_ROUND_TRIP = re.compile(r"(?=\d)(?:(\d{1,6})s)?(?:(\d{1,6})ms)?(?:(\d{1,6})us)?")


def round_trip_ms(value: str) -> float | None:
    """Milliseconds of a ping's `14ms612us`, `1s20ms` or plain `14`; None for anything else."""
    if value.isdecimal() and len(value) < 7:
        return float(value)
    found = _ROUND_TRIP.fullmatch(value)
    if not found:
        return None
    seconds, milliseconds, micros = (int(part or 0) for part in found.groups())
    return seconds * 1000 + milliseconds + micros / 1000


def seconds_text(seconds: int | None) -> str:
    """A duration as input; None is RouterOS's `none`."""
    return "none" if seconds is None else f"{seconds}s"


def is_true(value: str) -> bool:
    return value in {"true", "yes"}


def whole(value: str) -> int:
    """A decimal integer up to `MOST`; 0 when absent, negative, not a number or of more digits than 64 bits have."""
    return min(whole_number(value, digits=20) or 0, MOST)


def comment_of(installation_tag: str, row_tag: str) -> str:
    """The comment every entry of ours carries."""
    return f"mb:{installation_tag}:{row_tag}"


def is_ours(comment: str, installation_tag: str) -> bool:
    return comment.startswith(f"mb:{installation_tag}:")


_RATE = re.compile(r"(\d+)([kMG]?)")
_STEPS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_QUEUE_DEFAULTS = {
    "max-limit": "0/0", "burst-limit": "0/0", "burst-threshold": "0/0", "burst-time": "0s/0s", "priority": "8/8",
    "limit-at": "0/0",
}  # fmt: skip


def rate_pair(value: str) -> str:
    """`64k/2M`, or `2M` for both ways, as bits per second: `64000/2000000`. Raises ValueError."""
    up, slash, down = value.partition("/")
    return "/".join(str(_bits(part)) for part in (up, down if slash else up))


def _bits(value: str) -> int:
    match = _RATE.fullmatch(value)
    if not match:
        raise ValueError(f"not a rate: {value[:40]!r}")
    return int(match[1]) * _STEPS[match[2]]


def queue_words(rate_limit: str) -> dict[str, str]:
    """A profile's `rate-limit` as the words of a simple queue; empty text is no limit. Raises ValueError.

    Order of its parts (MikroTik manual, PPP profile): rate, burst rate, burst threshold, burst time, priority, minimum.
    """
    parts = rate_limit.split()
    if len(parts) > len(_QUEUE_DEFAULTS):
        raise ValueError("too many parts in a rate limit")
    words = dict(_QUEUE_DEFAULTS)
    for name, part in zip(_QUEUE_DEFAULTS, parts, strict=False):
        if name == "priority":
            if part not in {"1", "2", "3", "4", "5", "6", "7", "8"}:
                raise ValueError("priority is 1 to 8")
            words[name] = f"{part}/{part}"
        elif name == "burst-time":
            up, _slash, down = part.partition("/")
            words[name] = f"{duration_seconds(up)}s/{duration_seconds(down or up)}s"
        else:
            words[name] = rate_pair(part)
    return words


def pair_of_seconds(value: str) -> str:
    """`8s/1m` and `00:00:08/00:01:00` alike as `8s/60s`; other text as it is."""
    try:
        return "/".join(f"{duration_seconds(part)}s" for part in value.split("/"))
    except ValueError:
        return value
