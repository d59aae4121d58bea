"""Fill the trial: two locations on the two emulated routers, plans, batches, and the first administrator.

Run again it changes nothing but the routers' ports. Reads `var/demo.json` (written by `bin/demo`) for where they are.
"""

from __future__ import annotations

import json
import os
import secrets
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts.choices import Role
from accounts.models import User
from accounts.services import user_create
from billing.choices import PlanType
from billing.models import Plan
from billing.services import plan_create, plan_publish
from config.demo_customers import customers_seed
from locations.models import Location
from locations.services import location_add, location_change
from vouchers.models import VoucherBatch
from vouchers.services import batch_create, batch_generate

PLACES = (
    ("Pos 1 – Balai Desa Sumberagung", Decimal("-7.889300"), Decimal("110.328100")),
    ("Pos 2 – Warung Kopi Pojok Alun-Alun", Decimal("-7.801400"), Decimal("110.364800")),
)
PLANS: tuple[dict[str, Any], ...] = (
    {"name": "Hotspot 3 Jam", "price_sell": 3000, "price_cost": 500, "duration_seconds": 3 * 3600, "rate_limit": "2M/4M"},
    {"name": "Hotspot 1 Hari", "price_sell": 5000, "price_cost": 1000, "duration_seconds": 86400, "rate_limit": "3M/6M"},
    {
        "name": "Hotspot 30 Hari, 2 perangkat", "price_sell": 50000, "price_cost": 12000,
        "duration_seconds": 30 * 86400, "rate_limit": "5M/10M", "shared_users": 2,
    },
    {
        "name": "Rumah 10 Mbps (PPPoE)", "type": PlanType.PPPOE, "price_sell": 150000, "price_cost": 60000,
        "rate_limit": "5M/10M", "grace_days": 5,
    },
    {
        "name": "Kantor 20 Mbps (IP statis)", "type": PlanType.STATIC, "price_sell": 350000, "price_cost": 120000,
        "rate_limit": "20M/20M",
    },
)  # fmt: skip


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("prepare")
        admin = self._administrator()
        locations = self._locations(admin)
        plans = self._plans(admin, locations)
        self._batches(admin, plans, locations)
        customers_seed(admin, plans, locations)

    def _administrator(self) -> User:
        """The first Super Admin, with a password of its own that only `var/` knows."""
        known = User.objects.filter(role=Role.SUPER_ADMIN).order_by("pk").first()
        if known is not None:
            return known
        password = secrets.token_urlsafe(12)
        admin = user_create(username="admin", password=password, role=Role.SUPER_ADMIN, actor=None)
        file = settings.VAR_DIR / "demo-admin-password"
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(password)
        return admin

    def _locations(self, admin: User) -> list[Location]:
        routers = json.loads((settings.VAR_DIR / "demo.json").read_text())["emulators"]
        password = os.environ.get("EMULATOR_PASSWORD", "")
        if not password:
            raise CommandError("EMULATOR_PASSWORD is not set; start the trial with bin/demo.")
        locations = []
        for (name, latitude, longitude), router in zip(PLACES, routers, strict=True):
            address = {"host": router["host"], "port": router["port"], "username": router["user"], "password": password}
            location = Location.objects.filter(name=name).first()
            if location is None:
                location = location_add(
                    actor=admin, name=name, latitude=latitude, longitude=longitude,
                    settings={"hotspot_dns": "wifi.lan"}, **address,
                )  # fmt: skip
            elif any(getattr(location, key) != value for key, value in address.items()):
                location = location_change(location, actor=admin, **address)
            locations.append(location)
        return locations

    def _plans(self, admin: User, locations: list[Location]) -> list[Plan]:
        plans = []
        for fields in PLANS:
            plan = Plan.objects.filter(name=fields["name"]).first()
            if plan is None:
                plan = plan_create(actor=admin, **fields)
                plan_publish(plan, locations, actor=admin)
            plans.append(plan)
        return plans

    def _batches(self, admin: User, plans: list[Plan], locations: list[Location]) -> None:
        if VoucherBatch.objects.exists():
            return
        orders = (
            (plans[0], locations[:1], 200, "Stok Balai Desa", "BD"),
            (plans[1], locations, 100, "Keliling dua pos", "KL"),
            (plans[2], locations[1:], 40, "Langganan bulanan", ""),
        )
        for plan, places, quantity, name, prefix in orders:
            batch = batch_create(
                plan=plan, locations=places, quantity=quantity, name=name, prefix=prefix, length=6, actor=admin
            )
            batch_generate(batch.pk)
