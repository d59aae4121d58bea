"""What the voucher room listens to. Both are critical: a login that does not start its validity would be free time."""

from __future__ import annotations

from billing.events import PlanWithdrawing
from core.events import subscribe
from locations.events import FirstLogin
from vouchers.services import plan_withdrawal_check, vouchers_activate


def first_logins_take_in(event: FirstLogin) -> None:
    vouchers_activate(event.logins)


def plan_withdrawal_refuse(event: PlanWithdrawing) -> None:
    plan_withdrawal_check(event.plan_id, event.location_ids)


def subscribe_all() -> None:
    subscribe(FirstLogin, first_logins_take_in, is_critical=True)
    subscribe(PlanWithdrawing, plan_withdrawal_refuse, is_critical=True)
