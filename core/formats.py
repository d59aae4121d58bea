"""How money, numbers, moments and durations are written on screens: one place, per language (UI.md, "The words for truth").

Indonesian writes `Rp 15.000`, English `IDR 15,000`. Moments are written in the zone of the place they belong to;
without a place, in the installation's zone.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from core import clock
from core.money import DEFAULT_EXPONENT, EXPONENTS, quantise

MINUTE, HOUR, DAY = 60, 3600, 86400
SIGNS = {("IDR", "id"): "Rp"}
BYTE_UNITS = ("B", "KB", "MB", "GB", "TB")


def language() -> str:
    """`id` or `en`: the language of the screen being written."""
    return (get_language() or settings.LANGUAGE_CODE).split("-")[0]


def number(value: int | Decimal, decimals: int = 0) -> str:
    """Thousands separated the way the reader expects: 1,000.5 in English, 1.000,5 in Indonesian."""
    text = f"{value:,.{decimals}f}"
    if language() == "id":
        return text.translate(str.maketrans(",.", ".,"))
    return text


def money(amount: Decimal | int, currency: str | None = None) -> str:
    """`Rp 15.000` / `IDR 15,000`. A negative amount keeps its sign; balances say it in words elsewhere."""
    currency = currency or settings.CURRENCY
    value = quantise(amount, currency)
    sign = SIGNS.get((currency, language()), currency)
    return f"{sign} {number(value, EXPONENTS.get(currency, DEFAULT_EXPONENT))}"


def local(value: datetime, zone: str | None = None) -> datetime:
    """The instant on the wall clock of the IANA zone `zone`, or of the installation."""
    return value.astimezone(ZoneInfo(zone) if zone else timezone.get_default_timezone())


def moment(value: datetime, zone: str | None = None) -> str:
    """`22 Nov 2026 14.05`."""
    return date_format(local(value, zone), "j M Y H.i")


def moment_short(value: datetime, zone: str | None = None, now: datetime | None = None) -> str:
    """`14.05` for today, `22 Nov 14.05` for other days of this year, else with the year."""
    here, today = local(value, zone), local(now or clock.now(), zone)
    if here.date() == today.date():
        return date_format(here, "H.i")
    if here.year == today.year:
        return date_format(here, "j M H.i")
    return date_format(here, "j M Y H.i")


def ago(value: datetime, now: datetime | None = None) -> str:
    """`12 s ago`, `5 min ago`, `3 h ago`, `2 days ago`; `just now` for the last second and for the near future."""
    seconds = int(((now or clock.now()) - value).total_seconds())
    if seconds < 1:
        return _("just now")
    if seconds < MINUTE:
        return _("%(n)d s ago") % {"n": seconds}
    if seconds < HOUR:
        return _("%(n)d min ago") % {"n": seconds // MINUTE}
    if seconds < DAY:
        return _("%(n)d h ago") % {"n": seconds // HOUR}
    days = seconds // DAY
    return ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}


def duration(seconds: int) -> str:
    """The two largest units: `1 h 30 min`, `2 days 3 h`, `45 s`."""
    days, rest = divmod(max(0, int(seconds)), DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, secs = divmod(rest, MINUTE)
    parts = []
    if days:
        parts.append(ngettext("%(n)d day", "%(n)d days", days) % {"n": days})
    if hours:
        parts.append(_("%(n)d h") % {"n": hours})
    if minutes:
        parts.append(_("%(n)d min") % {"n": minutes})
    if secs or not parts:
        parts.append(_("%(n)d s") % {"n": secs})
    return " ".join(parts[:2])


def data_size(size: int) -> str:
    """Binary multiples, as the router counts: `1.5 GB`."""
    value, unit = Decimal(size), 0
    while value >= 1024 and unit < len(BYTE_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    decimals = 0 if unit == 0 or value == value.to_integral_value() else 1
    return f"{number(value, decimals)} {BYTE_UNITS[unit]}"
