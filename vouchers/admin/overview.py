"""The vouchers' numbers on the index, and the newest batches on a location's page."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin.paginator import COUNT_LIMIT, EstimatedPaginator
from core.formats import moment, number
from core.panels import FirstStep, IndexPanel, RowPanel, Tile, add_first_step, add_index_panel, add_row_panel
from core.words import Tone
from locations.models import Location
from vouchers.choices import BatchStatus, VoucherStatus
from vouchers.models import BatchLocation, VoucherBatch
from vouchers.selectors import batches_visible_to, vouchers_visible_to
from vouchers.selectors_unsold import used_unsold
from vouchers.words import batch_words

NEWEST = 5


def voucher_tiles(request: HttpRequest) -> list[Tile]:
    """Vouchers by status (counted to 10,000, then "10,000+"), batches in progress and failed ones."""
    vouchers = vouchers_visible_to(request.user)  # type: ignore[arg-type]
    list_url = reverse("admin:vouchers_voucher_changelist")

    def shown(status: str) -> tuple[str, str]:
        return _count(vouchers.filter(status=status)), f"{list_url}?status__exact={status}"

    tiles = [
        Tile(_("New vouchers"), *shown(VoucherStatus.NEW), icon="confirmation_number"),
        Tile(_("Sold, not used yet"), *shown(VoucherStatus.SOLD), icon="sell"),
        Tile(_("Active now"), *shown(VoucherStatus.ACTIVE), tone=Tone.GOOD, icon="wifi"),
    ]
    states: dict[str, int] = dict(
        batches_visible_to(request.user)  # type: ignore[arg-type]
        .filter(status__in=[BatchStatus.QUEUED, BatchStatus.GENERATING, BatchStatus.FAILED])
        .order_by()
        .values_list("status")
        .annotate(n=Count("pk"))
    )
    running = states.get(BatchStatus.QUEUED, 0) + states.get(BatchStatus.GENERATING, 0)
    batches = reverse("admin:vouchers_voucherbatch_changelist")
    busy = BatchStatus.GENERATING if states.get(BatchStatus.GENERATING) else BatchStatus.QUEUED
    tiles.append(
        Tile(
            _("Batches in progress"), number(running), f"{batches}?status__exact={busy}",
            Tone.WAITING if running else Tone.QUIET, "inventory_2",
        )
    )  # fmt: skip
    if request.user.has_perm("billing.view_reports"):
        unsold = used_unsold(request.user)  # type: ignore[arg-type]  # only staff sees the index
        if unsold.exists():
            url = reverse("admin:used_unsold")
            tiles.append(Tile(_("Used, never sold"), _count(unsold), url, Tone.WAITING, "wifi"))
    failed = states.get(BatchStatus.FAILED, 0)
    if failed:
        url = f"{batches}?status__exact={BatchStatus.FAILED}"
        tiles.append(Tile(_("Failed batches"), number(failed), url, Tone.BAD, "error"))
    return tiles


def _count(rows: object) -> str:
    return EstimatedPaginator(rows, COUNT_LIMIT).count_text  # type: ignore[arg-type]


def batches_here(request: HttpRequest, location: Location) -> SafeString:
    """The newest batches that put vouchers on this router."""
    ids = BatchLocation.objects.filter(location=location).values("batch_id")
    rows = batches_visible_to(request.user).filter(pk__in=ids).select_related("plan")  # type: ignore[arg-type]
    lines = [
        {
            "name": row.name,
            "url": reverse("admin:vouchers_voucherbatch_change", args=[row.pk]),
            "plan": row.plan.name,
            "quantity": number(row.quantity),
            "words": batch_words(row.status),
            "made": moment(row.created_at, location.timezone),
        }
        for row in rows.order_by("-id")[:NEWEST]
    ]
    return render_to_string("vouchers/admin/batches_here.html", {"rows": lines})


add_index_panel(IndexPanel(gettext_lazy("Vouchers"), voucher_tiles, "vouchers.view_voucher", order=10))
add_row_panel(
    RowPanel("locations.location", gettext_lazy("Newest batches"), batches_here, "vouchers.view_voucherbatch", order=10)
)
add_first_step(
    FirstStep(
        title=gettext_lazy("Make your first vouchers"),
        text=gettext_lazy("Choose a plan, a number and the locations. Then print them or sell them from here."),
        button=gettext_lazy("Make vouchers"),
        url_name="admin:vouchers_voucherbatch_add",
        permission="vouchers.add_voucherbatch",
        is_done=VoucherBatch.objects.exists,
        order=40,
    )
)
