"""Drawers and shifts: the own drawer as a page, everybody's shifts as a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.cash_forms import CountShiftForm, HandOverForm, OpenShiftForm
from billing.cash_selectors import Drawer, drawer_of, shifts_visible_to
from billing.choices import ShiftStatus
from billing.models import CashShift
from billing.services.cash import cash_hand_over, shift_count, shift_hand_over, shift_open
from core import clock
from core.admin import AutocompleteFilter, Confirmation, ConfirmForm, ModelAdmin, Page, ReadOnlyMixin, add_page
from core.client_ip import client_ip
from core.errors import DomainError
from core.formats import moment, money
from core.words import Tone, Words

TONES = {
    ShiftStatus.OPEN: (Tone.WAITING, "lock_open"),
    ShiftStatus.COUNTED: (Tone.WAITING, "check"),
    ShiftStatus.HANDED_OVER: (Tone.GOOD, "check_circle"),
}


def shift_words(shift: CashShift) -> Words:
    tone, icon = TONES[ShiftStatus(shift.status)]
    return Words(tone, icon, str(ShiftStatus(shift.status).label))


def difference_words(shift: CashShift) -> str:
    """What was too much or too little, without a bare minus sign."""
    difference: Any = shift.difference
    if difference is None:
        return ""
    if difference == 0:
        return _("exactly right")
    text = _("%(amount)s too much") if difference > 0 else _("%(amount)s missing")
    return text % {"amount": money(abs(difference))}


@admin.register(CashShift)
class CashShiftAdmin(ReadOnlyMixin, ModelAdmin[CashShift]):
    nav_group, nav_icon, nav_order = "money", "lock_open", 50
    list_display = ("opened", "user", "state", "counted", "difference_text", "handed_over")
    list_select_related = ("user", "location", "handed_over_to")
    list_filter = ("status", ("user", AutocompleteFilter))
    sortable_by = ()
    ordering = ("-id",)
    fields = (
        "user", "state", "opened", "opening", "counted", "expected", "difference_text", "handed_over", "handed_over_to", "note",
    )  # fmt: skip
    readonly_fields = fields
    confirmations = ("count", "hand_over")
    csv_fields = (
        "opened", "user", "status", "opening_amount", "counted_amount", "expected_amount", "handed_over_amount",
        "handed_over_to",
    )  # fmt: skip
    empty_text = gettext_lazy("Shifts are opened under “My cash drawer”. Each is kept here with what was counted.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CashShift]:
        rows = shifts_visible_to(request.user)  # type: ignore[arg-type]  # staff only
        return rows.select_related("user", "location", "handed_over_to").order_by("-id")

    @admin.display(description=gettext_lazy("opened"))
    def opened(self, row: CashShift) -> str:
        return moment(row.opened_at, row.location.timezone if row.location else None)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: CashShift) -> Any:
        return shift_words(row).html()

    @admin.display(description=gettext_lazy("in the drawer at opening"))
    def opening(self, row: CashShift) -> str:
        return money(row.opening_amount)

    @admin.display(description=gettext_lazy("counted"))
    def counted(self, row: CashShift) -> str:
        return money(row.counted_amount) if row.counted_amount is not None else "–"

    @admin.display(description=gettext_lazy("expected"))
    def expected(self, row: CashShift) -> str:
        return money(row.expected_amount) if row.expected_amount is not None else "–"

    @admin.display(description=gettext_lazy("difference"))
    def difference_text(self, row: CashShift) -> str:
        return difference_words(row) or "–"

    @admin.display(description=gettext_lazy("handed over"))
    def handed_over(self, row: CashShift) -> str:
        return money(row.handed_over_amount) if row.handed_over_amount is not None else "–"

    def count(self, request: HttpRequest, row: CashShift) -> Confirmation | None:
        if row.status != ShiftStatus.OPEN:
            return None
        return Confirmation(
            title=_("Count"), button=_("Count and close"), icon="check", form=CountShiftForm,
            question=_("What lies in the drawer of %(name)s?") % {"name": row.user},
            run=lambda data: _counted(request, row, data), permission="billing.use_cashshift",
        )  # fmt: skip

    def hand_over(self, request: HttpRequest, row: CashShift) -> Confirmation | None:
        if row.status != ShiftStatus.COUNTED:
            return None
        return Confirmation(
            title=_("Hand over"), button=_("Hand over"), icon="swap_horiz", form=HandOverForm,
            question=_("Who gets the money of %(name)s?") % {"name": row.user},
            initial={"amount": f"{row.counted_amount or 0:.0f}"},
            run=lambda data: _handed_over(request, row, data), permission="billing.use_cashshift",
        )  # fmt: skip


def _counted(request: HttpRequest, shift: CashShift, data: dict[str, Any]) -> str:
    user: Any = request.user
    done = shift_count(
        shift, counted=data["counted"], note=data["note"], now=clock.now(), actor=user, ip=client_ip(request)
    )
    return _("The shift is closed: %(difference)s.") % {"difference": difference_words(done)}


def _handed_over(request: HttpRequest, shift: CashShift, data: dict[str, Any]) -> str:
    user: Any = request.user
    shift_hand_over(
        shift, amount=data["amount"], to_user=data["to_user"], to_bank=data["to_bank"], now=clock.now(), actor=user,
        ip=client_ip(request),
    )  # fmt: skip
    if not data["amount"]:
        return _("The shift is closed; nothing was handed over.")
    return _("%(amount)s was handed over.") % {"amount": money(data["amount"])}


# --- the own drawer -------------------------------------------------------------------------------------------------


def my_cash(request: HttpRequest) -> HttpResponseBase:
    """What is in my drawer, and the next step of my shift. Plain forms; each names its step in `do`."""
    user: Any = request.user
    drawer = drawer_of(user)
    forms = _forms(drawer, user)
    if request.method == "POST" and (step := request.POST.get("do", "")) in forms:
        form = forms[step] = _bound(step, request, user)
        if form.is_valid():
            try:
                messages.success(request, _STEPS[step](request, drawer, form.cleaned_data))
                return HttpResponseRedirect(reverse("admin:my_cash"))
            except DomainError as error:
                form.add_error(None, str(error.message))
    context = {
        **admin.site.each_context(request),
        "title": _("My cash drawer"), "drawer": drawer, "amount": money(drawer.amount), "forms": _shown(forms),
        "words": shift_words(drawer.shift) if drawer.shift else None,
        "since": moment(drawer.shift.opened_at) if drawer.shift else "",
        "form_classes": {},
    }  # fmt: skip
    is_bad = any(form.errors for form in forms.values())
    return TemplateResponse(request, "billing/admin/my_cash.html", context, status=422 if is_bad else 200)


def _forms(drawer: Drawer, user: Any) -> dict[str, ConfirmForm]:
    """The steps that are possible now."""
    inside = {"amount": f"{max(drawer.amount, 0):.0f}"}
    forms: dict[str, ConfirmForm] = {}
    if drawer.shift is None:
        forms["open"] = OpenShiftForm(auto_id="open_%s", initial={"counted": f"{max(drawer.amount, 0):.0f}"})
    else:
        forms["count"] = CountShiftForm(auto_id="count_%s")
    is_waiting = drawer.counted is not None and drawer.shift is None  # also with nothing in it: 0 closes it
    if drawer.amount > 0 or is_waiting:
        forms["hand_over"] = HandOverForm(auto_id="hand_%s", user=user, initial=inside)
    return forms


def _bound(step: str, request: HttpRequest, user: Any) -> ConfirmForm:
    if step == "open":
        return OpenShiftForm(request.POST, auto_id="open_%s")
    if step == "count":
        return CountShiftForm(request.POST, auto_id="count_%s")
    return HandOverForm(request.POST, auto_id="hand_%s", user=user)


def _shown(forms: dict[str, ConfirmForm]) -> list[dict[str, Any]]:
    texts = {
        "open": (_("Open my shift"), _("Open"), "lock_open"),
        "count": (_("Count and close my shift"), _("Count and close"), "check"),
        "hand_over": (_("Hand money over"), _("Hand over"), "swap_horiz"),
    }
    return [
        {"step": step, "form": form, "title": texts[step][0], "button": texts[step][1], "icon": texts[step][2]}
        for step, form in forms.items()
    ]


def _open(request: HttpRequest, drawer: Drawer, data: dict[str, Any]) -> str:
    user: Any = request.user
    shift_open(
        counted=data["counted"], from_owner=data["from_owner"] or 0, now=clock.now(), actor=user, ip=client_ip(request)
    )
    return _("Your shift is open.")


def _count(request: HttpRequest, drawer: Drawer, data: dict[str, Any]) -> str:
    if drawer.shift is None:
        raise DomainError("cash.no_shift", _("No shift is open."))
    return _counted(request, drawer.shift, data)


def _hand_over(request: HttpRequest, drawer: Drawer, data: dict[str, Any]) -> str:
    """Of a counted shift, or in the middle of one."""
    user: Any = request.user
    if drawer.counted is not None and drawer.shift is None:
        return _handed_over(request, drawer.counted, data)
    cash_hand_over(
        amount=data["amount"], request_key=data["request_key"], to_user=data["to_user"], to_bank=data["to_bank"],
        now=clock.now(), actor=user, ip=client_ip(request),
    )  # fmt: skip
    return _("%(amount)s was handed over.") % {"amount": money(data["amount"])}


_STEPS: dict[str, Callable[[HttpRequest, Drawer, dict[str, Any]], str]] = {
    "open": _open, "count": _count, "hand_over": _hand_over,
}  # fmt: skip

add_page(
    Page(
        "cash/", "my_cash", my_cash, permission="billing.use_cashshift", group="money", order=10, icon="inbox",
        title=gettext_lazy("My cash drawer"),
    )
)  # fmt: skip
