"""Checks about the agreement and the money: is the service supposed to run at all?"""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

from billing.choices import SubscriptionStatus
from billing.models import Invoice
from core.formats import money
from dashboard import links
from dashboard.links import Step
from dashboard.offline.finding import Finding, Verdict
from dashboard.offline.line import Line


def status_not_running(line: Line) -> Finding | None:
    """Draft, paused or ended: nobody expects it on the router."""
    service = line.subscription
    step = Step(_("Open the service"), links.service_page(service.pk), "billing.view_subscription")
    match service.status:
        case SubscriptionStatus.DRAFT:
            sentence = _("Not started yet: the service is a draft.")
            return Finding("status", Verdict.INTENDED, sentence, _("Start it on its page."), step)
        case SubscriptionStatus.PAUSED:
            advice = _("Let it come back earlier on its page, if the customer wants.")
            return Finding("status", Verdict.INTENDED, _paused(line), advice, step)
        case SubscriptionStatus.ENDED:
            ended = line.day(service.ended_on) if service.ended_on else "?"
            sentence = _("Ended on %(day)s.") % {"day": ended}
            return Finding(
                "status", Verdict.INTENDED, sentence, _("Make a new service if the customer comes back."), step
            )
    return None


def _paused(line: Line) -> str:
    service = line.subscription
    since = line.day(service.paused_on) if service.paused_on else "?"
    if service.resume_on is None:
        return _("Paused since %(since)s, without a day to come back.") % {"since": since}
    values = {"since": since, "until": line.day(service.resume_on)}
    return _("Paused since %(since)s, comes back on %(until)s.") % values


def isolated(line: Line) -> Finding | None:
    """Held back for an unpaid bill: which one, since when, how much."""
    if line.subscription.status != SubscriptionStatus.ISOLATED:
        return None
    since = line.day_of(line.since.at) if line.since else "?"
    if line.overdue is None:
        sentence = _("Isolated since %(since)s, although no bill of this service is overdue.") % {"since": since}
        step = Step(_("Open the service"), links.service_page(line.subscription.pk), "billing.view_subscription")
        return Finding("isolated", Verdict.CAUSE, sentence, _("Reopen it on its page."), step)
    sentence = _isolated_for(line.overdue, line, since)
    if _has_promise(line):
        advice = _("A promise to pay is open, so the next check reopens the service.")
        return Finding("isolated", Verdict.CAUSE, sentence, advice)
    return Finding(
        "isolated", Verdict.CAUSE, sentence, _("Take a payment or write a promise."), _take_payment(line.overdue, line)
    )


def _isolated_for(bill: Invoice, line: Line, since: str) -> str:
    values = {"since": since} | _bill_values(bill, line)
    if line.subscription.isolated_by_hand_on is not None:
        text = _("Isolated by staff since %(since)s: invoice %(number)s of %(total)s was due %(due)s.")
    elif bill.settled_amount:
        text = _("Isolated since %(since)s: %(left)s of invoice %(number)s are still open and were due %(due)s.")
    else:
        text = _("Isolated since %(since)s: invoice %(number)s of %(total)s was due %(due)s.")
    return text % values


def _bill_values(bill: Invoice, line: Line) -> dict[str, str]:
    return {
        "number": str(bill), "total": money(bill.total), "left": money(bill.total - bill.settled_amount),
        "due": line.day(bill.due_on) if bill.due_on else "?",
    }  # fmt: skip


def _take_payment(bill: Invoice, line: Line) -> Step:
    url = links.payment_form(line.subscription.customer_id, invoice=bill.pk)
    return Step(_("Take a payment"), url, "payments.take_cash")


def _has_promise(line: Line) -> bool:
    return line.promise is not None and line.promise.until_on >= line.today


def bills(line: Line) -> Finding | None:
    """For a service that is open: is something overdue, and how long does it stay open?"""
    service = line.subscription
    if service.status not in {SubscriptionStatus.ACTIVE, SubscriptionStatus.GRACE}:
        return None
    bill = line.overdue
    if bill is None or bill.due_on is None:
        return Finding("bills", Verdict.CLEAR, _("No bill of this service is overdue."))
    values = _bill_values(bill, line)
    if _has_promise(line):
        sentence = _("Invoice %(number)s of %(total)s was due %(due)s; a promise keeps the service open.") % values
        return Finding("bills", Verdict.CLEAR, sentence)
    values["until"] = line.day(bill.due_on + timedelta(days=service.grace_days))
    sentence = _("Invoice %(number)s of %(total)s was due %(due)s; the service stays open through %(until)s.") % values
    return Finding(
        "bills", Verdict.HINT, sentence, _("Remind the customer or take the payment."), _take_payment(bill, line)
    )


def promise(line: Line) -> Finding | None:
    """A promise to pay, kept in view until its day."""
    if line.promise is None:
        return None
    until = {"day": line.day(line.promise.until_on)}
    if _has_promise(line):
        return Finding("promise", Verdict.CLEAR, _("Promised to pay by %(day)s.") % until)
    sentence = _("The promise to pay by %(day)s was not kept.") % until
    return Finding("promise", Verdict.HINT, sentence, _("Call the customer."))
