"""Run the main job headless against a running trial, through the REST API and the emulated routers themselves.

A batch is generated, appears on both routers, a guest logs in, validity starts, a link is cut and comes back, time runs
out, access ends. A new subscriber is billed, pays cash and is online; one who did not pay is isolated, pays and is back.
Each step prints its measured time; the exit code is 0 only if every step was true on the router.
"""

from __future__ import annotations

import json
import secrets
import sys
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from accounts.choices import Role
from accounts.models import User
from accounts.services import user_change, user_create
from config.demo_steps import CheckFailed, Steps
from config.demo_subscribers import SubscriberJob
from locations.emulator.control import ControlClient

VALIDITY_SECONDS = 10
GUEST = "02:00:5E:10:00:01"


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", required=True, help="where the trial answers, e.g. http://127.0.0.1:8000")

    def handle(self, *args: Any, url: str, **options: Any) -> None:
        name, password = f"check-{secrets.token_hex(4)}", secrets.token_urlsafe(24)
        user = user_create(username=name, password=password, role=Role.SUPER_ADMIN, actor=None)
        routers = json.loads((settings.VAR_DIR / "demo.json").read_text())["emulators"]
        consoles = [ControlClient("127.0.0.1", router["control_port"]) for router in routers]
        try:
            with httpx.Client(base_url=f"{url}/api/v1/", timeout=20, headers={"Accept-Language": "en"}) as client:
                MainJob(client, consoles, self.stdout.write).log_in(name, password).run()
                SubscriberJob(client, consoles, self.stdout.write).run()
        except (CheckFailed, httpx.HTTPError) as failure:
            self.stderr.write(f"FAILED: {failure}")
            sys.exit(1)
        finally:
            for console in consoles:
                console.clear_fault()
                console.close()
            user_change(User.objects.get(pk=user.pk), is_active=False, actor=None)
        self.stdout.write("All steps are true on the routers.")


class MainJob(Steps):
    """Vouchers, from the batch to the end of their time."""

    def run(self) -> None:
        places = self.step("both routers answer", self.locations_online, 30)
        plan = self.make_plan(places)
        batch = self.order_batch(plan, places, push_at="creation", quantity=50)
        self.step("50 vouchers generated", lambda: self.batch_ready(batch), 30)
        codes = self.step("all 50 confirmed by both routers", lambda: self.batch_on_routers(batch, 50), 30)
        voucher = self.sell(codes[0])
        self.consoles[0].hotspot_login(codes[0], codes[0], GUEST)
        self.send("POST", f"locations/{places[0]}/retry/", {})  # ask the router now instead of with the next poll
        self.step("guest logged in, validity started", lambda: self.status(voucher, "active"), 60)
        self.cut_link(plan, places)
        self.step("time is up: voucher expired", lambda: self.status(voucher, "expired"), 60)
        self.step("gone from both routers, session and cookie ended", lambda: self.gone(codes[0]), 60)
        self.step("screen says so", lambda: self.no_places_left(voucher), 30)

    # -- steps -----------------------------------------------------------------------------------------------------

    def make_plan(self, places: list[int]) -> int:
        plan = self.send(
            "POST", "plans/",
            {"name": f"Check {secrets.token_hex(4)}", "type": "hotspot", "price_sell": "1000",
             "duration_seconds": VALIDITY_SECONDS, "rate_limit": "1M/2M"},
        )["id"]  # fmt: skip
        self.send("POST", f"plans/{plan}/publish/", {"locations": places})
        return int(plan)

    def order_batch(self, plan: int, places: list[int], *, push_at: str, quantity: int) -> int:
        order = {"plan": plan, "locations": places, "quantity": quantity, "name": "Check", "push_at": push_at}
        return int(self.send("POST", "batches/", order)["id"])

    def batch_ready(self, batch: int) -> bool:
        status = self.get(f"batches/{batch}/")["status"]
        if status in {"failed", "cancelled"}:
            raise CheckFailed(f"the batch is {status}")
        return bool(status == "ready")

    def batch_on_routers(self, batch: int, quantity: int) -> list[str]:
        if self.get(f"batches/{batch}/")["sync"]["confirmed"] != quantity * len(self.consoles):
            return []
        codes = [row["code"] for row in self.get(f"vouchers/?batch={batch}&limit=200")["results"]]
        for console in self.consoles:
            missing = set(codes) - {row["name"] for row in console.rows("/ip/hotspot/user")}
            if missing:
                raise CheckFailed(f"the screen says confirmed, the router lacks {len(missing)} vouchers")
        return codes

    def sell(self, code: str) -> int:
        voucher = int(self.get(f"vouchers/?code={code}")["results"][0]["id"])
        self.send("POST", f"vouchers/{voucher}/sell/", {})
        return voucher

    def status(self, voucher: int, wanted: str) -> bool:
        return bool(self.get(f"vouchers/{voucher}/")["status"] == wanted)

    def cut_link(self, plan: int, places: list[int]) -> None:
        """A sale while the router is down is kept, shown as waiting, and true soon after it returns."""
        batch = self.order_batch(plan, places[:1], push_at="sale", quantity=1)
        self.step("batch for sale while the router is down", lambda: self.batch_ready(batch), 30)
        code = self.get(f"vouchers/?batch={batch}")["results"][0]["code"]
        self.consoles[0].set_fault("down")
        voucher = self.sell(code)
        place = self.get(f"vouchers/{voucher}/")["places"][0]
        if place["truth"] != "waiting":
            raise CheckFailed(f"the router is down and the screen says {place['truth']}")
        self.consoles[0].clear_fault()
        self.step("sold while the router was down: on it after its return", lambda: self.has(code), 60)

    def has(self, code: str) -> bool:
        return bool(self.consoles[0].rows("/ip/hotspot/user", name=code))

    def gone(self, code: str) -> bool:
        return not any(
            console.rows("/ip/hotspot/user", name=code)
            or console.rows("/ip/hotspot/active", user=code)
            or console.rows("/ip/hotspot/cookie", user=code)
            for console in self.consoles
        )

    def no_places_left(self, voucher: int) -> bool:
        answer = self.get(f"vouchers/{voucher}/")
        return answer["status"] == "expired" and not answer["places"]
