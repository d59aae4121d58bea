"""Three years of a provider: random terms, payments, refunds, pauses, plan changes and router outages, day by day.

On every day the ledger balances; at every month's end each customer's balance is, to the rupiah, what a reference model
says that knows only days (and what tax and coupons add to bills that nothing cuts). Nobody who owes nothing is isolated,
and nobody isolated is online: the routers are asked.
The seed is fixed. `SOAK_SUBSCRIPTIONS` and `SOAK_MONTHS` say how much (a small run is part of `bin/test --all`).
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from billing.choices import BillingMode, DiscountKind, FirstBill, PeriodMode, RunStatus, SubscriptionStatus, TaxMode
from billing.ledger.checking import ledger_check
from billing.models import Coupon, Invoice, Plan, Subscription, TaxRate
from billing.services.engine.nights import night_order, run_do
from billing.services.subscriptions import subscription_activate, subscription_create
from billing.services.subscriptions_extras import addon_add, coupon_use
from billing.services.subscriptions_pausing import subscription_pause, subscription_resume
from billing.services.subscriptions_plans import subscription_change_plan
from billing.services.subscriptions_promises import promise_to_pay
from billing.words import line_words
from core.settings_registry import setting
from customers.models import Customer
from customers.services import customer_create
from locations.choices import IsolationMethod
from locations.emulator import PppRefused
from locations.emulator.router import EmulatedRouter
from locations.models import AccessAccount, Location
from locations.selectors import NOT_SYNCED
from locations.sync.queue import has_work
from locations.sync.writer import location_run
from payments.models import Payment
from payments.services import payment_receive_cash, payment_refund
from tests.integration.vouchers.world import make_plan, make_user
from tests.routers import Clock, emulated, location_of, on_router
from tests.soak.billing_model import Coupon as CouponModel
from tests.soak.billing_model import Service

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]
SUBSCRIPTIONS = int(os.environ.get("SOAK_SUBSCRIPTIONS", "24"))
MONTHS = int(os.environ.get("SOAK_MONTHS", "36"))
FIRST = date(2026, 11, 20)
METHODS = (IsolationMethod.PROFILE, IsolationMethod.DISABLE)
SLOW = "64000/64000"  # as the router prints 64k/64k, the location's speed for the isolated
PRICES = (100_000, 150_000, 199_999)
ZONE_HOUR = timedelta(hours=7)  # Asia/Jakarta
RATES = {FIRST: 11, FIRST + timedelta(days=500): 12}  # PPN, by the day of the bill
COUPONS = {"LIMA": CouponModel(15, 0, 2), "POTONG": CouponModel(0, 25_000, 3), "GRATIS": CouponModel(100, 0, 1)}
TERMS = {"months": (1, 1, 2, 3), "mode": (BillingMode.PREPAID, BillingMode.PREPAID, BillingMode.POSTPAID)}


class Provider:
    """The simulated business, and beside it the reference model's memory of the same events."""

    def __init__(self, routers: list[EmulatedRouter], seed: int):
        self.random = random.Random(seed)
        self.routers = routers
        self.clock = Clock(at_hour(FIRST, 3))
        self.places = [
            location_of(router, f"Pos {n}", isolation_method=method)
            for n, (router, method) in enumerate(zip(routers, METHODS, strict=True), 1)
        ]
        self.cashier = make_user("kasir", "super_admin")
        self.plans = [
            make_plan(f"Paket {price}", *self.places, type="pppoe", price_sell=price, duration_seconds=None,
                      rate_limit=f"{n}M/{n}M")
            for n, price in enumerate(PRICES, 1)
        ]  # fmt: skip
        self.lead = int(setting("billing.lead_days"))
        self.services: dict[int, Service] = {}
        self.paid: dict[int, int] = {}
        self.paused_on: dict[int, date] = {}
        self.is_down = [False] * len(routers)
        TaxRate.objects.bulk_create(TaxRate(valid_from=day, percent=rate) for day, rate in RATES.items())
        Coupon.objects.bulk_create(
            Coupon(
                code=code, kind=DiscountKind.PERCENT if one.percent else DiscountKind.AMOUNT,
                value=one.percent or one.amount, bills=one.bills,
            )
            for code, one in COUPONS.items()
        )  # fmt: skip
        self.deeds = [*[self.pay] * 6, *[self.pay_partly, self.pause, self.change, self.promise] * 2]
        self.deeds += [self.addon, self.coupon, self.refund]
        self.payments = self.refunds = self.seen_online = 0

    @property
    def today(self) -> date:
        return (self.clock.at + ZONE_HOUR).date()

    def sign_up(self) -> None:
        place, plan = self.random.choice(self.places), self.random.choice(self.plans)
        customer = customer_create(
            actor=None, name=f"Pelanggan {len(self.services) + 1}", location=place, now=self.clock.at
        )
        is_fixed, is_steady = self.random.random() < 0.4, self.random.random() < 0.25
        anchor = self.random.choice([1, 5, 28, 31]) if is_fixed else self.today.day
        months, mode = self.random.choice(TERMS["months"]), self.random.choice(TERMS["mode"])
        first = self.random.choice([FirstBill.SEPARATE, FirstBill.MERGED])
        tax = self.random.choice([TaxMode.NONE, TaxMode.EXCLUSIVE if is_steady else TaxMode.INCLUSIVE])
        row = subscription_create(
            customer=customer, plan=plan, location=place, actor=None, now=self.clock.at, grace_days=3,
            billing_mode=mode, fixed_day=anchor if is_fixed else 1, period_months=months, first_bill=first, tax_mode=tax,
            period_mode=PeriodMode.FIXED_DAY if is_fixed else PeriodMode.ROLLING,
        )  # fmt: skip
        model = Service(
            anchor, int(plan.price_sell), self.today, int(months), mode == BillingMode.POSTPAID,
            is_fixed and first == FirstBill.MERGED, is_steady, rate_on if tax == TaxMode.EXCLUSIVE else lambda _day: 0,
        )  # fmt: skip
        self.services[row.pk] = model
        self.paid[row.pk] = 0
        if is_steady:
            self.coupon(row)
        subscription_activate(row, actor=None, now=self.clock.at)
        model.bill(self.today, self.lead)

    def day(self, number: int) -> None:
        self.clock.at = at_hour(FIRST + timedelta(days=number), 3)
        with time_machine.travel(self.clock.at, tick=False):
            self.night()
            for _n in range(min(-(-SUBSCRIPTIONS // 60), SUBSCRIPTIONS - len(self.services))):
                self.sign_up()
            # a customer does something about once a month; the few of a small run are asked more often
            count = min(len(self.services), max(2, len(self.services) // 30))
            for pk in self.random.sample(sorted(self.services), k=count):
                self.random.choice(self.deeds)(Subscription.objects.select_related("customer", "plan").get(pk=pk))
            self.outages()
            self.work()

    def night(self) -> None:
        for pk, service in self.services.items():
            if pk not in self.paused_on:
                service.bill(self.today, self.lead)
        for place in self.places:
            run = run_do(night_order(place, self.today)[0].pk, now=self.clock.at)
            assert run.status == RunStatus.DONE, run.error

    # -- what people do ------------------------------------------------------------------------------------------

    def receive(self, row: Subscription, amount: int) -> None:
        self.payments += 1
        payment_receive_cash(
            customer=row.customer,
            amount=amount,
            actor=self.cashier,
            request_key=f"soak-{self.payments}",
            now=self.clock.at,
        )
        self.paid[row.pk] += amount

    def pay(self, row: Subscription) -> None:
        debt = int(row.customer.debt)
        if debt:
            self.receive(row, debt + self.random.choice([0, 0, 0, 50_000]))

    def pay_partly(self, row: Subscription) -> None:
        self.receive(row, self.random.randint(1, 120_000))

    def refund(self, row: Subscription) -> None:
        last = Payment.objects.filter(customer=row.customer, refunds=None).order_by("-pk").first()
        if last is None:
            return
        amount = self.random.randint(1, int(last.amount))
        payment_refund(
            last, amount=amount, reason="moved", request_key=f"back-{last.pk}", now=self.clock.at, actor=self.cashier
        )
        self.paid[row.pk] -= amount
        self.refunds += 1

    def addon(self, row: Subscription) -> None:
        model = self.services[row.pk]
        if model.addon or row.pk in self.paused_on:
            return
        model.addon, model.addon_from = self.random.choice([15_000, 33_333]), model.billed_until
        addon_add(row, name="IP publik", amount=model.addon, actor=None, now=self.clock.at)

    def coupon(self, row: Subscription) -> None:
        """One of those it has not had; bills that a coupon is on are never cut."""
        model = self.services[row.pk]
        if model.is_steady and len(model.coupons) < len(COUPONS):
            code, one = list(COUPONS.items())[len(model.coupons)]
            model.coupons.append(replace(one))
            coupon_use(row, code=code, actor=None, now=self.clock.at)

    def pause(self, row: Subscription) -> None:
        if self.services[row.pk].is_steady:
            return
        if row.pk in self.paused_on:
            since = self.paused_on.pop(row.pk)
            subscription_resume(row, actor=None, now=self.clock.at)
            self.services[row.pk].resume(since, self.today, self.lead)
        elif row.status in {SubscriptionStatus.ACTIVE, SubscriptionStatus.GRACE}:
            subscription_pause(row, actor=None, now=self.clock.at)
            self.services[row.pk].bill_used(self.today)
            self.paused_on[row.pk] = self.today

    def change(self, row: Subscription) -> None:
        plan: Plan = self.random.choice(self.plans)
        if row.pk in self.paused_on or plan.pk == row.plan_id or self.services[row.pk].is_steady:
            return
        subscription_change_plan(row, plan=plan, is_at_once=True, actor=None, now=self.clock.at)
        self.services[row.pk].change_price(int(plan.price_sell), self.today)

    def promise(self, row: Subscription) -> None:
        if row.status == SubscriptionStatus.ISOLATED:
            promise_to_pay(row, until_on=self.today + timedelta(days=4), actor=None, now=self.clock.at)

    # -- routers -------------------------------------------------------------------------------------------------

    def outages(self) -> None:
        for number, router in enumerate(self.routers):
            if self.is_down[number] and self.random.random() < 0.5:
                router.clear_fault()
                self.is_down[number] = False
            elif self.random.random() < 0.05:
                router.set_fault("down")
                self.is_down[number] = True

    def work(self) -> None:
        for place in self.places:
            while has_work(place.pk) and location_run(place.pk, is_forced=True, now=self.clock).more:
                pass

    def dial(self) -> None:
        """Every customer's router that can, comes online with the password it has."""
        for row in Subscription.objects.select_related("account").order_by("pk"):
            number = self.places.index(row.location)
            if self.is_down[number] or row.account is None:
                continue
            try:
                caller = f"02:00:00:00:{row.pk // 256:02X}:{row.pk % 256:02X}"
                self.routers[number].ppp_connect(row.username, row.account.secret, caller)
            except PppRefused:
                continue

    # -- what must be true -----------------------------------------------------------------------------------------

    def check_day(self) -> None:
        assert ledger_check().findings == {}
        wrong = Subscription.objects.filter(status=SubscriptionStatus.ISOLATED, customer__debt=0)
        assert list(wrong.values_list("username", flat=True)) == []

    def check_money(self) -> None:
        rows = Subscription.objects.select_related("customer").order_by("pk")
        said = {row.pk: row.customer.balance - row.customer.debt for row in rows}
        wanted = {pk: Decimal(self.paid[pk] - service.total) for pk, service in self.services.items()}
        assert said == wanted, self.today

    def check_routers(self) -> None:
        """Nobody isolated is online at his speed, nobody paid is held back: the routers say so, where they can be reached.

        The first location isolates by a slow profile, the second switches the login off.
        """
        for place, router, is_down in zip(self.places, self.routers, self.is_down, strict=True):
            if is_down:
                continue
            assert not AccessAccount.objects.filter(NOT_SYNCED, location=place).exists()
            profiles = {row["name"]: row for row in on_router(router, "/ppp/secret")}
            online = {row["name"] for row in on_router(router, "/ppp/active")}
            queues = {row["name"]: row["max-limit"] for row in on_router(router, "/queue/simple")}
            self.seen_online += len(online)
            for row in Subscription.objects.filter(location=place).select_related("plan"):
                secret = profiles[row.username]
                is_isolated = row.status == SubscriptionStatus.ISOLATED
                is_off = row.status == SubscriptionStatus.PAUSED or (is_isolated and place == self.places[1])
                facts = (self.today, row.username, row.status, secret, queues.get(f"<pppoe-{row.username}>"))
                assert secret["disabled"] is is_off, facts
                assert secret["profile"].startswith("mb-isolated") == (is_isolated and not is_off), facts
                assert not (is_off and row.username in online), facts
                if row.username in online:
                    assert (queues[f"<pppoe-{row.username}>"] == SLOW) == is_isolated, facts

    def check_words(self) -> None:
        """Every line of every bill is explained."""
        for invoice in Invoice.objects.prefetch_related("lines"):
            for line in invoice.lines.all():
                assert line_words(line), (invoice.number, line.kind, line.details)


def rate_on(day: date) -> int:
    return max((since, rate) for since, rate in RATES.items() if since <= day)[1]


def at_hour(day: date, hour: int) -> datetime:
    """That hour of the morning in Jakarta."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC) - ZONE_HOUR


@pytest.fixture
def provider() -> Iterator[Provider]:
    with ExitStack() as stack:
        routers = [stack.enter_context(emulated(version=version)) for version in ("6.49.10", "7.16.1")]
        yield Provider(routers, seed=20261125)


def test_three_years_are_right_to_the_rupiah(provider: Provider) -> None:
    days = MONTHS * 365 // 12
    for number in range(days):
        provider.day(number)
        with time_machine.travel(provider.clock.at, tick=False):
            provider.check_day()
            if number % 30 == 29:
                provider.check_money()
            if number % 10 == 9:
                provider.work()
                provider.check_routers()
                provider.dial()
                provider.check_routers()
    provider.check_money()
    provider.check_words()
    assert provider.refunds > 5
    assert provider.seen_online > 100  # otherwise nobody was there to be looked at
    assert len(provider.services) == SUBSCRIPTIONS
    assert Customer.objects.count() == SUBSCRIPTIONS
    assert Location.objects.count() == 2
