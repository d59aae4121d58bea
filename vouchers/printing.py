"""Vouchers on paper and in a spreadsheet: what a ticket says, its QR code, and lines that no spreadsheet runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import segno
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from billing.choices import ValidityFrom
from core import formats
from core.admin.export import csv_lines
from core.settings_registry import setting
from locations.models import Location
from vouchers.choices import VoucherStatus
from vouchers.models import BatchLocation, Voucher, VoucherBatch

QUIET_ZONE = 4  # modules of white around the code; readers need them (research/ui_ops.md 5.1)
CHUNK = 2_000
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
# a code that is over must not be sold because it was on paper
PRINTABLE = frozenset({VoucherStatus.NEW, VoucherStatus.SOLD, VoucherStatus.ACTIVE})


@dataclass(frozen=True)
class Ticket:
    """One voucher as printed. `password` is empty when the code is the password."""

    code: str
    password: str
    qr: SafeString

    @property
    def size(self) -> str:
        """Long codes are set smaller, so that they stay whole."""
        return "short" if len(self.code) <= 8 else "medium" if len(self.code) <= 12 else "long"


def sheet_context(batch: VoucherBatch, vouchers: Sequence[Voucher]) -> dict[str, Any]:
    """What the print templates show. Expired and void vouchers are left out (`skipped` counts them)."""
    living = [row for row in vouchers if row.status in PRINTABLE]
    host = hotspot_host(batch)
    return {
        "batch": batch,
        "plan_name": batch.plan.name,
        "company": setting("company.name"),
        "phone": setting("company.phone"),
        "price": formats.money(batch.price),
        "terms": terms(batch),
        "host": host,
        "tickets": [Ticket(row.code, row.password or "", qr_svg(login_text(row.code, host))) for row in living],
        "skipped": len(vouchers) - len(living),
    }


def terms(batch: VoucherBatch) -> list[str]:
    """What the buyer gets, in the words of the ticket."""
    lines = []
    if batch.duration_seconds is not None:
        text = (
            _("valid %(time)s from sale")
            if batch.validity_from == ValidityFrom.SALE
            else _("valid %(time)s from first login")
        )
        lines.append(text % {"time": formats.duration(batch.duration_seconds)})
    if batch.uptime_limit_seconds is not None:
        lines.append(_("%(time)s online") % {"time": formats.duration(batch.uptime_limit_seconds)})
    if batch.data_limit_bytes is not None:
        lines.append(formats.data_size(batch.data_limit_bytes))
    return lines


def hotspot_host(batch: VoucherBatch) -> str:
    """The DNS name of the hotspot's login page at the batch's first location that has one; empty: none known."""
    links = BatchLocation.objects.filter(batch=batch).order_by("location_id").values("location_id")
    for settings in Location.objects.filter(pk__in=links).order_by("pk").values_list("settings", flat=True):
        host = str((settings or {}).get("hotspot_dns") or "").strip()
        if _HOST.fullmatch(host):
            return host
    return ""


def login_text(code: str, host: str) -> str:
    """What the QR code says. The part after # never leaves the phone: no router log or proxy sees the code."""
    return f"http://{host}/login#v={code}" if host else code


def qr_svg(text: str) -> SafeString:
    """Inline SVG without a size of its own. One fixed mask: trying all eight costs five times as long."""
    code = segno.make(text, micro=False, error="m", boost_error=False, mask=0)
    svg = code.svg_inline(border=QUIET_ZONE, omitsize=True, svgclass="qr", lineclass=None)
    return mark_safe(svg)  # noqa: S308 - numbers and path commands made by segno, no text of anybody


def csv_header() -> list[str]:
    return [
        _("Code"), _("Password"), _("Plan"), _("Price"), _("Status"), _("Batch"), _("Created"), _("Sold"),
        _("First login"), _("Valid until"),
    ]  # fmt: skip


def csv_row(voucher: Voucher) -> list[str]:
    """One voucher; amounts and moments in forms that sort (`5000.00`, ISO 8601 in UTC)."""
    moments = (voucher.created_at, voucher.sold_at, voucher.used_at, voucher.valid_until)
    return [
        voucher.code,
        voucher.password or "",
        voucher.plan.name,
        str(voucher.batch.price),
        str(VoucherStatus(voucher.status).label),
        voucher.batch.name,
        *(moment.isoformat(timespec="seconds") if moment else "" for moment in moments),
    ]


def csv_rows(batch: VoucherBatch) -> Iterator[str]:
    """The batch as CSV text, line by line; cells that a spreadsheet would run as formulas are made harmless."""
    rows = Voucher.objects.filter(batch=batch).select_related("plan", "batch").order_by("pk")
    return csv_lines(csv_header(), (csv_row(row) for row in rows.iterator(chunk_size=CHUNK)))
