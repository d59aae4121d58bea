"""Sell the chosen vouchers of a list: asked once with count and sum, sold together."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from core.client_ip import client_ip
from core.errors import DomainError
from core.formats import money
from vouchers.models import Voucher
from vouchers.services import is_for_sale, vouchers_sell

if TYPE_CHECKING:
    from vouchers.admin.voucher import VoucherAdmin

AT_ONCE = 100


def sell_selected(model_admin: VoucherAdmin, request: HttpRequest, queryset: QuerySet[Voucher]) -> HttpResponse | None:
    """Without `confirmed` in the form it asks; with it, it sells and says what was sold and what was not."""
    rows = list(queryset.select_related("batch")[: AT_ONCE + 1])
    if len(rows) > AT_ONCE:
        messages.error(request, _("At most %(n)d vouchers at once. Nothing was sold.") % {"n": AT_ONCE})
        return None
    if "confirmed" in request.POST:
        _sell(request, rows, request.POST.get("request_key", ""))
        return None
    new = [row for row in rows if is_for_sale(row)]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Sell vouchers"), "opts": model_admin.opts, "rows": new, "skipped": len(rows) - len(new),
        "total": money(sum((row.batch.price for row in new), Decimal(0))), "request_key": uuid.uuid4().hex,
        "checkbox": ACTION_CHECKBOX_NAME,
    }  # fmt: skip
    return TemplateResponse(request, "vouchers/admin/sell_selected.html", context)


def _sell(request: HttpRequest, rows: list[Voucher], request_key: str) -> None:
    actor: Any = request.user
    key = request_key if request_key.isalnum() and len(request_key) == 32 else uuid.uuid4().hex
    try:
        sale = vouchers_sell(
            [row.pk for row in rows], actor=actor, ip=client_ip(request), request_key=key, now=clock.now()
        )
    except DomainError as error:
        messages.error(request, str(error.message))
        return
    if sale.count:
        text = ngettext("%(n)d voucher sold for %(sum)s.", "%(n)d vouchers sold for %(sum)s.", sale.count)
        messages.success(request, text % {"n": sale.count, "sum": money(sale.amount)})
    if sale.skipped:
        text = ngettext(
            "%(n)d voucher was not new and stays as it is.",
            "%(n)d vouchers were not new and stay as they are.",
            sale.skipped,
        )
        messages.warning(request, text % {"n": sale.skipped})
