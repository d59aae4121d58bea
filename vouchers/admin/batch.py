"""Batches: the order form, and a page that shows how far codes and routers are."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.choices import PlanType
from billing.selectors import plans_on_sale
from core import clock
from core.admin import AutocompleteFilter, Confirmation, ModelAdmin
from core.client_ip import client_ip
from core.formats import data_size, duration, moment, money, number
from core.panels import Link
from core.words import Tone
from locations.choices import Hold
from locations.models import AccessAccount, Location
from locations.selectors import NOT_SYNCED, choice_for, groups_visible_to, locations_visible_to
from locations.words import fact_of, row_words
from locations.words_balancing import choice_sentences
from vouchers.admin.printing import print_urls
from vouchers.choices import BatchStatus
from vouchers.forms import BatchForm
from vouchers.models import BatchLocation, Voucher, VoucherBatch
from vouchers.selectors import BatchProgress, batch_progress, batches_visible_to
from vouchers.services import batch_cancel, batch_create
from vouchers.words import ROAMING_DELAY, batch_words

RUNNING = {BatchStatus.QUEUED, BatchStatus.GENERATING}
VISIBLE = "[document.visibilityState=='visible']"
SHOWN_ROWS = 10


@admin.register(VoucherBatch)
class BatchAdmin(ModelAdmin[VoucherBatch]):
    form = BatchForm
    nav_group, nav_icon, nav_order = "sell", "inventory_2", 20
    list_display = ("name", "plan", "size", "state", "price_text", "made")
    list_select_related = ("plan",)
    list_filter = ("status", ("plan", AutocompleteFilter))
    search_fields = ("id__exact",)
    search_help_text = gettext_lazy("Number of the batch")
    sortable_by = ()
    ordering = ("-id",)
    add_fieldsets = (
        (None, {"fields": ("plan", "places", "group", "quantity", "is_warned", "request_key")}),
        (gettext_lazy("Code"), {"fields": ("prefix", "length", "charset", "mode")}),
        (gettext_lazy("Router and price"), {"fields": ("push_at", "price", "price_cost")}),
        (gettext_lazy("Remarks"), {"fields": ("name", "note")}),
    )
    confirmations = ("cancel",)
    live_template = "vouchers/admin/batch_facts.html"
    is_facts_only = True
    audit_noun = ""
    empty_text = gettext_lazy("A batch is an order for vouchers: of which plan, how many, for which locations.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[VoucherBatch]:
        return batches_visible_to(request.user).order_by("-id")  # type: ignore[arg-type]

    def get_urls(self) -> list[Any]:
        return [*print_urls(self), *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: VoucherBatch | None = None) -> bool:
        """What was ordered stays as it was ordered."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: VoucherBatch | None = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is None:
            user: Any = request.user
            plans = plans_on_sale(user).filter(type=PlanType.HOTSPOT).order_by("name")
            places = locations_visible_to(user).filter(is_active=True).order_by("name")
            rows: Any
            for name, rows in (("plan", plans), ("places", places), ("group", groups_visible_to(user))):
                # a copy: the declared field belongs to all threads, and another person's choices must not show up here
                field = form.base_fields[name] = deepcopy(form.base_fields[name])
                field.queryset = rows
        return form

    def save_model(self, request: HttpRequest, obj: VoucherBatch, form: Any, change: bool) -> None:
        data = {key: value for key, value in form.cleaned_data.items() if key not in {"places", "is_warned"}}
        actor: Any = request.user
        places = list(form.cleaned_data["places"])
        saved = batch_create(locations=places, actor=actor, ip=client_ip(request), **data)
        obj.__dict__.update(saved.__dict__)

    def response_post_save_add(self, request: HttpRequest, obj: VoucherBatch) -> HttpResponseRedirect:
        """To the page that shows the progress, not back to the list."""
        return HttpResponseRedirect(reverse("admin:vouchers_voucherbatch_change", args=[obj.pk]))

    # --- columns ----------------------------------------------------------------------------------------------------

    def decorate(self, request: HttpRequest, rows: list[VoucherBatch]) -> None:
        """Waiting and held rows of the batches on this page, from the partial indexes of such rows."""
        tags = [row.tag for row in rows]
        mine = AccessAccount.objects.filter(tag__in=tags)
        waiting = dict(mine.filter(NOT_SYNCED, hold=Hold.NONE).values_list("tag").annotate(n=Count("pk")))
        held = dict(mine.exclude(hold=Hold.NONE).values_list("tag").annotate(n=Count("pk")))
        for row in rows:
            row._waiting, row._held = waiting.get(row.tag, 0), held.get(row.tag, 0)  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("vouchers"))
    def size(self, row: VoucherBatch) -> str:
        return number(row.quantity)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: VoucherBatch) -> Any:
        waiting, held = getattr(row, "_waiting", 0), getattr(row, "_held", 0)
        return batch_words(row.status, waiting=waiting, held=held).html()

    @admin.display(description=gettext_lazy("price"))
    def price_text(self, row: VoucherBatch) -> str:
        return money(row.price)

    @admin.display(description=gettext_lazy("made"))
    def made(self, row: VoucherBatch) -> str:
        return moment(row.created_at)

    # --- page -------------------------------------------------------------------------------------------------------

    def facts(self, request: HttpRequest, row: VoucherBatch) -> dict[str, Any]:
        progress = batch_progress(row)
        row.refresh_from_db()
        held = AccessAccount.objects.filter(tag=row.tag).exclude(hold=Hold.NONE).select_related("location__state")
        held_rows = [
            {
                "name": account.name,
                "url": reverse("admin:locations_accessaccount_change", args=[account.pk]),
                "wish": account.location.name,
                "words": row_words(
                    fact_of(account, location=account.location, state=getattr(account.location, "state", None))
                ),
            }
            for account in (held[:SHOWN_ROWS] if progress.held else [])
        ]
        places = Location.objects.filter(pk__in=BatchLocation.objects.filter(batch=row).values("location_id"))
        return {
            "batch": row,
            "progress": progress,
            "words": batch_words(progress.status, waiting=progress.waiting, held=progress.held),
            "making": making(row, progress),
            "delivery": delivery(row, progress),
            "counts": counts(row, progress),
            "held_rows": held_rows,
            "terms": terms(row, [place.name for place in places.order_by("name")]) + why_there(row),
            "links": self._links(request, row, progress),
            "poll": poll(progress),
        }

    @staticmethod
    def _links(request: HttpRequest, row: VoucherBatch, progress: BatchProgress) -> list[Link]:
        if progress.status != BatchStatus.READY:
            return []
        vouchers = reverse("admin:vouchers_voucher_changelist") + f"?batch__id__exact={row.pk}"
        links = [Link(_("Vouchers"), vouchers, "confirmation_number")]
        if request.user.has_perm("vouchers.print_voucher"):
            links += [
                Link(_("Print A4"), reverse("admin:vouchers_voucherbatch_print", args=[row.pk, "a4"]), "print"),
                Link(_("Print 58 mm"), reverse("admin:vouchers_voucherbatch_print", args=[row.pk, "58mm"]), "receipt"),
                Link(_("CSV"), reverse("admin:vouchers_voucherbatch_csv", args=[row.pk]), "download"),
            ]
        return links

    def cancel(self, request: HttpRequest, row: VoucherBatch) -> Confirmation | None:
        if row.status not in RUNNING:
            return None

        def run(data: dict[str, Any]) -> str:
            batch_cancel(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("The batch is being cancelled; no voucher of it will exist.")

        return Confirmation(
            title=_("Cancel batch"), button=_("Cancel batch"), run=run, icon="cancel", is_danger=True,
            question=_("Cancel “%(name)s”? None of its %(n)s vouchers will exist.")
            % {"name": row.name, "n": number(row.quantity)},
            permission="vouchers.cancel_voucherbatch",
        )  # fmt: skip


def poll(progress: BatchProgress) -> str:
    """Often while somebody waits for it, seldom when nothing moves."""
    if progress.status in RUNNING:
        return f"every 2s {VISIBLE}"
    return f"every {5 if progress.waiting else 20}s {VISIBLE}"


def making(row: VoucherBatch, progress: BatchProgress) -> dict[str, Any] | None:
    """n of N codes, rate and time left while the batch is being made."""
    if progress.status not in RUNNING:
        return None
    seconds = ((row.heartbeat_at or clock.now()) - row.created_at).total_seconds()
    rate = progress.generated / seconds if seconds > 0 else 0
    left = (progress.quantity - progress.generated) / rate if rate else None
    return _bar(progress.generated, progress.quantity, rate, left)


def delivery(row: VoucherBatch, progress: BatchProgress) -> dict[str, Any] | None:
    """n of N entries the routers confirmed, until all are."""
    if progress.status != BatchStatus.READY or not progress.wanted or progress.wanted == progress.confirmed:
        return None
    seconds = (clock.now() - (row.finished_at or row.created_at)).total_seconds()
    rate = progress.confirmed / seconds if seconds > 0 else 0
    left = (progress.wanted - progress.confirmed) / rate if rate >= 1 else None
    return _bar(progress.confirmed, progress.wanted, rate, left)


def _bar(done: int, total: int, rate: float, left: float | None) -> dict[str, Any]:
    return {
        "done": done,
        "total": total,
        "percent": round(100 * done / total) if total else 0,
        "rate": _("%(n)s per second") % {"n": number(round(rate))} if rate >= 1 else "",
        "left": _("about %(time)s left") % {"time": duration(int(left) + 1)} if left is not None else "",
    }


def counts(row: VoucherBatch, progress: BatchProgress) -> list[tuple[Any, int, str, str]]:
    """Each number with the list of its rows."""
    accounts = reverse("admin:locations_accessaccount_changelist") + f"?tag__exact={row.tag}"
    vouchers = reverse("admin:vouchers_voucher_changelist") + f"?batch__id__exact={row.pk}"
    made = Voucher.objects.filter(batch=row).exists() if progress.status == BatchStatus.READY else False
    return [
        (_("Vouchers"), progress.quantity if made else 0, vouchers, ""),
        (_("Wanted on routers"), progress.wanted, accounts, ""),
        (_("Confirmed"), progress.confirmed, accounts + "&state=confirmed", Tone.GOOD.value),
        (_("Waiting"), progress.waiting, accounts + "&state=waiting", Tone.WAITING.value),
        (_("Need a decision"), progress.held, accounts + "&state=held", Tone.BAD.value),
    ]


def why_there(row: VoucherBatch) -> list[tuple[str, str]]:
    """Why a group chose this location; nothing when a person did."""
    choice = choice_for(f"voucherbatch:{row.pk}")
    return [(_("Why there"), " ".join(choice_sentences(choice.details)))] if choice else []


def terms(row: VoucherBatch, places: list[str]) -> list[tuple[str, str]]:
    """What was ordered."""
    code = ngettext("%(n)d random character", "%(n)d random characters", row.length) % {"n": row.length}
    rows = [
        (_("Plan"), row.plan.name),
        (_("Locations"), ", ".join(places)),
        (_("At several at once"), str(ROAMING_DELAY) if len(places) > 1 else ""),
        (_("Price"), money(row.price)),
        (_("Cost"), money(row.price_cost)),
        (_("Validity"), duration(row.duration_seconds) if row.duration_seconds else _("no end")),
        (_("Counts from"), row.get_validity_from_display()),
        (_("Data limit"), data_size(row.data_limit_bytes) if row.data_limit_bytes else ""),
        (_("Online time limit"), duration(row.uptime_limit_seconds) if row.uptime_limit_seconds else ""),
        (_("Code"), f"{row.prefix} + {code}" if row.prefix else code),
        (_("Login"), str(row.get_mode_display())),
        (_("Put on the router"), str(row.get_push_at_display())),
        (_("Made by"), str(row.created_by) if row.created_by_id else _("the system")),
        (_("Made"), moment(row.created_at)),
        (_("Note"), row.note),
    ]
    return [(label, value) for label, value in rows if value]
