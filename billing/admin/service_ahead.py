"""Steps of a service about months paid ahead; methods of `SubscriptionAdmin` like those of `service_actions`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.service_actions import step
from billing.choices import RUNNING, BillingMode, SubscriptionStatus
from billing.models import Subscription
from billing.selectors_services import prepay_table
from billing.service_words import prepay_words, preview_points
from billing.services.paying_ahead import (
    MOST_MONTHS,
    pay_ahead_preview,
    prepay_discounts_put,
    subscription_pay_ahead,
)
from core.admin import Confirmation, ConfirmForm

if TYPE_CHECKING:
    from billing.admin.subscriptions import SubscriptionAdmin

ROWS = 4


class PayAheadForm(ConfirmForm):
    months = forms.IntegerField(label=gettext_lazy("months"), min_value=1, max_value=MOST_MONTHS)


def pay_ahead(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status not in RUNNING or row.billing_mode == BillingMode.POSTPAID:
        return None

    def preview(data: dict[str, Any]) -> Sequence[str]:
        return preview_points(pay_ahead_preview(row, months=data["months"], actor=request.user))  # type: ignore[arg-type]

    known = prepay_words(prepay_table(row))
    return step(
        request, row, subscription_pay_ahead, _("The months of %(name)s are billed; its page shows the bill."),
        title=_("Pay months ahead"), question=_("How many months more of %(name)s are billed now?"), icon="more_time",
        form=PayAheadForm, preview=preview, points=[_("Discount: %(table)s") % {"table": known}] if known else [],
    )  # fmt: skip


def prepay_terms(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status == SubscriptionStatus.ENDED:
        return None

    def run(_row: Subscription, **values: Any) -> None:
        found = {values[f"months_{n}"]: values[f"percent_{n}"] or 0 for n in range(ROWS) if values[f"months_{n}"]}
        who = {key: values[key] for key in ("actor", "ip")}
        prepay_discounts_put(row, discounts=found or None, **who)

    return step(
        request, row, run, _("The discounts of %(name)s for months ahead are as you wrote."),
        title=_("Discounts for months ahead"), icon="edit", form=_prepay_form(row),
        question=_("Which discount does %(name)s get for how many months paid at once? All empty: the plan's."),
    )  # fmt: skip


def _prepay_form(row: Subscription) -> type[ConfirmForm]:
    known = list((row.prepay_discounts or {}).items())[:ROWS]
    fields: dict[str, Any] = {}
    for n in range(ROWS):
        months, percent = known[n] if n < len(known) else (None, None)
        fields[f"months_{n}"] = forms.IntegerField(
            label=format_lazy(gettext_lazy("row {n}: from so many months"), n=n + 1), required=False, min_value=2,
            max_value=MOST_MONTHS, initial=months,
        )  # fmt: skip
        fields[f"percent_{n}"] = forms.DecimalField(
            label=format_lazy(gettext_lazy("row {n}: discount in percent"), n=n + 1), required=False, min_value=0,
            max_value=100, max_digits=5, decimal_places=2, initial=percent,
        )  # fmt: skip
    return type("PrepayTermsForm", (ConfirmForm,), fields)
