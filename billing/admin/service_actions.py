"""What staff do with one service. Methods of `SubscriptionAdmin`: each offers a `Confirmation` while it is possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from billing.choices import RUNNING, PlanChangeStatus, PlanType, PromiseStatus, SubscriptionStatus
from billing.models import Plan, PlanChange, Promise, Subscription
from billing.selectors import plans_on_sale
from billing.service_forms import (
    EndForm,
    PauseForm,
    PromiseForm,
    ReasonForm,
    ResumeForm,
    StartForm,
    draft_plan_form,
    login_form,
    move_form,
    plan_form,
    terms_form,
)
from billing.service_words import day_text, preview_points
from billing.services.history import today_at
from billing.services.subscriptions import subscription_activate, subscription_change, subscription_end
from billing.services.subscriptions_access import UNCHANGED, subscription_change_login, subscription_move
from billing.services.subscriptions_pausing import subscription_pause, subscription_resume
from billing.services.subscriptions_plans import plan_change_cancel, plan_change_preview, subscription_change_plan
from billing.services.subscriptions_promises import promise_cancel, promise_to_pay, subscription_isolate
from billing.words import days_words
from core import clock
from core.admin import Confirmation, ConfirmForm
from core.client_ip import client_ip
from locations.admin import opening
from locations.selectors import locations_visible_to

if TYPE_CHECKING:
    from billing.admin.subscriptions import SubscriptionAdmin

DRAFT, ACTIVE, GRACE = SubscriptionStatus.DRAFT, SubscriptionStatus.ACTIVE, SubscriptionStatus.GRACE
ISOLATED, PAUSED, ENDED = SubscriptionStatus.ISOLATED, SubscriptionStatus.PAUSED, SubscriptionStatus.ENDED
CHANGE = "billing.change_subscription"
ASKED_ELSEWHERE = {"request_key", "typed_count"}


def step(
    request: HttpRequest, row: Subscription, service: Callable[..., Any], said: str, *, title: str, question: str,
    icon: str, form: type[ConfirmForm] = ConfirmForm, permission: str = CHANGE, subject: Any = None, **options: Any,
) -> Confirmation:  # fmt: skip
    """A step that gives the form's values to its service and says one sentence."""
    name = {"name": row.username}

    def run(data: dict[str, Any]) -> str:
        values = {key: value for key, value in data.items() if key not in ASKED_ELSEWHERE}
        service(subject or row, actor=request.user, ip=client_ip(request), **values)
        return said % name

    return Confirmation(
        title=title, button=title, run=run, icon=icon, form=form, question=question % name, permission=permission, **options
    )  # fmt: skip


def activate(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status != DRAFT:
        return None
    return step(
        request, row, subscription_activate, _("%(name)s is started; its first bill is made as its terms say."),
        title=_("Start"), question=_("Start %(name)s? Its login goes to the router at once."), icon="check",
        is_primary=True, form=StartForm,
    )  # fmt: skip


def promise(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status not in {GRACE, ISOLATED}:
        return None
    return step(
        request, row, promise_to_pay, _("%(name)s is open until that day; it isolates itself again when nothing is paid."),
        title=_("Promise to pay"), question=_("Until which day does %(name)s stay open without being paid?"),
        icon="more_time", form=PromiseForm, permission="billing.promise_subscription", is_primary=row.status == ISOLATED,
    )  # fmt: skip


def cancel_promise(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    open_one = Promise.objects.filter(subscription=row, status=PromiseStatus.OPEN).first()
    if open_one is None:
        return None
    return step(
        request, row, promise_cancel, _("The promise of %(name)s is taken back."), title=_("Take the promise back"),
        question=_("Take the promise of %(name)s back? It is judged by its bills at once."), icon="undo", subject=open_one,
        permission="billing.promise_subscription",
    )  # fmt: skip


def pause(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status not in {ACTIVE, GRACE}:
        return None
    return step(
        request, row, subscription_pause, _("%(name)s is paused; paid days are credited when it comes back."),
        title=_("Pause"), question=_("Switch %(name)s off for a while? No bills are made meanwhile."), icon="timer_off",
        form=PauseForm,
    )  # fmt: skip


def resume(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status != PAUSED:
        return None
    return step(
        request, row, subscription_resume, _("%(name)s is back."), title=_("Let it come back"),
        question=_("Let %(name)s come back today? Paused days that were paid are credited."), icon="check", is_primary=True,
        form=ResumeForm,
    )  # fmt: skip


def change_plan(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status not in {DRAFT, *RUNNING}:
        return None
    plans = Plan.objects.filter(
        is_active=True, type=row.type, publications__location=row.location_id,
        pk__in=plans_on_sale(request.user).values("pk"),  # type: ignore[arg-type]
    ).exclude(pk=row.plan_id)  # fmt: skip
    if not plans:
        return None

    def run(_row: Subscription, **values: Any) -> None:
        subscription_change_plan(row, **{"is_at_once": True, **values})

    def preview(data: dict[str, Any]) -> Sequence[str]:
        if not data["is_at_once"]:
            return ()
        found = plan_change_preview(row, plan=data["plan"], is_at_once=True, actor=request.user)  # type: ignore[arg-type]
        return preview_points(found)

    if row.status == DRAFT:
        return step(
            request, row, run, _("%(name)s has the new plan; its page says the price."), title=_("Change plan"),
            question=_("Which plan does %(name)s get? Nothing is billed yet: it begins with the new plan and its price."),
            icon="swap_horiz", form=draft_plan_form(plans.order_by("name")),
        )  # fmt: skip
    return step(
        request, row, run, _("The plan of %(name)s is changed as you chose."), title=_("Change plan"),
        question=_("Which plan does %(name)s get?"), icon="swap_horiz", form=plan_form(plans.order_by("name")),
        preview=preview,
    )  # fmt: skip


def cancel_plan_change(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    waiting = (
        PlanChange.objects.filter(subscription=row, status=PlanChangeStatus.WAITING).select_related("to_plan").first()
    )
    if waiting is None:
        return None
    question = _("%(plan)s was to begin on %(day)s. Forget it?")
    return step(
        request, row, plan_change_cancel, _("%(name)s keeps its plan."), title=_("Keep the plan"), icon="undo",
        question=question % {"plan": waiting.to_plan.name, "day": day_text(waiting.effective_on)}, subject=waiting,
    )  # fmt: skip


def change_terms(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status == ENDED:
        return None
    return step(
        request, row, subscription_change, _("The terms of %(name)s are changed; they hold from the next bill on."),
        title=_("Change terms"), question=_("What is agreed about %(name)s?"), icon="edit", form=terms_form(row),
        points=_used_days(row),
    )  # fmt: skip


def _used_days(row: Subscription) -> list[str]:
    today = today_at(row, clock.now())
    if row.status not in RUNNING or row.billed_until is None or row.billed_until >= today:
        return []
    text = _(
        "With another price or tax the days used and not billed yet (%(days)s) are billed today, as agreed until now."
    )
    return [text % {"days": days_words(row.billed_until, today)}]


def change_login(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status == ENDED:
        return None

    def run(_row: Subscription, *, password: str, **values: Any) -> None:
        subscription_change_login(row, password=password or UNCHANGED, **values)

    return step(
        request, row, run, _("The login of %(name)s is changed; its page says when the router has it."),
        title=_("Change login"), question=_("How does %(name)s log in?"), icon="lock", form=login_form(row),
    )  # fmt: skip


def move(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status == ENDED:
        return None
    places = locations_visible_to(request.user).filter(is_active=True).exclude(pk=row.location_id)  # type: ignore[arg-type]
    return step(
        request, row, subscription_move, _("%(name)s is moved; the old router removes it when it confirms."),
        title=_("Change location"), question=_("Where is %(name)s served from now on?"), icon="move_location",
        form=move_form(places.order_by("name"), row),
    )  # fmt: skip


def open_now(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    """A moved service whose old router cannot be asked."""
    return opening.open_now(request, row.account) if row.account is not None else None


def isolate(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status != GRACE:
        return None
    return step(
        request, row, subscription_isolate, _("%(name)s is held back until nothing is overdue any more."),
        title=_("Isolate now"), question=_("Hold %(name)s back now, before its days of grace end?"), icon="block",
        form=ReasonForm, permission="billing.isolate_subscription", is_danger=True,
    )  # fmt: skip


def end(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status == ENDED:
        return None
    question = _("End %(name)s for good? This cannot be undone.")
    if row.type == PlanType.STATIC:
        question += " " + _("Its address stays shut on the router until somebody else gets it.")
    return step(
        request, row, subscription_end, _("%(name)s is ended; the router removes its login. What is owed stays owed."),
        title=_("End"), question=question, icon="cancel", form=EndForm,
        permission="billing.end_subscription", is_danger=True,
    )  # fmt: skip
