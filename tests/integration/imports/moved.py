"""A router with Mikhmon's things and the person who takes it over, for tests."""

from __future__ import annotations

from datetime import date, timedelta

from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync, user_create
from billing.models import Plan, PlanLocation, Subscription
from core import clock
from customers.models import Customer
from imports.choices import RouterImportStatus
from imports.models import ImportedSale, RouterImport
from imports.services import (
    router_import_apply,
    router_import_choose,
    router_import_start,
    router_import_work,
)
from locations.emulator.router import EmulatedRouter
from locations.models import AccessAccount, Location, RouterProfile
from tests.integration.imports.mikhmon import pictures, seed
from tests.routers import location_of
from vouchers.models import Voucher, VoucherBatch

DAY = timedelta(days=1)


class Moved:
    """A router with Mikhmon's things, its location and the person who takes it over."""

    def __init__(self, router: EmulatedRouter, version: str) -> None:
        roles_sync()
        self.router = router
        self.now = clock.now().replace(microsecond=0)
        self.running, self.over, self.sold = self.now + timedelta(hours=5), self.now - DAY, self.now - 40 * DAY
        router.set_clock(time_zone="Asia/Jakarta")
        seed(router, version, self.now, running=self.running, over=self.over, sold=self.sold)
        router.hotspot_login("run01", "run01", "02:00:00:00:00:01")
        router.advance(600)
        router.hotspot_logout("02:00:00:00:00:01")
        self.location: Location = location_of(router)
        self.boss: User = user_create(actor=None, username="boss", password="a-long-test-password-7", role=Role.ADMIN)
        self.before = pictures(router)
        self.writes = router.write_count()

    def run(self, key: str = "k") -> RouterImport:
        run = router_import_start(location=self.location, actor=self.boss, request_key=key)
        return self.work(run)

    def work(self, run: RouterImport) -> RouterImport:
        router_import_work(run.pk)
        run.refresh_from_db()
        return run

    def applied(self) -> RouterImport:
        run = self.run()
        router_import_choose(run, billed_from=self.today() + 10 * DAY, actor=self.boss)
        self.work(run)
        router_import_apply(run, actor=self.boss)
        self.work(run)
        assert (run.status, run.error) == (RouterImportStatus.APPLIED, "")
        return run

    def today(self) -> date:
        return clock.local_date(self.location.timezone, self.now)

    def is_untouched(self) -> bool:
        return pictures(self.router) == self.before and self.router.write_count() == self.writes


MADE = (AccessAccount, RouterProfile, Voucher, VoucherBatch, Subscription, Customer, PlanLocation, Plan, ImportedSale)


def made() -> list[str]:
    """The tables that have rows."""
    return [model.__name__ for model in MADE if model._default_manager.exists()]
