"""Print sheets and CSV of a batch. Only for people who may print; every download is written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from core.admin.export import csv_response
from core.client_ip import client_ip
from core.events import emit
from core.numbers import whole_number
from core.staff_events import StaffActed
from vouchers.models import Voucher, VoucherBatch
from vouchers.printing import csv_header, csv_row, sheet_context

FORMATS = ("a4", "58mm")
PER_SHEET = 400  # what a browser lays out without effort; the sheet links to the next part


def print_urls(model_admin: Any) -> list[URLPattern]:
    def wrap(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        def run(request: HttpRequest, object_id: int, **kwargs: Any) -> HttpResponse:
            batch = model_admin.get_object(request, str(object_id))
            if batch is None:
                raise Http404
            if not request.user.has_perm("vouchers.print_voucher"):
                raise PermissionDenied
            return view(request, batch, **kwargs)

        wrapped: Callable[..., HttpResponse] = model_admin.admin_site.admin_view(run)
        return wrapped

    return [
        path("<int:object_id>/print/<str:size>/", wrap(print_view), name="vouchers_voucherbatch_print"),
        path("<int:object_id>/csv/", wrap(csv_view), name="vouchers_voucherbatch_csv"),
    ]


def print_view(request: HttpRequest, batch: VoucherBatch, size: str) -> HttpResponse:
    """One part of the sheet: `?after=<voucher id>` continues."""
    if size not in FORMATS:
        raise Http404
    after = whole_number(request.GET.get("after", "")) or 0
    rows = Voucher.objects.filter(batch=batch, pk__gt=after).order_by("pk")
    vouchers = list(rows.select_related("plan", "batch")[: PER_SHEET + 1])
    more = vouchers[PER_SHEET - 1].pk if len(vouchers) > PER_SHEET else None
    context = {**sheet_context(batch, vouchers[:PER_SHEET]), "size": size, "more": more}
    _written_down(request, batch, f"batch.printed_{size}")
    return TemplateResponse(request, f"vouchers/print/{size}.html", context)


def csv_view(request: HttpRequest, batch: VoucherBatch) -> HttpResponse:
    """All codes of the batch, streamed."""
    rows = Voucher.objects.filter(batch=batch).select_related("plan", "batch").order_by("pk")
    _written_down(request, batch, "batch.exported")
    return csv_response(f"batch-{batch.pk}.csv", csv_header(), rows.iterator(chunk_size=2000), csv_row)  # type: ignore[return-value]


def _written_down(request: HttpRequest, batch: VoucherBatch, action: str) -> None:
    with transaction.atomic():
        emit(StaffActed(request.user.pk, action, {"batch": batch.pk, "name": batch.name}, client_ip(request)))
