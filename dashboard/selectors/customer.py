"""The customer page: what stands on it, for one person at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.choices import InvoiceStatus, SubscriptionStatus
from billing.models import Invoice
from billing.selectors_services import next_bills_of
from billing.service_words import NextBill, next_bill_text
from core import clock
from core.formats import money
from core.words import Words
from customers.models import Contact, Customer
from dashboard import links
from dashboard.links import Step
from dashboard.offline import Explanation, Line, Verdict, explain
from dashboard.selectors.lines import MAX_SERVICES, lines_of
from dashboard.selectors.scope import Family
from dashboard.selectors.timeline import Page, timeline_page
from dashboard.selectors.traffic import Use, use_of
from dashboard.words import balance_words, day, invoice_words, service_words
from locations.words import fact_of, row_words
from payments.models import Payment
from payments.words import method_name, payment_words

DAY = timedelta(days=1)  # `period_end` is the first day after the period
URGENCY: dict[str, int] = {Verdict.CAUSE: 0, Verdict.WAITING: 1, Verdict.NOTE: 2, Verdict.ONLINE: 3}
STANDING: dict[str, int] = {SubscriptionStatus.PAUSED: 1, SubscriptionStatus.DRAFT: 2, SubscriptionStatus.ENDED: 3}
OPEN_SHOWN, CLOSED_SHOWN, PAYMENTS_SHOWN = 20, 6, 8


@dataclass(frozen=True)
class Service:
    """A service as the page shows it: what we want, what the router confirmed, and why it may be off.

    `next_bill` is "" for what is not billed now.
    """

    line: Line
    status: Words
    router: Words | None
    price: Decimal
    explanation: Explanation
    url: str
    next_bill: str


@dataclass(frozen=True)
class InvoiceRow:
    invoice: Invoice
    words: Words
    url: str
    pdf_url: str
    for_what: str


@dataclass(frozen=True)
class PaymentRow:
    payment: Payment
    words: Words
    method: str
    url: str


@dataclass(frozen=True)
class Invoices:
    """Open ones first, oldest due on top; drafts apart, for nobody owes them; `has_more` when the lists are cut."""

    open: Sequence[InvoiceRow]
    drafts: Sequence[InvoiceRow]
    closed: Sequence[InvoiceRow]
    has_more: bool


@dataclass(frozen=True)
class CustomerPage:
    customer: Customer
    balance: Words
    merged: Sequence[Customer]
    contacts: Sequence[Contact]
    services: Sequence[Service] | None
    invoices: Invoices | None
    payments: Sequence[PaymentRow] | None
    use: Use | None
    timeline: Page
    action: Step | None


def customer_page(family: Family) -> CustomerPage:
    """Parts the person has no right to see are None, and are not asked for."""
    customer, may = family.customer, family.user.has_perm
    others = [pk for pk in family.ids if pk != customer.pk]
    return CustomerPage(
        customer=customer,
        balance=balance_words(customer.balance, customer.debt),
        merged=list(Customer.objects.filter(pk__in=others).order_by("pk")),
        contacts=list(Contact.objects.filter(customer_id__in=family.ids)),
        services=services_of(family) if may("billing.view_subscription") else None,
        invoices=_invoices(family) if may("billing.view_invoice") else None,
        payments=_payments(family) if may("payments.view_payment") else None,
        use=_use(family) if may("billing.view_subscription") and may("locations.view_accessaccount") else None,
        timeline=timeline_page(family),
        action=_action(family),
    )


def services_of(family: Family) -> list[Service]:
    """Every service of the customer, what needs somebody first; also what the live part of the page asks for."""
    lines = lines_of(family)
    bills = next_bills_of(line.subscription for line in lines)
    return sorted((_service(line, bills.get(line.subscription.pk)) for line in lines), key=_urgency)


def _urgency(service: Service) -> tuple[int, int]:
    """Isolated and unexplained lines above healthy ones, those that are not supposed to run last."""
    status = service.line.subscription.status
    return (STANDING.get(status, 0), URGENCY.get(service.explanation.headline.verdict, 0))


def _service(line: Line, bill: NextBill | None) -> Service:
    row, account = line.subscription, line.account
    router = None
    if account is not None:
        fact = fact_of(account, location=line.location, state=line.state, waiting=line.waiting)
        router = row_words(fact, line.now)
    return Service(
        line=line,
        status=service_words(row),
        router=router,
        price=row.plan.price_sell if row.price is None else row.price,
        explanation=explain(line),
        url=links.service_page(row.pk),
        next_bill=next_bill_text(bill) if bill else "",
    )


def _today(family: Family) -> date:
    place = family.customer.location
    return clock.local_date(place.timezone, family.now) if place else family.now.date()


def _invoices(family: Family) -> Invoices:
    today = _today(family)
    rows = family.invoices().select_related("subscription").defer("subscription__password")
    unpaid = list(rows.filter(status=InvoiceStatus.OPEN).order_by("due_on", "id")[: OPEN_SHOWN + 1])
    drafts = list(rows.filter(status=InvoiceStatus.DRAFT).order_by("-id")[: CLOSED_SHOWN + 1])
    asked = [InvoiceStatus.OPEN, InvoiceStatus.DRAFT]
    closed = list(rows.exclude(status__in=asked).order_by("-id")[: CLOSED_SHOWN + 1])
    return Invoices(
        open=[_invoice_row(row, today) for row in unpaid[:OPEN_SHOWN]],
        drafts=[_invoice_row(row, today) for row in drafts[:CLOSED_SHOWN]],
        closed=[_invoice_row(row, today) for row in closed[:CLOSED_SHOWN]],
        has_more=len(unpaid) > OPEN_SHOWN or max(len(drafts), len(closed)) > CLOSED_SHOWN,
    )


def _invoice_row(row: Invoice, today: date) -> InvoiceRow:
    for_what = row.subscription.username if row.subscription else ""
    if row.period_start and row.period_end:
        values = {"name": for_what, "from": day(row.period_start, today), "to": day(row.period_end - DAY, today)}
        for_what = _("%(name)s, %(from)s to %(to)s") % values
    pdf_url = links.invoice_pdf(row.token) if row.status != InvoiceStatus.DRAFT else ""
    return InvoiceRow(row, invoice_words(row, today), links.invoice_page(row.pk), pdf_url, for_what)


def _payments(family: Family) -> list[PaymentRow]:
    rows = family.payments().select_related("method", "received_by").order_by("-id")[:PAYMENTS_SHOWN]
    return [PaymentRow(row, payment_words(row), method_name(row.method), links.payment_page(row.pk)) for row in rows]


def _use(family: Family) -> Use:
    logins = family.services().filter(account__isnull=False).order_by("-pk")[:MAX_SERVICES]
    named = logins.values_list("account__location_id", "account__kind", "account__name")
    return use_of(list(named), _today(family))


def _action(family: Family) -> Step | None:
    """The one thing to do on this page: take the money that is owed, or in advance."""
    customer = family.customer
    label = _("Take %(amount)s in cash") % {"amount": money(customer.debt)} if customer.debt else _("Take cash")
    step = Step(label, links.payment_form(customer.pk), "payments.take_cash")
    return step if step.is_open_to(family.user) else None
