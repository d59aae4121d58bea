"""Amounts as people write them in spreadsheets, read strictly: what could mean two things is refused."""

from __future__ import annotations

import re
from decimal import Decimal

from django.utils.translation import gettext as _

from core.errors import DomainError
from core.money import quantise, unit

_GROUPED = re.compile(r"\d{1,3}([.,]\d{3})(\1|[.,]\d{3})*|\d+", re.ASCII)
_PLAIN = re.compile(r"\d+|\d{1,3}(,\d{3})+", re.ASCII)


def amount_read(text: str) -> Decimal:
    """`150000`, `150.000`, `Rp 150.000`, `150,000` → 150000. Negative, fractions of a rupiah and words are refused.

    In a currency without decimals both dots and commas group thousands; with decimals only the comma does, and the
    last dot is the decimal point. Raises DomainError (`money.invalid`).
    """
    plain = re.sub(r"^(rp\.?|idr)\s*", "", text.strip(), flags=re.IGNORECASE).removesuffix(",-")
    if unit() == 1:
        if not _GROUPED.fullmatch(plain) or len(set(re.findall(r"[.,]", plain))) > 1:
            raise _refusal(text)
        return quantise(re.sub(r"[.,]", "", plain))
    whole, _dot, cents = plain.partition(".")
    if not _PLAIN.fullmatch(whole) or not re.fullmatch(r"\d{0,2}", cents, re.ASCII):
        raise _refusal(text)
    return quantise(f"{whole.replace(',', '')}.{cents or '0'}")


def _refusal(text: str) -> DomainError:
    return DomainError("money.invalid", _("“%(text)s” is not an amount of money.") % {"text": text[:40]})
