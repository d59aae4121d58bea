"""Bills kept as drafts: nobody owes them; issued they are bills like all others, with the next number and of that day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.choices import Role
from accounts.models import ActivityLog, User
from accounts.services import roles_sync, user_create
from billing.choices import EntryKind
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.models import Invoice, JournalEntry, TaxRate
from billing.services.invoices import ManualLine, draft_change, draft_discard, draft_issue, invoice_void, invoice_write
from billing.services.settling import money_receive
from core import clock
from core.errors import DomainError, TransitionError
from core.formats import local
from customers.models import Customer
from locations.models import Location
from locations.services import location_member_add
from tests.integration.billing.invoice_world import DAY, NOW, issued, legs, make_customer, make_service

pytestmark = pytest.mark.django_db(transaction=True)
LINES = [ManualLine("Cable", 2_500, 20), ManualLine("Friend", -5_000)]


@pytest.fixture(autouse=True)
def roles() -> None:
    roles_sync()


@pytest.fixture
def place() -> Location:
    return Location.objects.create(name="Pos 1", host="127.0.0.1", username="api")


@pytest.fixture
def customer(place: Location) -> Customer:
    return make_customer("C77", language="en", location=place)


def drafted(customer: Customer, key: str = "k1", **fields: Any) -> Invoice:
    order: dict[str, Any] = {"lines": LINES, "due_on": DAY + timedelta(days=7), "actor": None, **fields}
    return invoice_write(customer=customer, request_key=key, now=NOW, is_draft=True, **order)


def staff(role: str, *places: Location) -> User:
    user = user_create(username=f"{role}-1", password="a-long-password-7", role=role, language="en", actor=None)
    for one in places:
        location_member_add(one, user)
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_draft_is_nobodys_debt(customer: Customer) -> None:
    draft = drafted(customer)
    assert drafted(customer).pk == draft.pk  # the same press
    assert (draft.status, draft.number, draft.total, draft.settled_amount) == ("draft", None, 45_000, 0)
    assert (draft.issued_on, draft.opened_at, draft.due_on) == (None, None, date(2026, 11, 29))
    customer.refresh_from_db()
    assert (customer.debt, customer.balance, JournalEntry.objects.count()) == (0, 0, 0)
    assert ledger_check().is_right
    with pytest.raises(TransitionError, match="not open"):
        invoice_void(draft, reason="x", now=NOW, actor=None)
    with pytest.raises(DomainError) as refused:
        money_receive(
            customer_id=customer.pk, amount=45_000, into_account=chart.cash(1), kind=EntryKind.PAYMENT, source="test:pay",
            now=NOW, invoice_id=draft.pk,
        )  # fmt: skip
    assert list(refused.value.fields) == ["invoice"]
    assert Client().get(f"/pay/{draft.token}/").status_code == 404


def test_issued_it_has_the_next_number_and_the_day_and_tax_of_then(customer: Customer) -> None:
    clerk = staff(Role.ADMIN)
    draft = drafted(customer, tax_mode="exclusive", note="as agreed", actor=clerk)
    other = issued(customer, source="a")
    TaxRate.objects.create(percent=11, valid_from=DAY + timedelta(days=2))
    money_receive(
        customer_id=customer.pk, amount=160_000, into_account=chart.cash(1), kind=EntryKind.PAYMENT, source="test:pay",
        now=NOW, is_for_balance=True,
    )  # fmt: skip
    later = NOW + timedelta(days=3)
    bill = draft_issue(draft, now=later, actor=clerk)
    assert (bill.pk, bill.source, other.number) == (draft.pk, draft.source, "INV/2026/000001")
    assert (bill.number, bill.issued_on, bill.due_on) == ("INV/2026/000002", DAY + timedelta(days=3), draft.due_on)
    assert (bill.subtotal, bill.tax_amount, bill.total) == (45_000, 4_950, 49_950)
    assert (bill.status, bill.settled_amount, bill.note, bill.opened_at) == ("open", 10_000, "as agreed", later)
    assert legs(f"invoice:{bill.pk}") == {
        "receivable": 49_950, "income:other": -50_000, "income:discount": 5_000, "tax": -4_950,
    }  # fmt: skip
    assert [line.text for line in bill.lines.all()] == ["Cable", "Friend"]
    assert ActivityLog.objects.get(action="invoice.written").details["drafted_by"] == clerk.pk
    for again in (draft_issue, draft_discard):
        with pytest.raises(TransitionError, match="no draft"):
            again(draft, now=later, actor=None)
    assert (Invoice.objects.count(), ledger_check().is_right) == (2, True)


def test_a_draft_of_a_service_stays_that_services(customer: Customer) -> None:
    row = make_service(customer)
    draft = drafted(customer, subscription=row)
    changed = draft_change(draft, lines=[ManualLine("Pole", 7_000)], due_on=DAY, now=NOW, actor=None)
    assert (changed.subscription_id, changed.location_id) == (row.pk, row.location_id)
    bill = draft_issue(changed, now=NOW, actor=None)
    assert (bill.subscription_id, bill.location_id, bill.status) == (row.pk, row.location_id, "open")
    assert ledger_check().is_right


def test_the_day_is_judged_again_when_it_is_issued(customer: Customer) -> None:
    draft = drafted(customer)
    late = NOW + timedelta(days=8)
    with pytest.raises(DomainError) as refused:
        draft_issue(draft, now=late, actor=None)
    assert refused.value.fields == {"due_on": "Not before today."}
    assert Invoice.objects.get().status == "draft"
    assert draft_issue(draft, now=late, actor=None, due_on=DAY + timedelta(days=8)).number == "INV/2026/000001"


def test_it_is_written_anew_and_thrown_away(customer: Customer) -> None:
    draft = drafted(customer)
    with pytest.raises(DomainError) as refused:
        draft_change(draft, lines=[ManualLine("", 5)], due_on=DAY, now=NOW, actor=None)
    assert list(refused.value.fields) == ["line_0_text"]
    with pytest.raises(DomainError, match="larger than the bill"):
        draft_change(draft, lines=[ManualLine("x", -5)], due_on=DAY, now=NOW, actor=None)
    changed = draft_change(draft, lines=[ManualLine("Pole", 7_000)], due_on=DAY, note="n", now=NOW, actor=None)
    assert (changed.pk, changed.total, changed.due_on, changed.note) == (draft.pk, 7_000, DAY, "n")
    assert [line.text for line in changed.lines.all()] == ["Pole"]
    draft_discard(draft, now=NOW, actor=None)
    assert not Invoice.objects.exists()
    with pytest.raises(DomainError) as gone:
        draft_issue(draft, now=NOW, actor=None)
    assert gone.value.status == 404
    assert issued(customer).number == "INV/2026/000001"
    actions = ActivityLog.objects.filter(action__startswith="invoice.draft").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "invoice.drafted", "invoice.draft_changed", "invoice.draft_discarded",
    ]  # fmt: skip


def url(invoice: Invoice, page: str = "change") -> str:
    return reverse(f"admin:billing_invoice_{page}", args=[invoice.pk])


def form(**fields: str) -> dict[str, str]:
    return {
        "to": "C77", "due_on": str(local(clock.now()).date()), "tax_mode": "none", "account": "income:other", "note": "",
        "request_key": "k", "line_0_text": "Cable", "line_0_price": "2500", "line_0_quantity": "20", **fields,
    }  # fmt: skip


def test_a_clerk_prepares_and_somebody_else_issues(customer: Customer, place: Location) -> None:
    clerk, boss = browser(staff(Role.OPERATOR, place)), browser(staff(Role.ADMIN))
    done = clerk.post(reverse("admin:billing_invoice_add"), form())  # his box cannot be unticked
    draft = Invoice.objects.get()
    assert (draft.status, done["Location"]) == ("draft", url(draft))
    assert clerk.post(url(draft, "issue"), {"due_on": str(draft.due_on)}).status_code == 403
    page = clerk.get(url(draft, "change_draft")).content.decode()
    assert 'value="Cable"' in page
    changed = form(line_1_text="Friend", line_1_price="-5000", account="income:charge")
    assert clerk.post(url(draft, "change_draft"), {**changed, "line_0_price": ""}).status_code == 422
    assert clerk.post(url(draft, "change_draft"), changed).status_code == 302
    assert [line.account for line in Invoice.objects.get().lines.all()] == ["income:charge", "income:discount"]
    shown = boss.get(url(draft)).content.decode()
    assert f"Draft #{draft.pk}" in shown
    assert "Prepared by operator-1." in shown
    assert "Make void" not in shown
    assert "In the ledger" not in shown
    assert boss.get(url(draft, "pdf")).status_code == 404
    listed = boss.get(reverse("admin:billing_invoice_changelist") + "?status__exact=draft").content.decode()
    assert f"Draft #{draft.pk}" in listed
    customers_page = boss.get(reverse("dashboard:customer", args=[customer.pk])).content.decode()
    assert "Drafts, not issued" in customers_page
    assert f"Draft #{draft.pk}" in customers_page
    assert boss.get(url(draft, "issue")).status_code == 200
    assert boss.post(url(draft, "issue"), {"due_on": "2020-01-01"}).status_code == 422
    assert boss.post(url(draft, "issue"), {"due_on": str(draft.due_on)}).status_code == 302
    bill = Invoice.objects.get()
    assert (bill.pk, bill.status, bill.total) == (draft.pk, "open", 45_000)
    assert boss.get(url(draft, "discard")).status_code == 302  # not possible any more
    clerk.post(reverse("admin:billing_invoice_add"), form(request_key="k2"))
    second = Invoice.objects.get(status="draft")
    assert clerk.post(url(second, "discard"))["Location"] == reverse("admin:billing_invoice_changelist")
    assert list(Invoice.objects.all()) == [bill]


def test_drafts_over_rest(customer: Customer, place: Location) -> None:
    clerk, boss = browser(staff(Role.OPERATOR, place)), browser(staff(Role.ADMIN))

    def post(client: Client, path: str, body: dict[str, Any]) -> Any:
        kwargs: Any = {"headers": {"Idempotency-Key": "draft-key-1"}}
        return client.post(f"/api/v1/invoices/{path}", body, content_type="application/json", **kwargs)

    today = str(local(clock.now()).date())
    order = {"customer": customer.pk, "due_on": today, "lines": [{"text": "Cable", "price": "2500", "quantity": "2"}]}
    assert post(clerk, "", order).status_code == 403
    made = post(clerk, "drafts/", order)
    assert (made.status_code, made.json()["status"], made.json()["number"], made.json()["pay_link"]) == (
        201, "draft", None, "",
    )  # fmt: skip
    pk = made.json()["id"]
    changed = post(clerk, f"{pk}/change-draft/", {"due_on": today, "lines": [{"text": "Pole", "price": "70"}]})
    assert (changed.status_code, changed.json()["total"], changed.json()["id"]) == (200, "70.00", pk)
    assert post(clerk, f"{pk}/issue/", {}).status_code == 403
    assert post(boss, f"{pk}/issue/", {"due_on": "2020-01-01"}).json()["fields"] == {"due_on": "Not before today."}
    done = post(boss, f"{pk}/issue/", {})
    assert (done.status_code, done.json()["status"]) == (200, "open")
    assert done.json()["pay_link"]
    assert post(boss, f"{pk}/discard/", {}).status_code == 409
    other = Invoice.objects.get(pk=drafted(customer, due_on=local(clock.now()).date()).pk)
    assert post(clerk, f"{other.pk}/discard/", {}).status_code == 204
    assert not Invoice.objects.filter(pk=other.pk).exists()
