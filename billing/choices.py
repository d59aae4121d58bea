"""States of the billing room and the legal moves between them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

CASH_NAME = "Cash"  # the method of money in a drawer, as kept; shown in the reader's language


class PlanType(models.TextChoices):
    HOTSPOT = "hotspot", _("Hotspot")
    PPPOE = "pppoe", _("PPPoE")
    STATIC = "static", _("Static IP")


class ValidityFrom(models.TextChoices):
    FIRST_LOGIN = "first_login", _("first login")
    SALE = "sale", _("sale")


class BillingMode(models.TextChoices):
    PREPAID = "prepaid", _("prepaid: pay, then use")
    POSTPAID = "postpaid", _("postpaid: use, then pay")


class PeriodMode(models.TextChoices):
    ROLLING = "rolling", _("rolling: a month from each start")
    FIXED_DAY = "fixed_day", _("fixed day of the month")


class FirstBill(models.TextChoices):
    """What happens to the days before the first fixed day."""

    SEPARATE = "separate", _("the part of a month is billed at once")
    MERGED = "merged", _("the part of a month comes with the first full bill")


class TaxMode(models.TextChoices):
    NONE = "none", _("no tax")
    EXCLUSIVE = "exclusive", _("tax comes on top of the price")
    INCLUSIVE = "inclusive", _("the price contains the tax")


class SubscriptionStatus(models.TextChoices):
    DRAFT = "draft", _("draft")
    ACTIVE = "active", _("active")
    GRACE = "grace", _("overdue, still open")
    ISOLATED = "isolated", _("isolated")
    PAUSED = "paused", _("paused")
    ENDED = "ended", _("ended")


SUBSCRIPTION_MOVES: dict[str, frozenset[str]] = {
    SubscriptionStatus.DRAFT: frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.ENDED}),
    SubscriptionStatus.ACTIVE: frozenset(
        {SubscriptionStatus.GRACE, SubscriptionStatus.ISOLATED, SubscriptionStatus.PAUSED, SubscriptionStatus.ENDED}
    ),
    SubscriptionStatus.GRACE: frozenset(
        {SubscriptionStatus.ACTIVE, SubscriptionStatus.ISOLATED, SubscriptionStatus.PAUSED, SubscriptionStatus.ENDED}
    ),
    SubscriptionStatus.ISOLATED: frozenset(
        {SubscriptionStatus.ACTIVE, SubscriptionStatus.GRACE, SubscriptionStatus.ENDED}
    ),
    SubscriptionStatus.PAUSED: frozenset(
        {SubscriptionStatus.ACTIVE, SubscriptionStatus.GRACE, SubscriptionStatus.ISOLATED, SubscriptionStatus.ENDED}
    ),
    SubscriptionStatus.ENDED: frozenset(),
}
# has an account on a router that may be online
RUNNING = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.GRACE, SubscriptionStatus.ISOLATED})


class InvoiceStatus(models.TextChoices):
    DRAFT = "draft", _("draft")
    OPEN = "open", _("open")
    PAID = "paid", _("paid")
    VOID = "void", _("void")


INVOICE_MOVES: dict[str, frozenset[str]] = {
    InvoiceStatus.DRAFT: frozenset({InvoiceStatus.OPEN}),
    InvoiceStatus.OPEN: frozenset({InvoiceStatus.PAID, InvoiceStatus.VOID}),
    # a payment that was taken back (refund of money that never was there) opens it again
    InvoiceStatus.PAID: frozenset({InvoiceStatus.OPEN}),
    InvoiceStatus.VOID: frozenset(),
}


class InvoiceKind(models.TextChoices):
    INVOICE = "invoice", _("invoice")
    CREDIT_NOTE = "credit_note", _("credit note")


class LineKind(models.TextChoices):
    """Why a line is on the bill; with `details` it is put into words in either language (`billing.words`)."""

    SUBSCRIPTION = "subscription", _("subscription")
    PRORATION = "proration", _("part of a month")
    ADDON = "addon", _("add-on")
    CHARGE = "charge", _("one-off charge")
    DISCOUNT = "discount", _("discount")
    LATE_FEE = "late_fee", _("late fee")
    PLAN_CREDIT = "plan_credit", _("credit of a plan change")
    CREDIT = "credit", _("credit")
    MANUAL = "manual", _("as written")


class DiscountKind(models.TextChoices):
    PERCENT = "percent", _("percent")
    AMOUNT = "amount", _("amount")


class PromiseStatus(models.TextChoices):
    OPEN = "open", _("open")
    KEPT = "kept", _("kept")
    BROKEN = "broken", _("broken")
    CANCELLED = "cancelled", _("cancelled")


PROMISE_MOVES: dict[str, frozenset[str]] = {
    PromiseStatus.OPEN: frozenset({PromiseStatus.KEPT, PromiseStatus.BROKEN, PromiseStatus.CANCELLED}),
    PromiseStatus.KEPT: frozenset(),
    PromiseStatus.BROKEN: frozenset(),
    PromiseStatus.CANCELLED: frozenset(),
}


class PlanChangeStatus(models.TextChoices):
    WAITING = "waiting", _("waits for the end of the period")
    DONE = "done", _("done")
    CANCELLED = "cancelled", _("cancelled")


PLAN_CHANGE_MOVES: dict[str, frozenset[str]] = {
    PlanChangeStatus.WAITING: frozenset({PlanChangeStatus.DONE, PlanChangeStatus.CANCELLED}),
    PlanChangeStatus.DONE: frozenset(),
    PlanChangeStatus.CANCELLED: frozenset(),
}


class RunStatus(models.TextChoices):
    """A long piece of work with progress and cancel."""

    QUEUED = "queued", _("waiting to start")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    CANCELLED = "cancelled", _("cancelled")
    FAILED = "failed", _("stopped by a problem")


RUN_MOVES: dict[str, frozenset[str]] = {
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING, RunStatus.CANCELLED}),
    RunStatus.RUNNING: frozenset({RunStatus.DONE, RunStatus.CANCELLED, RunStatus.FAILED}),
    # a night that failed or was stopped may be tried again: what it did is done, it goes on with the rest
    RunStatus.FAILED: frozenset({RunStatus.QUEUED}),
    RunStatus.CANCELLED: frozenset({RunStatus.QUEUED}),
    RunStatus.DONE: frozenset(),
}


class EntryKind(models.TextChoices):
    """What a journal entry records."""

    INVOICE = "invoice", _("invoice")
    CREDIT_NOTE = "credit_note", _("credit note")
    PAYMENT = "payment", _("payment")
    SETTLEMENT = "settlement", _("paid from balance")
    REFUND = "refund", _("refund")
    VOUCHER_SALE = "voucher_sale", _("voucher sale")
    VOUCHER_USED = "voucher_used", _("agent's voucher used before it was sold")
    AGENT_DEPOSIT = "agent_deposit", _("agent deposit")
    ADJUSTMENT = "adjustment", _("adjustment")
    WRITE_OFF = "write_off", _("write-off")
    MERGE = "merge", _("customers merged")
    CASH_DIFFERENCE = "cash_difference", _("cash difference")
    CASH_HANDOVER = "cash_handover", _("cash handed over")
    EXPENSE = "expense", _("expense")
    RECOGNITION = "recognition", _("income of the period")
    REVERSAL = "reversal", _("reversal")


class AdjustmentStatus(models.TextChoices):
    WAITING = "waiting", _("waits for a second person")
    POSTED = "posted", _("posted")
    REJECTED = "rejected", _("rejected")


class ShiftStatus(models.TextChoices):
    OPEN = "open", _("open")
    COUNTED = "counted", _("counted")
    HANDED_OVER = "handed_over", _("handed over")


class CheckStatus(models.TextChoices):
    """A run of the ledger check."""

    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("could not be finished")


CHECK_MOVES: dict[str, frozenset[str]] = {
    CheckStatus.WAITING: frozenset({CheckStatus.RUNNING}),
    CheckStatus.RUNNING: frozenset({CheckStatus.DONE, CheckStatus.FAILED}),
    CheckStatus.DONE: frozenset(),
    CheckStatus.FAILED: frozenset(),
}
