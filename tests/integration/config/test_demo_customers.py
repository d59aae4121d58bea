"""The trial's subscribers are what they say: each state of the screens is there once, and the ledger is right."""

from __future__ import annotations

import pytest

from accounts.choices import Role
from billing.choices import SubscriptionStatus
from billing.ledger.checking import ledger_check
from billing.models import Subscription
from config.demo_customers import SAMPLES, customers_seed
from tests.integration.vouchers.world import make_location, make_plan, make_user


@pytest.mark.django_db
def test_every_state_is_there_and_a_second_run_adds_nothing() -> None:
    places = [make_location("Pos 1"), make_location("Pos 2")]
    plans = [
        make_plan("Rumah", *places, type="pppoe", price_sell=150_000, duration_seconds=None, grace_days=5),
        make_plan("Kantor", *places, type="static", price_sell=350_000, duration_seconds=None, rate_limit="20M/20M"),
    ]
    admin = make_user("boss", Role.SUPER_ADMIN)
    assert customers_seed(admin, plans, places) == len(SAMPLES) == 9
    assert customers_seed(admin, plans, places) == 0
    rows = Subscription.objects.order_by("pk").values_list("customer__name", "status")
    assert dict(rows) == {
        "Keluarga Sumarni": SubscriptionStatus.ACTIVE,
        "Warung Kopi Simpang Lima Kecamatan Karangpandan": SubscriptionStatus.ACTIVE,
        "Toko Sembako Maju Jaya Bersama Sejahtera": SubscriptionStatus.ISOLATED,
        "Rumah Pak Lurah": SubscriptionStatus.GRACE,
        "Kos Putri Melati": SubscriptionStatus.ISOLATED,
        "Bengkel Motor Sinar Abadi": SubscriptionStatus.ACTIVE,
        "Keluarga di Luar Kota": SubscriptionStatus.PAUSED,
        "Kantor Desa Sumberagung": SubscriptionStatus.ACTIVE,
        "Pelanggan Baru Hari Ini": SubscriptionStatus.ACTIVE,
    }
    assert ledger_check().findings == {}
