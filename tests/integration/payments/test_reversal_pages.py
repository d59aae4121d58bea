"""Taking a payment back as people press it: the page that says what will happen, the queue of the second person, REST."""

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
from billing.models import Invoice
from billing.services.drawers import drawer_amount
from core import clock
from core.settings_registry import setting_change
from customers.models import Customer
from locations.models import Location, LocationUser
from payments.models import Payment, Reversal
from payments.services import methods_seed, payment_receive_cash
from tests.integration.billing.money import make_invoice, money_of, state_of
from tests.integration.vouchers.world import make_location

pytestmark = pytest.mark.django_db(transaction=True)
Login = Callable[[User], Client]


@pytest.fixture(autouse=True)
def ledger_is_right() -> Iterator[None]:
    roles_sync()
    methods_seed()
    setting_change("billing.adjustment_limit", "100000")
    yield
    assert ledger_check().findings == {}


@pytest.fixture
def place() -> Location:
    return make_location()


@pytest.fixture
def customer(place: Location) -> Customer:
    return Customer.objects.create(number="C1", name="Bu Sri", location=place)


def person(name: str, role: str, *places: Location) -> User:
    user = user_create(username=name, password="correct horse 7 battery", role=role, language="en", actor=None)
    LocationUser.objects.bulk_create(LocationUser(location=place, user=user) for place in places)
    return user


@pytest.fixture
def cashier(place: Location) -> User:
    return person("siti", Role.OPERATOR, place)


@pytest.fixture
def admin() -> User:
    return person("ani", Role.ADMIN)


@pytest.fixture
def second() -> User:
    return person("budi", Role.ADMIN)


@pytest.fixture
def login() -> Login:
    def as_user(user: User) -> Client:
        client = Client(HTTP_ACCEPT_LANGUAGE="en")
        client.force_login(user)
        return client

    return as_user


@pytest.fixture
def invoice(customer: Customer, place: Location) -> Invoice:
    return make_invoice(customer, 60_000, location=place)


def paid(customer: Customer, amount: int, cashier: User) -> Payment:
    return payment_receive_cash(customer=customer, amount=amount, request_key="k1", now=clock.now(), actor=cashier)


def test_the_page_says_what_will_happen_and_then_it_happens(
    login: Login, admin: User, cashier: User, customer: Customer, invoice: Invoice
) -> None:
    payment, client = paid(customer, 80_000, cashier), login(admin)
    page = reverse("admin:payments_payment_change", args=[payment.pk])
    url = reverse("admin:payments_payment_reverse", args=[payment.pk])
    assert url in client.get(page).content.decode()
    asked = client.get(url)
    assert list(asked.context["asked"].points) == [
        f"IDR 60,000 of invoice {invoice.number} is owed again; IDR 60,000 of it is open then",
        "services follow the due dates of these bills at once: what is overdue is held back",
        "The customer then: Owes IDR 60,000",
        "IDR 80,000 leaves Cash drawer of siti, where it was booked",
    ]
    assert all(point in asked.content.decode() for point in asked.context["asked"].points)
    empty = client.post(url, {"reason": " ", "request_key": "b1"})
    assert (empty.status_code, list(empty.context["form"].errors), Reversal.objects.count()) == (422, ["reason"], 0)
    assert client.post(url, {"reason": "entered twice", "request_key": "b1"})["Location"] == page
    shown = client.get(page).content.decode()
    for text in ("Taken back", "NOT VALID: taken back", "entered twice", "Taking IDR 80,000 back"):
        assert text in shown, text
    assert url not in shown
    assert reverse("admin:payments_payment_refund", args=[payment.pk]) not in shown
    assert (state_of(invoice), money_of(customer), drawer_amount(cashier.pk)) == ([("open", 0)], (0, 60_000), 0)
    listed = client.get(reverse("admin:payments_payment_changelist") + "?status__exact=reversed").content.decode()
    assert payment.reference in listed
    public = Client().get(reverse("portal:pay", args=[invoice.token]), HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "IDR 60,000 to pay" in public
    assert "entered twice" not in public


def test_a_large_one_waits_for_somebody_else(
    login: Login, admin: User, second: User, cashier: User, customer: Customer, invoice: Invoice
) -> None:
    payment, client = paid(customer, 150_000, cashier), login(admin)
    url = reverse("admin:payments_payment_reverse", args=[payment.pk])
    assert "above IDR 100,000 a second person has to approve it" in client.get(url).content.decode()
    client.post(url, {"reason": "wrong customer", "request_key": "b1"})
    waiting = Reversal.objects.get()
    row, approve = (
        reverse(f"admin:payments_reversal_{name}", args=[waiting.pk]) for name in ("change", "approve")
    )  # fmt: skip
    assert (waiting.status, money_of(customer), state_of(invoice)) == ("waiting", (90_000, 0), [("paid", 60_000)])
    assert "waits for a second person" in client.get(
        reverse("admin:payments_payment_change", args=[payment.pk])
    ).content.decode()  # fmt: skip
    assert approve not in client.get(row).content.decode(), "not offered to the one who asked"
    client.post(approve, {})
    assert money_of(customer) == (90_000, 0)
    other = login(second)
    question = other.get(approve)
    assert f"IDR 60,000 of invoice {invoice.number} is owed again; IDR 60,000 of it is open then" in list(
        question.context["asked"].points
    )
    other.post(approve, {})
    waiting.refresh_from_db()
    assert (waiting.status, waiting.decided_by, money_of(customer)) == ("posted", second, (0, 60_000))
    assert drawer_amount(cashier.pk) == 0


def test_who_may_not(login: Login, admin: User, cashier: User, customer: Customer, place: Location) -> None:
    payment = paid(customer, 150_000, cashier)
    url = reverse("admin:payments_payment_reverse", args=[payment.pk])
    stranger, agent = person("far", Role.OPERATOR, make_location("Pos 2")), person("warung", Role.AGENT)
    form = {"reason": "x", "request_key": "b1"}
    assert Client().post(url, form)["Location"].startswith("/admin/login/")
    assert [login(who).post(url, form).status_code for who in (cashier, stranger, agent)] == [403, 404, 404]
    login(admin).post(url, form)
    waiting = Reversal.objects.get()
    for name in ("approve", "reject"):
        decide = reverse(f"admin:payments_reversal_{name}", args=[waiting.pk])
        assert Client().post(decide, {})["Location"].startswith("/admin/login/")
        assert [login(who).post(decide, {}).status_code for who in (cashier, stranger, agent)] == [403, 404, 404]
    listing = reverse("admin:payments_reversal_changelist")
    assert [login(who).get(listing).status_code for who in (cashier, stranger, agent)] == [403, 403, 403]
    waiting.refresh_from_db()
    payment.refresh_from_db()
    assert (waiting.status, payment.status, money_of(customer)) == ("waiting", "confirmed", (150_000, 0))


def rest(user: User | None) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_over_rest(admin: User, second: User, cashier: User, customer: Customer, invoice: Invoice) -> None:
    payment, client = paid(customer, 150_000, cashier), rest(admin)
    path = f"/api/v1/payments/{payment.pk}"
    preview = client.get(f"{path}/reverse-preview/").json()
    owed = [{"invoice": invoice.pk, "number": invoice.number, "amount": "60000.00"}]
    assert preview == {
        "amount": "150000.00", "refunded": "0.00", "of_balance": "90000.00", "owed_again": owed, "missing": "0.00",
        "account": f"cash:{cashier.pk}", "money_at": "account", "needs_second_person": True,
    }  # fmt: skip
    key = {"HTTP_IDEMPOTENCY_KEY": "reversal-0001"}
    missing = client.post(f"{path}/reverse/", {}, format="json", **key)
    assert (missing.status_code, list(missing.json()["fields"])) == (400, ["reason"])
    first, again = (
        client.post(f"{path}/reverse/", {"reason": "wrong customer"}, format="json", **key) for _time in range(2)
    )
    assert (first.status_code, first.json()["status"], first.json()["owed_again"]) == (201, "waiting", [])
    assert (again.status_code, again.json()) == (201, first.json())
    approve = f"/api/v1/payment-reversals/{first.json()['id']}/approve/"
    refused = client.post(approve, {}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "reversal.same_person")
    done = rest(second).post(approve, {}, format="json").json()
    assert (done["status"], done["decided_by"], done["owed_again"]) == ("posted", second.pk, owed)
    twice = client.post(f"{path}/reverse/", {"reason": "x"}, format="json", HTTP_IDEMPOTENCY_KEY="reversal-0002")
    assert (twice.status_code, twice.json()["code"]) == (409, "payment.taken_back")
    assert client.get(f"{path}/reverse-preview/").status_code == 409
    shown = client.get(f"{path}/").json()
    assert (shown["status"], shown["refundable"], [row["id"] for row in shown["reversals"]]) == (
        "reversed", "0.00", [done["id"]],
    )  # fmt: skip
    listed = client.get("/api/v1/payment-reversals/", {"status": "posted", "payment": payment.pk}).json()["results"]
    assert [row["id"] for row in listed] == [done["id"]]
    assert (state_of(invoice), money_of(customer), drawer_amount(cashier.pk)) == ([("open", 0)], (0, 60_000), 0)


def test_who_may_not_over_rest(admin: User, cashier: User, customer: Customer) -> None:
    payment = paid(customer, 150_000, cashier)
    stranger, agent = person("far", Role.OPERATOR, make_location("Pos 2")), person("warung", Role.AGENT)
    callers = [rest(who) for who in (None, cashier, stranger, agent)]
    path, key = f"/api/v1/payments/{payment.pk}/", {"HTTP_IDEMPOTENCY_KEY": "reversal-0001"}
    answers = [client.post(f"{path}reverse/", {"reason": "x"}, format="json", **key).status_code for client in callers]
    assert answers == [401, 403, 403, 403]
    assert [client.get(f"{path}reverse-preview/").status_code for client in callers] == [401, 403, 403, 403]
    pk = rest(admin).post(f"{path}reverse/", {"reason": "x"}, format="json", **key).json()["id"]
    for command in ("approve/", "reject/"):
        url = f"/api/v1/payment-reversals/{pk}/{command}"
        assert [client.post(url, {}, format="json").status_code for client in callers] == [401, 403, 403, 403]
    assert (Reversal.objects.get().status, money_of(customer)) == ("waiting", (150_000, 0))
