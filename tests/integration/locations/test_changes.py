"""Accounts that change: renamed, moved to another profile, given another address. The router is asked."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import DomainError
from locations import services
from locations.choices import Hold, Kind, Priority
from locations.models import AccessAccount, Location, RouterProfile, RouterState
from locations.sync.writer import location_run
from tests.routers import emulated, hotspot_users, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)
VERSIONS = pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])
MAC = "02:00:00:00:00:07"


def plan_at(location: Location, kind: str = Kind.PPP, name: str = "paket-10M", **fields: Any) -> RouterProfile:
    return services.profile_put(location=location, kind=kind, name=name, rate_limit="5M/10M", **fields)


def subscriber(profile: RouterProfile, name: str = "client-7", **fields: Any) -> AccessAccount:
    return services.account_put(profile=profile, name=name, password="s3cret-of-client", tag="a", **fields)


def fresh(account: AccessAccount) -> AccessAccount:
    account.refresh_from_db()
    return account


@VERSIONS
@pytest.mark.parametrize("kind", [Kind.PPP, Kind.HOTSPOT])
def test_a_rename_keeps_the_entry_and_ends_the_old_session(version: str, kind: str) -> None:
    with emulated(version=version) as router:
        menu = "/ppp/secret" if kind == Kind.PPP else "/ip/hotspot/user"
        active = "/ppp/active" if kind == Kind.PPP else "/ip/hotspot/active"
        location = location_of(router)
        account = subscriber(plan_at(location, kind))
        location_run(location.pk)
        login = router.ppp_connect if kind == Kind.PPP else router.hotspot_login
        login("client-7", "s3cret-of-client", MAC)
        before = router.rows(menu, name="client-7")[0][".id"]
        services.account_change(account, name="client-70", password="other-s3cret")
        location_run(location.pk)
        assert router.rows(menu, name="client-7") == []
        (row,) = router.rows(menu, name="client-70")
        assert (row[".id"], row["password"]) == (before, "other-s3cret")
        assert on_router(router, active) == []
        assert (fresh(account).is_synced, account.applied_name) == (True, "client-70")


def test_a_rename_during_a_reset_leaves_one_entry() -> None:
    """The stored `.id` is no longer good: the entry is found under the name it had."""
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        location_run(location.pk)
        router.command("/ppp/secret/add", {"name": "spare"})
        (row,) = router.rows("/ppp/secret", name="client-7")
        router.command("/ppp/secret/remove", {".id": row[".id"]})
        router.command(
            "/ppp/secret/add", {"name": "client-7", "password": "x", "comment": row["comment"], "profile": "paket-10M"}
        )
        services.account_change(account, name="client-70")
        location_run(location.pk)
        assert sorted(row["name"] for row in on_router(router, "/ppp/secret")) == ["client-70", "spare"]
        assert fresh(account).is_synced


def test_a_rename_that_was_not_confirmed_is_no_drift_and_can_be_removed() -> None:
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        location_run(location.pk)
        services.account_change(account, name="client-70")
        services.accounts_remove(AccessAccount.objects.filter(pk=account.pk))
        location_run(location.pk)
        assert on_router(router, "/ppp/secret") == []
        assert not AccessAccount.objects.exists()

        account = subscriber(account.profile)
        location_run(location.pk)
        services.account_change(account, name="client-70")
        AccessAccount.objects.update(hold=Hold.REFUSED)  # not sent, so the router still has the old name
        RouterState.objects.update(reconciled_at=None)
        location_run(location.pk)
        drift = RouterState.objects.get().drift
        assert (drift["missing"], drift["extra"]) == (0, 0)


def test_a_name_the_router_gave_to_somebody_else_is_a_conflict() -> None:
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        location_run(location.pk)
        router.command("/ppp/secret/add", {"name": "client-70", "service": "pppoe", "comment": "vip"})
        services.account_change(account, name="client-70")
        location_run(location.pk)
        assert (fresh(account).hold, account.is_synced) == (Hold.CONFLICT, False)
        assert {row["name"] for row in on_router(router, "/ppp/secret")} == {"client-7", "client-70"}


@VERSIONS
def test_a_fixed_address_comes_and_goes(version: str) -> None:
    with emulated(version=version) as router:
        location = location_of(router)
        account = subscriber(plan_at(location), static_address="10.9.0.7")
        location_run(location.pk)
        assert router.ppp_connect("client-7", "s3cret-of-client", MAC)["address"] == "10.9.0.7"
        services.account_change(account, static_address=None)
        location_run(location.pk)
        assert on_router(router, "/ppp/active") == []
        assert router.ppp_connect("client-7", "s3cret-of-client", MAC)["address"] != "10.9.0.7"


def test_a_change_of_plan_for_many_and_what_it_refuses() -> None:
    with emulated() as router:
        location = location_of(router)
        old, new = plan_at(location), plan_at(location, name="paket-20M")
        accounts = [subscriber(old, f"client-{number}") for number in range(3)]
        services.accounts_isolate([accounts[2].pk])
        location_run(location.pk)
        router.ppp_connect("client-0", "s3cret-of-client", MAC)
        assert services.accounts_set_profile([account.pk for account in accounts], new, priority=Priority.BULK) == 3
        assert services.accounts_set_profile([account.pk for account in accounts], new) == 0
        location_run(location.pk)
        profiles = {row["name"]: row["profile"] for row in on_router(router, "/ppp/secret")}
        assert profiles == {"client-0": "paket-20M", "client-1": "paket-20M", "client-2": "mb-isolated"}
        assert on_router(router, "/ppp/active") == []
        services.accounts_reopen([accounts[2].pk])
        location_run(location.pk)
        assert router.rows("/ppp/secret", name="client-2")[0]["profile"] == "paket-20M"

        elsewhere = plan_at(location, Kind.HOTSPOT)
        with pytest.raises(DomainError) as refusal:
            services.accounts_set_profile([accounts[0].pk], elsewhere)
        assert refusal.value.code == "account.other_profile"
        assert fresh(accounts[0]).profile_id == new.pk


def test_next_login_leaves_the_session_alone() -> None:
    with emulated() as router:
        location = location_of(router)
        old, new = plan_at(location), plan_at(location, name="paket-20M")
        account = subscriber(old)
        location_run(location.pk)
        router.ppp_connect("client-7", "s3cret-of-client", MAC)
        services.accounts_set_profile([account.pk], new, is_kick_due=False)
        location_run(location.pk)
        assert len(on_router(router, "/ppp/active")) == 1
        assert router.rows("/ppp/secret", name="client-7")[0]["profile"] == "paket-20M"


def test_names_and_rows_that_cannot_be_changed() -> None:
    location = Location.objects.create(name="Pos 1", host="192.0.2.1", username="billing")
    account, _other = subscriber(plan_at(location)), subscriber(plan_at(location), "client-8")
    for name, code in (("client-8", "account.name_taken"), ("", "account.no_name")):
        with pytest.raises(DomainError) as refusal:
            services.account_change(account, name=name)
        assert refusal.value.code == code
    assert services.account_change(account, name="client-7").revision == 1  # nothing differs
    assert services.account_change(account, password="new").is_kick_due is False
    services.accounts_remove(AccessAccount.objects.filter(pk=account.pk))
    with pytest.raises(DomainError) as refusal:
        services.account_change(account, name="client-9")
    assert refusal.value.code == "account.leaving"


def test_a_hotspot_password_ends_session_and_cookie() -> None:
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location, Kind.HOTSPOT))
        location_run(location.pk)
        router.hotspot_login("client-7", "s3cret-of-client", MAC)
        services.account_change(account, password="other-s3cret")
        location_run(location.pk)
        assert (on_router(router, "/ip/hotspot/active"), on_router(router, "/ip/hotspot/cookie")) == ([], [])
        assert list(hotspot_users(router)) == ["client-7"]
