"""What a plan is, in words, wherever it is shown or chosen."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.choices import ValidityFrom
from billing.models import Plan
from core.formats import data_size, duration, money, number


def plan_offer(row: Plan) -> str:
    """`Paket Harian · IDR 5,000 · 1 day from first login`."""
    return f"{row.name} · {money(row.price_sell)} · {plan_terms(row)}"


def plan_terms(row: Plan) -> str:
    """`1 day from first login · 2 GB · 2 devices`."""
    parts = []
    if row.duration_seconds:
        start = _("from sale") if row.validity_from == ValidityFrom.SALE else _("from first login")
        parts.append(f"{duration(row.duration_seconds)} {start}")
    if row.uptime_limit_seconds:
        parts.append(_("%(time)s online") % {"time": duration(row.uptime_limit_seconds)})
    if row.data_limit_bytes:
        parts.append(data_size(row.data_limit_bytes))
    if row.shared_users > 1:
        parts.append(_("%(n)s devices") % {"n": number(row.shared_users)})
    return " · ".join(parts) or _("no end")
