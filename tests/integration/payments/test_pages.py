"""Take cash, give back, drawers, corrections, agents: as staff press them, without a script; and the same over REST."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync, user_create
from billing.ledger.checking import ledger_check
from billing.models import Adjustment, Agent, CashShift, Expense, ExpenseCategory
from billing.services.drawers import drawer_amount
from core import clock
from customers.models import Customer
from locations.models import AccessAccount, Location, LocationUser
from payments.models import Payment, Refund
from payments.services import methods_seed
from tests.integration.billing.money import make_invoice, money_of, state_of
from tests.integration.vouchers.world import make_batch, make_location, make_plan
from vouchers.models import Voucher
from vouchers.services import stock_issue, vouchers_activate

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse 7 battery"


@pytest.fixture(autouse=True)
def ledger_is_right() -> Iterator[None]:
    roles_sync()
    methods_seed()
    yield
    assert ledger_check().findings == {}


@pytest.fixture
def place() -> Location:
    return make_location()


@pytest.fixture
def customer(place: Location) -> Customer:
    return Customer.objects.create(number="C1", name="Bu Sri", location=place)


def person(name: str, role: str, *places: Location) -> User:
    user = user_create(username=name, password=PASSWORD, role=role, language="en", actor=None)
    LocationUser.objects.bulk_create(LocationUser(location=place, user=user) for place in places)
    return user


@pytest.fixture
def cashier(place: Location) -> User:
    return person("siti", Role.OPERATOR, place)


@pytest.fixture
def admin() -> User:
    return person("ani", Role.ADMIN)


@pytest.fixture
def login() -> Callable[[User], Client]:
    def as_user(user: User) -> Client:
        client = Client(HTTP_ACCEPT_LANGUAGE="en")
        client.force_login(user)
        return client

    return as_user


Login = Callable[[User], Client]


def test_cash_is_taken_in_three_plain_steps(login: Login, cashier: User, customer: Customer) -> None:
    invoice = make_invoice(customer, 150_000)
    client = login(cashier)
    url = reverse("admin:payments_take_cash", args=[customer.pk]) + f"?invoice={invoice.pk}"
    asked = client.get(url)
    assert asked.status_code == 200
    assert asked.context["form"].initial["amount"] == "150000"
    form = {"amount": "200000", "purpose": "invoice", "note": "", "request_key": "k" * 32}
    shown = client.post(url, form)
    assert shown.context["sentences"] == [
        f"IDR 150,000 for invoice {invoice.number}, which is paid then", "IDR 50,000 is kept as balance",
    ]  # fmt: skip
    assert Payment.objects.count() == 0
    for _press in range(2):
        done = client.post(url, {**form, "confirmed": "1"})
        assert done["Location"] == reverse("admin:payments_payment_change", args=[Payment.objects.get().pk])
    assert (state_of(invoice), money_of(customer)) == ([("paid", 150_000)], (50_000, 0))
    page = client.get(done["Location"]).content.decode()
    assert "Kept as balance: IDR 50,000" in page
    assert drawer_amount(cashier.pk) == 200_000


@pytest.mark.parametrize("amount", ["0", "-5", "NaN", "1e309", "10.5", "9999999999999999", "", "lots"])
def test_amounts_that_are_none_stay_in_the_form(login: Login, cashier: User, customer: Customer, amount: str) -> None:
    url = reverse("admin:payments_take_cash", args=[customer.pk])
    answer = login(cashier).post(url, {"amount": amount, "purpose": "debts", "confirmed": "1"})
    assert (answer.status_code, list(answer.context["form"].errors), Payment.objects.count()) == (422, ["amount"], 0)


def test_a_stranger_takes_no_cash(login: Login, customer: Customer) -> None:
    stranger = person("far", Role.OPERATOR, make_location("Pos 2"))
    assert login(stranger).get(reverse("admin:payments_take_cash", args=[customer.pk])).status_code == 404


def test_the_customers_page_offers_it(login: Login, cashier: User, customer: Customer) -> None:
    make_invoice(customer, 150_000)
    page = login(cashier).get(reverse("admin:customers_customer_change", args=[customer.pk])).content.decode()
    assert reverse("admin:payments_take_cash", args=[customer.pk]) in page
    assert "Owes IDR 150,000" in page


def test_money_is_given_back_from_the_payments_page(login: Login, admin: User, customer: Customer) -> None:
    client = login(admin)
    take = reverse("admin:payments_take_cash", args=[customer.pk])
    client.post(take, {"amount": "100", "purpose": "balance", "confirmed": "1", "request_key": "k1"})
    url = reverse("admin:payments_payment_refund", args=[Payment.objects.get().pk])
    assert client.post(url, {"amount": "101", "reason": "moved", "request_key": "r1"}).status_code == 422
    for _press in range(2):
        assert client.post(url, {"amount": "60", "reason": "moved", "request_key": "r1"}).status_code == 302
    assert (Refund.objects.count(), drawer_amount(admin.pk), money_of(customer)) == (1, 40, (40, 0))


def test_a_shift_on_ones_own_page(login: Login, cashier: User, admin: User) -> None:
    client, url = login(cashier), reverse("admin:my_cash")
    assert client.get(url).status_code == 200
    assert client.post(url, {"do": "open", "counted": "-1", "from_owner": ""}).status_code == 422
    client.post(url, {"do": "open", "counted": "100000", "from_owner": "100000"})
    client.post(
        url, {"do": "hand_over", "amount": "30000", "to_user": str(admin.pk), "to_bank": "", "request_key": "h1"}
    )
    client.post(url, {"do": "count", "counted": "69000", "note": ""})
    client.post(url, {"do": "hand_over", "amount": "69000", "to_user": "", "to_bank": "bca_01", "request_key": "h2"})
    shift = CashShift.objects.get()
    assert (shift.status, int(shift.difference)) == ("handed_over", -1000)  # type: ignore[call-overload]
    assert (drawer_amount(cashier.pk), drawer_amount(admin.pk)) == (0, 30_000)
    page = client.get(reverse("admin:billing_cashshift_change", args=[shift.pk])).content.decode()
    assert "IDR 1,000 missing" in page


def test_an_expense_and_its_way_back(login: Login, admin: User) -> None:
    ExpenseCategory.objects.create(code="fuel", name="Fuel")
    client, add = login(admin), reverse("admin:billing_expense_add")
    assert client.get(add).status_code == 200
    form = {
        "category": str(ExpenseCategory.objects.get().pk), "amount": "25000", "spent_on": "2026-11-20", "source": "bank",
        "bank": "bca", "location": "", "note": "", "request_key": "e1",
    }  # fmt: skip
    assert client.post(add, {**form, "source": "drawer"}).status_code == 200, "the drawer is empty"
    for _press in range(2):
        answer = client.post(add, form)
        assert answer.status_code == 302, answer.context["adminform"].form.errors
    expense = Expense.objects.get()
    assert (expense.paid_from, expense.amount) == ("bank:bca", 25_000)
    client.post(reverse("admin:billing_expense_reverse", args=[expense.pk]), {"reason": "typed twice"})
    expense.refresh_from_db()
    assert expense.reversed_at is not None


def test_a_large_correction_waits_for_somebody_else(login: Login, admin: User, customer: Customer) -> None:
    client = login(admin)
    url = reverse("admin:billing_adjust", args=[customer.pk])
    client.post(url, {"amount": "600000", "reason": "outage", "request_key": "a1"})
    row = Adjustment.objects.get()
    approve = reverse("admin:billing_adjustment_approve", args=[row.pk])
    client.post(approve)
    assert (Adjustment.objects.get().status, money_of(customer)) == ("waiting", (0, 0))
    login(person("ben", Role.ADMIN)).post(approve)
    assert (Adjustment.objects.get().status, money_of(customer)) == ("posted", (600_000, 0))


# --- agents ---------------------------------------------------------------------------------------------------------


def test_an_agent_from_the_first_day_to_a_sale(login: Login, admin: User, place: Location) -> None:
    boss = user_create(username="root", password=PASSWORD, role=Role.SUPER_ADMIN, actor=None)
    batch = make_batch(make_plan("Harian", place), place, quantity=5)
    client = login(boss)
    form = {"username": "warung", "password": PASSWORD, "name": "Bu Tini", "phone": "", "location": "",
            "commission_percent": "10", "credit_limit": "0"}  # fmt: skip
    assert client.post(reverse("admin:billing_agent_add"), form).status_code == 302
    agent = Agent.objects.get()
    stock = reverse("admin:agent_stock", args=[agent.pk])
    client.post(stock, {"do": "issue", "batch": str(batch.pk), "quantity": "3"})
    client.post(stock, {"do": "return", "batch": str(batch.pk), "quantity": "1"})
    client.post(reverse("admin:billing_agent_deposit", args=[agent.pk]), {"amount": "9000", "request_key": "d1"})
    his = login(agent.user)
    mine = list(Voucher.objects.filter(agent=agent).order_by("pk"))
    assert len(mine) == 2
    assert his.get(reverse("admin:my_stock")).status_code == 200
    page = his.get(reverse("admin:vouchers_voucher_changelist")).content.decode()
    others = Voucher.objects.filter(agent=None).values_list("code", flat=True)
    assert all(voucher.code in page for voucher in mine)
    assert not any(code in page for code in others)
    his.post(reverse("admin:vouchers_voucher_sell", args=[mine[0].pk]), {"amount": "5000", "request_key": "s1"})
    agent.refresh_from_db()
    assert agent.balance == 4_500
    shown = his.get(reverse("admin:vouchers_voucher_change", args=[mine[1].pk])).content.decode()
    assert place.name not in shown.split("On the routers")[-1] or "On the routers" not in shown
    for name in ("billing_agent_changelist", "payments_payment_changelist", "locations_location_changelist", "my_cash"):
        assert his.get(reverse(f"admin:{name}")).status_code == 403, name


def test_a_code_used_before_it_was_sold_stands_on_the_agents_page(login: Login, admin: User, place: Location) -> None:
    agent = Agent.objects.create(user=person("warung", Role.AGENT), name="Bu Tini")
    batch = make_batch(make_plan("Harian", place), place, quantity=2)
    stock_issue(batch, agent, quantity=2, now=clock.now(), actor=admin)
    mine = list(Voucher.objects.filter(agent=agent).order_by("pk"))
    vouchers_activate([(AccessAccount.objects.get(name=mine[0].code).pk, clock.now())])
    his = login(agent.user)
    page = his.get(reverse("admin:my_stock")).content.decode()
    assert "Owes IDR 5,000, IDR 5,000 more than agreed; no more sales until a deposit is paid" in page
    assert f"{mine[0].code} (used before it was sold)" in page
    used, fresh = (reverse("admin:vouchers_voucher_sell", args=[row.pk]) for row in mine)
    assert his.get(used).status_code == 302, "there is nothing to sell any more"
    refused = his.post(fresh, {"amount": "5000", "request_key": "s1"})
    assert (refused.status_code, "Pay a deposit first. Nothing was sold." in refused.content.decode()) == (422, True)
    shown = his.get(reverse("admin:vouchers_voucher_change", args=[mine[0].pk])).content.decode()
    assert "Used before it was sold: IDR 5,000 taken off the agent" in shown


def test_staff_charge_or_record_an_older_use(login: Login, admin: User, place: Location) -> None:
    agent = Agent.objects.create(user=person("warung", Role.AGENT), name="Bu Tini")
    batch = make_batch(make_plan("Harian", place), place, quantity=2)
    stock_issue(batch, agent, quantity=1, now=clock.now(), actor=admin)
    his, ours = Voucher.objects.get(agent=agent), Voucher.objects.get(agent=None)
    Voucher.objects.update(status="active", used_at=clock.now())
    client = login(admin)
    asked = [client.get(reverse("admin:vouchers_voucher_sell", args=[row.pk])).content.decode() for row in (his, ours)]
    assert ("before Bu Tini sold it" in asked[0], "Charge the agent" in asked[0]) == (True, True)
    assert "no sale was recorded" in asked[1]
    for number, row in enumerate((his, ours)):
        form = {"amount": "4000", "request_key": f"k{number}"}
        assert client.post(reverse("admin:vouchers_voucher_sell", args=[row.pk]), form).status_code == 302
    agent.refresh_from_db()
    assert (agent.balance, drawer_amount(admin.pk)) == (-4_000, 4_000)


# --- REST -----------------------------------------------------------------------------------------------------------


def rest(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_cash_over_rest(cashier: User, admin: User, customer: Customer) -> None:
    invoice = make_invoice(customer, 100_000)
    client, headers = rest(cashier), {"HTTP_IDEMPOTENCY_KEY": "payment-0001"}
    body = {"customer": customer.pk, "amount": "120000", "invoice": invoice.pk}
    first, again = (client.post("/api/v1/payments/", body, format="json", **headers) for _time in range(2))
    assert (first.status_code, first.json()["settled"], again.json()["id"]) == (
        201, [{"invoice": invoice.pk, "number": invoice.number, "amount": "100000.00"}], first.json()["id"],
    )  # fmt: skip
    pk = first.json()["id"]
    refused = client.post(f"/api/v1/payments/{pk}/refund/", {"amount": "1", "reason": "x"}, format="json", **headers)
    assert refused.status_code == 403
    bad = client.post("/api/v1/payments/", body | {"amount": "0"}, format="json", HTTP_IDEMPOTENCY_KEY="payment-0002")
    assert (bad.status_code, list(bad.json()["fields"])) == (400, ["amount"])
    listed = client.get("/api/v1/payments/", {"customer": customer.pk}).json()["results"]
    assert [row["id"] for row in listed] == [pk]
    stranger = rest(person("far", Role.OPERATOR, make_location("Pos 2")))
    assert stranger.get(f"/api/v1/payments/{pk}/").status_code == 404
    key = {"HTTP_IDEMPOTENCY_KEY": "payment-0003"}
    unseen = stranger.post("/api/v1/payments/", body, format="json", **key)
    assert (unseen.status_code, sorted(unseen.json()["fields"])) == (400, ["customer", "invoice"])
    assert [row["name"] for row in client.get("/api/v1/payment-methods/").json()["results"]] == ["Cash"]
    assert (Payment.objects.count(), state_of(invoice), drawer_amount(cashier.pk)) == (1, [("paid", 100_000)], 120_000)


def test_shifts_and_agents_over_rest(cashier: User, admin: User) -> None:
    client = rest(cashier)
    shift = client.post("/api/v1/cash-shifts/", {"counted": "5000", "from_owner": "5000"}, format="json").json()
    counted = client.post(f"/api/v1/cash-shifts/{shift['id']}/count/", {"counted": "5000"}, format="json").json()
    assert (counted["status"], counted["expected_amount"]) == ("counted", "5000.00")
    url = f"/api/v1/cash-shifts/{shift['id']}/hand-over/"
    assert client.post(url, {"amount": "5000", "to_user": cashier.pk}, format="json").status_code == 400
    assert client.post(url, {"amount": "5000", "to_user": admin.pk}, format="json").json()["status"] == "handed_over"
    user = person("warung", Role.AGENT)
    agent = Agent.objects.create(user=user, name="Bu Tini")
    key = {"HTTP_IDEMPOTENCY_KEY": "deposit-0001"}
    boss = rest(admin)
    for _time in range(2):
        answer = boss.post(f"/api/v1/agents/{agent.pk}/deposit/", {"amount": "700"}, format="json", **key)
    assert answer.json()["balance"] == "700.00"
    assert rest(user).get("/api/v1/agent/").json()["balance"] == "700.00"
    assert rest(user).get("/api/v1/agents/").status_code == 403
    assert client.get("/api/v1/agent/").status_code == 403
