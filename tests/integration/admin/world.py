"""Rows that look like a real installation: long names, a dead router, refused and foreign entries, vouchers of every status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync, user_create
from billing.models import Plan
from billing.services import plan_create, plan_publish
from core.clock import now
from core.error_log import error_record
from core.models import JobRun, SlowQuery
from locations.choices import Hold, Reach
from locations.models import AccessAccount, Location, LocationUser, RouterProfile, RouterState
from locations.services import location_add
from vouchers.models import Voucher, VoucherBatch
from vouchers.services import batch_create, batch_generate, voucher_sell

PASSWORD = "a-long-test-password-7"
LONG_NAME = "Warung Kopi Bu Sumarni Simpang Lima Kecamatan Karangpandan Karanganyar Jateng"


@dataclass(frozen=True)
class World:
    boss: User
    admin: User
    operator: User
    near: Location
    far: Location
    plan: Plan
    batch: VoucherBatch
    waiting: VoucherBatch
    voucher: Voucher


def build_world() -> World:
    """The same world every time, apart from the codes."""
    roles_sync()
    boss = _user("kepala", Role.SUPER_ADMIN, first_name="Bartholomeus", last_name="Kertanegara Wijayakusuma")
    admin = _user("admin-siang", Role.ADMIN)
    operator = _user("kasir-pos-2", Role.OPERATOR)
    near = _location("Pos 2", "192.0.2.10", Reach.ONLINE)
    far = _location(LONG_NAME, "gerbang-utama.jaringan-desa.example", Reach.OFFLINE)
    LocationUser.objects.create(location=near, user=operator)
    plan = plan_create(
        actor=boss, name="Paket Harian Keluarga Besar 24 Jam Tanpa Batas Kuota 10 Mbps", price_sell=5000,
        price_cost=3000, duration_seconds=86400, rate_limit="2M/10M 4M/20M 1M/8M 8/8", shared_users=2,
    )  # fmt: skip
    plan_publish(plan, [near, far], actor=boss)
    batch = _batch(plan, [near], 40, boss, name="Kios depan pasar, cetak kedua bulan November 2026", prefix="POS2-")
    waiting = _batch(plan, [near, far], 30, boss, name="Roaming dua lokasi")
    cancelled = _batch(plan, [near], 10, boss, name="Antre", is_made=False)
    assert cancelled.status == "queued"
    _confirm(batch)
    _hold(waiting)
    voucher = _lives(batch, operator)
    _machine_rows()
    return World(boss, admin, operator, near, far, plan, batch, waiting, voucher)


def _user(name: str, role: str, **names: str) -> User:
    return user_create(username=name, password=PASSWORD, role=role, language="en", actor=None, **names)


def _location(name: str, host: str, reach: str) -> Location:
    location = location_add(actor=None, name=name, host=host, username="billing", password="router-secret-1")
    state: dict[str, Any] = {
        "reach": reach, "reach_since": now() - timedelta(hours=3), "seen_at": now() - timedelta(seconds=12),
        "identity": f"gw-{host[:20]}", "model": "hAP ax lite LTE6", "version": "7.16.1 (stable)", "serial": "HF309A1X2Y3",
        "uptime_seconds": 900_000, "clock_skew_seconds": 2, "cpu_load": 7, "free_memory": 120 * 1024**2,
        "licence_limit": 200, "entry_count": 412,
    }  # fmt: skip
    if reach == Reach.OFFLINE:
        state["last_error"] = "unreachable: No route to host"
        state["retry_at"] = now() + timedelta(minutes=5)
    RouterState.objects.filter(pk=location.pk).update(**state)
    return location


def _batch(
    plan: Plan, places: list[Location], quantity: int, actor: User, is_made: bool = True, **fields: Any
) -> VoucherBatch:
    batch = batch_create(plan=plan, locations=places, quantity=quantity, actor=actor, **fields)
    if is_made:
        batch_generate(batch.pk)
    batch.refresh_from_db()
    return batch


def _confirm(batch: VoucherBatch) -> None:
    """As the writer does after the router's answer."""
    rows = AccessAccount.objects.filter(tag=batch.tag)
    rows.update(applied_revision=1, revision=1, applied_at=now() - timedelta(seconds=12), router_id="*1")
    RouterProfile.objects.filter(pk__in=rows.values("profile_id")).update(
        applied_revision=1, revision=1, applied_at=now() - timedelta(minutes=2)
    )


def _hold(batch: VoucherBatch) -> None:
    rows = list(AccessAccount.objects.filter(tag=batch.tag, location__name="Pos 2").order_by("pk")[:3])
    for row in rows[:2]:
        words = "failure: not enough permissions (9)"
        AccessAccount.objects.filter(pk=row.pk).update(hold=Hold.REFUSED, router_words=words)
    AccessAccount.objects.filter(pk=rows[2].pk).update(
        hold=Hold.CONFLICT, router_words="failure: already have user with this name for this server"
    )


def _lives(batch: VoucherBatch, seller: User) -> Voucher:
    rows = list(Voucher.objects.filter(batch=batch).order_by("pk")[:6])
    sold = rows[0]
    for row in rows[:3]:
        voucher_sell(row, actor=seller, request_key=f"world-{row.pk}")
    Voucher.objects.filter(pk=rows[1].pk).update(
        status="active", used_at=now() - timedelta(hours=1), valid_until=now() + timedelta(hours=23)
    )
    Voucher.objects.filter(pk=rows[2].pk).update(
        status="expired", used_at=now() - timedelta(days=2), valid_until=now() - timedelta(days=1), ended_at=now()
    )
    Voucher.objects.filter(pk=rows[3].pk).update(status="void", ended_at=now())
    sold.refresh_from_db()
    return sold


def _machine_rows() -> None:
    error_record(source="locations.tasks.write", error=ValueError("a long explanation " * 12))
    JobRun.objects.create(
        name="locations.sweep",
        started_at=now() - timedelta(seconds=9),
        finished_at=now(),
        is_ok=True,
        outcome="2 locations",
    )
    JobRun.objects.create(name="vouchers.vouchers_expire", started_at=now(), is_ok=False, outcome="OperationalError")
    statement = "SELECT … FROM vouchers_voucher WHERE status = %s ORDER BY id DESC LIMIT %s"
    SlowQuery.objects.create(
        fingerprint="f" * 64, view="admin:vouchers_voucher_changelist", statement=statement, worst_ms=412, last_at=now()
    )
