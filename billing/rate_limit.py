"""The RouterOS speed limit text, parsed, checked and written back.

`rx/tx [burst-rx/burst-tx threshold-rx/threshold-tx time-rx/time-tx [priority [min-rx/min-tx]]]`, where rx is what the
router receives: the guest's upload. `5M/20M` is 5 Mbit/s up and 20 Mbit/s down. Rates are whole bits per second with
an optional `k` (1,000) or `M` (1,000,000); one value stands for both directions. Source: RouterOS manual, PPP AAA and
Hotspot user profile, and `research/routeros.md` 2.4. The router stores the text as typed and finds faults only when a
session starts, so everything it would stumble over is refused here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core.errors import DomainError

MAX_TEXT = 120
MAX_RATE = 100_000_000_000  # 100 Gbit/s: more is a typing error
MAX_BURST_SECONDS = 3600
_RATE = re.compile(r"(0|[1-9][0-9]{0,11})([kM]?)")
_SECONDS = re.compile(r"([1-9][0-9]{0,3})s?")
_FACTORS = {"": 1, "k": 1_000, "M": 1_000_000}
LOWEST_PRIORITY = 8


def _refusal(message: str | Promise) -> DomainError:
    return DomainError("rate_limit.invalid", str(message), fields={"rate_limit": str(message)})


@dataclass(frozen=True)
class Pair:
    """One value per direction: `up` is the router's rx, `down` its tx."""

    up: int
    down: int


@dataclass(frozen=True)
class RateLimit:
    """Rates in bits per second, burst time in seconds. Raises DomainError (`rate_limit.invalid`) when built wrong."""

    rate: Pair
    burst: Pair | None = None
    threshold: Pair | None = None
    burst_time: Pair | None = None
    priority: int | None = None
    minimum: Pair | None = None

    def __post_init__(self) -> None:
        parts = (self.burst, self.threshold, self.burst_time)
        if any(parts) and not all(parts):
            raise _refusal(_("A burst needs three values: burst speed, threshold and time."))
        if self.burst and self.threshold:
            self._check_burst(self.burst, self.threshold)
        if self.priority is not None and not 1 <= self.priority <= LOWEST_PRIORITY:
            raise _refusal(_("Priority is a number from 1 (first) to 8 (last)."))
        if self.priority is not None and not self.burst:
            raise _refusal(_("A priority can only follow burst speed, threshold and time."))
        if self.minimum and self.priority is None:
            raise _refusal(_("A guaranteed speed can only follow a priority."))
        if self.minimum and _exceeds(self.minimum, self.rate):
            raise _refusal(_("The guaranteed speed cannot be above the speed limit."))

    def _check_burst(self, burst: Pair, threshold: Pair) -> None:
        if 0 in (self.rate.up, self.rate.down):
            raise _refusal(_("An unlimited speed (0) cannot have a burst."))
        if _exceeds(self.rate, burst):
            raise _refusal(_("The burst speed cannot be below the speed limit."))
        if 0 in (threshold.up, threshold.down) or _exceeds(threshold, burst):
            raise _refusal(_("The burst threshold must be above 0 and not above the burst speed."))

    def format(self) -> str:
        """The text the router gets; `parse` of it gives the same value back."""
        words = [_rates_text(self.rate)]
        if self.burst and self.threshold and self.burst_time:
            words += [_rates_text(self.burst), _rates_text(self.threshold)]
            words.append(f"{self.burst_time.up}/{self.burst_time.down}")
        if self.priority is not None:
            words.append(str(self.priority))
        if self.minimum:
            words.append(_rates_text(self.minimum))
        return " ".join(words)

    __str__ = format


def parse(text: str) -> RateLimit | None:
    """The limit behind a text; None for an empty one (no limit). Raises DomainError with what is wrong."""
    words = text.split()
    if not words:
        return None
    if len(text) > MAX_TEXT:
        raise _refusal(_("This speed limit is too long."))
    if len(words) > 6:
        raise _refusal(_("Too many values: speed, burst, threshold, time, priority, guaranteed speed."))
    if 2 <= len(words) <= 3:
        raise _refusal(_("A burst needs three values: burst speed, threshold and time."))
    return RateLimit(
        rate=_rates(words[0]),
        burst=_rates(words[1]) if len(words) > 1 else None,
        threshold=_rates(words[2]) if len(words) > 2 else None,
        burst_time=_times(words[3]) if len(words) > 3 else None,
        priority=_priority(words[4]) if len(words) > 4 else None,
        minimum=_rates(words[5]) if len(words) > 5 else None,
    )


def normalise(text: str) -> str:
    """The checked text in its one canonical spelling; empty stays empty. Raises DomainError."""
    limit = parse(text)
    return limit.format() if limit else ""


def _exceeds(one: Pair, other: Pair) -> bool:
    return one.up > other.up or one.down > other.down


def _sides(word: str) -> tuple[str, str]:
    up, slash, down = word.partition("/")
    return (up, down) if slash else (up, up)


def _rates(word: str) -> Pair:
    return Pair(*(_rate(side) for side in _sides(word)))


def _rate(side: str) -> int:
    match = _RATE.fullmatch(side)
    if not match:
        raise _refusal(
            _("“%(value)s” is not a speed. Write upload/download like 5M/20M or 512k/2M (k and M only, no spaces).")
            % {"value": side[:20]}
        )
    rate = int(match[1]) * _FACTORS[match[2]]
    if rate > MAX_RATE:
        raise _refusal(_("“%(value)s” is faster than any router.") % {"value": side})
    return rate


def _times(word: str) -> Pair:
    seconds = []
    for side in _sides(word):
        match = _SECONDS.fullmatch(side)
        if not match or int(match[1]) > MAX_BURST_SECONDS:
            raise _refusal(_("“%(value)s” is not a burst time. Write whole seconds like 8/8.") % {"value": side[:20]})
        seconds.append(int(match[1]))
    return Pair(*seconds)


def _priority(word: str) -> int:
    if not re.fullmatch(r"[1-8]", word):
        raise _refusal(_("Priority is a number from 1 (first) to 8 (last)."))
    return int(word)


def _rates_text(pair: Pair) -> str:
    return f"{_rate_text(pair.up)}/{_rate_text(pair.down)}"


def _rate_text(rate: int) -> str:
    for suffix, factor in (("M", 1_000_000), ("k", 1_000)):
        if rate and rate % factor == 0:
            return f"{rate // factor}{suffix}"
    return str(rate)
