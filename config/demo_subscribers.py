"""The subscribers' half of `demo_check`: new → billed → paid in cash → online; unpaid → isolated → paid → online."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from accounts.models import User
from billing.ledger.checking import ledger_check
from billing.models import Plan, Subscription
from billing.services.subscriptions import subscription_activate, subscription_create
from config.demo_customers import nights_run
from config.demo_steps import CheckFailed, Steps
from core import clock
from customers.models import Customer
from locations.emulator.errors import PppRefused
from locations.models import Location

DEVICE = "02:00:5E:20:00:0"
ISOLATED = "mb-isolated"
DAYS_UNPAID = 12


class SubscriberJob(Steps):
    """PPPoE subscribers at the first router."""

    def run(self) -> None:
        self.place = self.locations_online()[0]
        self.plan = next(row["id"] for row in self.get("plans/")["results"] if row["type"] == "pppoe")
        self.newcomer()
        self.late_payer()
        if findings := ledger_check().findings:
            raise CheckFailed(f"the ledger does not add up: {findings}")
        self.say("   0.00 s  the ledger adds up")

    def newcomer(self) -> None:
        password = secrets.token_hex(5)
        customer = self.make_customer()
        row = self.send(
            "POST", "subscriptions/",
            {"customer": customer, "plan": self.plan, "location": self.place, "password": password},
        )  # fmt: skip
        row = self.send("POST", f"subscriptions/{row['id']}/activate/", {})
        name = row["username"]
        bill = self.open_bill(customer)
        self.step("new subscriber: login on the router", lambda: self.profile_of(name), 60)
        self.pay(customer, bill)
        self.step("paid in cash: the bill says so", lambda: self.get(f"invoices/{bill['id']}/")["status"] == "paid", 30)
        self.step("subscriber dials and is online", lambda: self.dial(name, password, 1), 60)

    def late_payer(self) -> None:
        """One whose bill is twelve days old: made in the past by the services, because REST cannot travel in time."""
        customer, password = self.make_customer(), secrets.token_hex(5)
        then = clock.now() - timedelta(days=DAYS_UNPAID)
        row = self.subscribe_in_the_past(customer, password, then)
        self.step("second subscriber: login on the router", lambda: self.profile_of(row.username), 60)
        self.step("dials and is online", lambda: self.dial(row.username, password, 2), 60)
        nights_run([row.location], clock.now())
        wanted = self.get(f"subscriptions/{row.pk}/")["status"]
        if wanted != "isolated":
            raise CheckFailed(f"unpaid for {DAYS_UNPAID} days, and the screen says {wanted}")
        self.step("unpaid: isolated on the router", lambda: self.is_held(row.username), 60)
        self.step("screen says so, confirmed", lambda: self.is_confirmed(row.pk), 30)
        self.pay(customer, self.open_bill(customer))
        self.step("paid: open on the router again", lambda: not self.is_held(row.username), 60)
        self.step("dials again and is online at full speed", lambda: self.dial(row.username, password, 2), 60)
        self.step("screen says so, confirmed again", lambda: self.is_confirmed(row.pk), 30)

    # -- our side --------------------------------------------------------------------------------------------------

    def make_customer(self) -> int:
        name = f"Check {secrets.token_hex(4)}"
        return int(self.send("POST", "customers/", {"name": name, "location": self.place})["id"])

    def subscribe_in_the_past(self, customer: int, password: str, then: datetime) -> Subscription:
        boss = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        who = Customer.objects.get(pk=customer)
        draft = subscription_create(
            customer=who, plan=self._plan(), location=self._location(), password=password, actor=boss, now=then
        )
        return subscription_activate(draft, actor=boss, now=then)

    def _plan(self) -> Plan:
        return Plan.objects.get(pk=self.plan)

    def _location(self) -> Location:
        return Location.objects.get(pk=self.place)

    def open_bill(self, customer: int) -> Any:
        bills = self.get(f"invoices/?customer={customer}&status=open")["results"]
        if not bills:
            raise CheckFailed("there is no open bill")
        return bills[0]

    def pay(self, customer: int, bill: Any) -> None:
        owed = self.get(f"customers/{customer}/")["debt"]
        self.send("POST", "payments/", {"customer": customer, "invoice": bill["id"], "amount": owed})

    def is_confirmed(self, subscription: int) -> bool:
        login = self.get(f"subscriptions/{subscription}/")["login"]
        return bool(login["is_confirmed"])

    # -- the router's side -----------------------------------------------------------------------------------------

    def profile_of(self, name: str) -> str:
        rows = self.consoles[0].rows("/ppp/secret", name=name)
        return str(rows[0]["profile"]) if rows else ""

    def is_held(self, name: str) -> bool:
        return self.profile_of(name).startswith(ISOLATED)

    def dial(self, name: str, password: str, device: int) -> bool:
        """The subscriber's own router dials; True when the session is there and at the speed of the plan."""
        console = self.consoles[0]
        if not console.rows("/ppp/active", name=name):
            try:
                console.ppp_connect(name, password, f"{DEVICE}{device}")
            except PppRefused:
                return False
        return bool(console.rows("/ppp/active", name=name)) and not self.is_held(name)
