"""Isolation on the router: whichever method, whatever fails on the way. The router is asked, not our tables."""

from __future__ import annotations

from typing import Any

import pytest

from core.clock import now
from core.errors import DomainError
from core.installation import installation
from locations import services
from locations.choices import Hold, IsolationMethod, Kind, Priority, SessionEnd
from locations.emulator.errors import PppRefused
from locations.emulator.router import EmulatedRouter
from locations.models import AccessAccount, Location, RouterProfile, RouterSession, RouterState
from locations.selectors import last_session_end
from locations.sync.writer import location_run
from tests.routers import emulated, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)
VERSIONS = pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])
MAC = "02:00:00:00:00:07"


def plan_at(location: Location, kind: str = Kind.PPP, **fields: Any) -> RouterProfile:
    return services.profile_put(location=location, kind=kind, name="paket-10M", rate_limit="5M/10M", **fields)


def subscriber(profile: RouterProfile, name: str = "client-7", **fields: Any) -> AccessAccount:
    return services.account_put(profile=profile, name=name, password="s3cret-of-client", tag="a", **fields)


def secret(router: EmulatedRouter, name: str = "client-7") -> dict[str, Any]:
    return {row["name"]: row for row in on_router(router, "/ppp/secret")}[name]


def in_list(router: EmulatedRouter, name: str = "mb-isolated") -> list[str]:
    return [row["address"] for row in on_router(router, "/ip/firewall/address-list") if row["list"] == name]


def reopened(account: AccessAccount) -> AccessAccount:
    account.refresh_from_db()
    return account


@VERSIONS
def test_by_profile_the_session_ends_and_the_next_one_is_slow_and_listed(version: str) -> None:
    with emulated(version=version) as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        location_run(location.pk)
        router.ppp_connect("client-7", "s3cret-of-client", MAC)

        assert services.accounts_isolate([account.pk]) == 1
        assert services.accounts_isolate([account.pk]) == 0  # it is
        assert not reopened(account).is_synced
        location_run(location.pk)

        assert on_router(router, "/ppp/active") == []
        assert (secret(router)["profile"], secret(router)["disabled"]) == ("mb-isolated", False)
        (profile,) = [row for row in on_router(router, "/ppp/profile") if row["name"] == "mb-isolated"]
        assert (profile["rate-limit"], profile["address-list"]) == ("64k/64k", "mb-isolated")
        assert profile["comment"] == f"mb:{installation().tag}:iso"
        assert reopened(account).is_synced
        address = router.ppp_connect("client-7", "s3cret-of-client", MAC)["address"]
        assert in_list(router) == [address]

        assert services.accounts_reopen(AccessAccount.objects.filter(pk=account.pk)) == 1
        location_run(location.pk)
        assert on_router(router, "/ppp/active") == []
        assert in_list(router) == []
        assert secret(router)["profile"] == "paket-10M"
        assert reopened(account).is_synced


@VERSIONS
def test_by_switching_off_he_cannot_dial(version: str) -> None:
    with emulated(version=version) as router:
        location = location_of(router, isolation_method=IsolationMethod.DISABLE)
        account = subscriber(plan_at(location))
        location_run(location.pk)
        router.ppp_connect("client-7", "s3cret-of-client", MAC)
        services.accounts_isolate([account.pk])
        location_run(location.pk)
        assert (secret(router)["disabled"], secret(router)["profile"]) == (True, "paket-10M")
        assert on_router(router, "/ppp/active") == []
        with pytest.raises(PppRefused):
            router.ppp_connect("client-7", "s3cret-of-client", MAC)
        services.accounts_reopen([account.pk])
        location_run(location.pk)
        router.ppp_connect("client-7", "s3cret-of-client", MAC)


@VERSIONS
def test_by_address_list_only_the_firewall_holds_him(version: str) -> None:
    with emulated(version=version) as router:
        location = location_of(router, isolation_method=IsolationMethod.ADDRESS_LIST, isolation_list="nunggak")
        account = subscriber(plan_at(location), static_address="10.9.0.7")
        location_run(location.pk)
        services.accounts_isolate([account.pk])
        location_run(location.pk)
        (profile,) = [row for row in on_router(router, "/ppp/profile") if row["name"] == "mb-isolated"]
        assert "rate-limit" not in profile or profile["rate-limit"] == ""
        assert profile["address-list"] == "nunggak"
        router.ppp_connect("client-7", "s3cret-of-client", MAC)
        assert in_list(router, "nunggak") == ["10.9.0.7"]


def test_a_hotspot_subscriber_loses_session_and_cookie_and_comes_back_slow() -> None:
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location, Kind.HOTSPOT))
        location_run(location.pk)
        router.hotspot_login("client-7", "s3cret-of-client", MAC)
        services.accounts_isolate([account.pk])
        location_run(location.pk)
        assert on_router(router, "/ip/hotspot/active") == []
        assert on_router(router, "/ip/hotspot/cookie") == []
        address = router.hotspot_login("client-7", "s3cret-of-client", MAC)["address"]
        assert in_list(router) == [address]


def test_isolated_customers_keep_their_pool() -> None:
    with emulated() as router:
        router.command("/ip/pool/add", {"name": "rumah", "ranges": "10.7.0.2-10.7.0.99"})
        location = location_of(router)
        account = subscriber(plan_at(location, address_pool="rumah"))
        services.accounts_isolate([account.pk])
        location_run(location.pk)
        assert secret(router)["profile"] == "mb-isolated-rumah"
        assert router.ppp_connect("client-7", "s3cret-of-client", MAC)["address"].startswith("10.7.0.")


@VERSIONS
def test_another_method_expresses_everyone_anew(version: str, settings: Any) -> None:
    settings.ROUTER_LOOPBACK_ALLOWED = True  # the router listens on this machine
    with emulated(version=version) as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        other = subscriber(account.profile, "client-8")
        services.accounts_isolate([account.pk])
        location_run(location.pk)
        services.location_change(location, actor=None, isolation_method=IsolationMethod.DISABLE)
        assert not reopened(account).is_synced
        assert reopened(other).is_synced
        location_run(location.pk)
        assert (secret(router)["profile"], secret(router)["disabled"]) == ("paket-10M", True)
        services.location_change(location, actor=None, isolation_method=IsolationMethod.PROFILE)
        location_run(location.pk)
        assert (secret(router)["profile"], secret(router)["disabled"]) == ("mb-isolated", False)

        services.location_change(location, actor=None, isolation_rate_limit="128k/256k", isolation_list="macet")
        location_run(location.pk)
        (profile,) = [row for row in on_router(router, "/ppp/profile") if row["name"] == "mb-isolated"]
        assert (profile["rate-limit"], profile["address-list"]) == ("128k/256k", "macet")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("isolation_rate_limit", "fast"), ("isolation_rate_limit", "0/0"), ("isolation_list", "two words"),
        ("isolation_allowed_hosts", "pay.example.com\nhttp://x"), ("isolation_method", "other"),
        ("isolation_allowed_hosts", "127.0.0.1"), ("speed_change_pace", 0),
    ],
)  # fmt: skip
def test_settings_that_no_router_would_take_are_refused(field: str, value: Any) -> None:
    location = Location.objects.create(name="Pos 1", host="192.0.2.1", username="billing")
    with pytest.raises(DomainError) as refusal:
        services.location_change(location, actor=None, **{field: value})
    assert list(refusal.value.fields) == [field]


# --- faults (domain.md §2.4 to §2.8) ----------------------------------------------------------------------------------


@VERSIONS
def test_a_router_that_is_down_isolates_when_it_returns(version: str) -> None:
    """§2.5: a database that says "suspended" while the customer goes on is a lie; here it says "waiting"."""
    with emulated(version=version) as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        location_run(location.pk)
        router.ppp_connect("client-7", "s3cret-of-client", MAC, redial=False)
        router.set_fault("down")
        services.accounts_isolate([account.pk])
        location_run(location.pk, is_forced=True)
        assert (reopened(account).is_isolated, account.is_synced, account.hold) == (True, False, Hold.NONE)
        assert len(router.sessions()["ppp"]) == 1  # he is online, and nobody claims otherwise

        router.clear_fault()
        location_run(location.pk, is_forced=True)
        assert reopened(account).is_synced
        assert secret(router)["profile"] == "mb-isolated"
        assert on_router(router, "/ppp/active") == []


def test_a_list_that_breaks_off_is_not_an_empty_one() -> None:
    """§2.8 no. 4: "not found" from a failed list left a customer online."""
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        location_run(location.pk)
        router.ppp_connect("client-7", "s3cret-of-client", MAC)
        services.accounts_isolate([account.pk])
        router.set_fault("truncate", rows=0, pattern="^/ppp/active/print")
        assert location_run(location.pk, is_forced=True).problem != ""
        assert not reopened(account).is_synced
        assert account.is_kick_due
        assert len(router.sessions()["ppp"]) == 1
        router.clear_fault()
        location_run(location.pk, is_forced=True)
        assert on_router(router, "/ppp/active") == []
        assert reopened(account).is_synced


def test_paying_during_an_outage_wins_over_the_older_isolation() -> None:
    """§2.4: paid but still isolated, for ever."""
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        location_run(location.pk)
        router.set_fault("down")
        services.accounts_isolate([account.pk])
        location_run(location.pk, is_forced=True)
        services.accounts_reopen([account.pk])
        location_run(location.pk, is_forced=True)
        router.clear_fault()
        router.clear_op_log()
        location_run(location.pk, is_forced=True)
        assert secret(router)["profile"] == "paket-10M"
        assert [op["words"]["profile"] for op in router.op_log("/ppp/secret/set")] == ["paket-10M"]
        assert (reopened(account).is_synced, account.is_isolated) == (True, False)


def test_reopening_is_first_while_thousands_are_written() -> None:
    """§2.5: restored once a day; here before everything else, in one run."""
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        services.accounts_isolate([account.pk])
        location_run(location.pk)
        names = [(f"bulk{number:05}", None) for number in range(5000)]
        services.accounts_copy(
            profile=account.profile, tag="b1", logins=names, limit_uptime_seconds=None, limit_bytes=None,
            is_mac_locked=False, now=now(),
        )  # fmt: skip
        services.accounts_reopen([account.pk])
        router.clear_op_log()
        location_run(location.pk, is_forced=True)
        first = router.op_log("/ppp/secret/")[0]
        assert (first["command"], first["words"]["profile"]) == ("/ppp/secret/set", "paket-10M")
        assert reopened(account).is_synced


def test_five_thousand_are_isolated_with_a_few_statements(django_assert_max_num_queries: Any) -> None:
    location = Location.objects.create(name="Pos 1", host="192.0.2.1", username="billing")
    profile = plan_at(location)
    services.accounts_copy(
        profile=profile, tag="b1", logins=[(f"bulk{number:05}", None) for number in range(5100)],
        limit_uptime_seconds=None, limit_bytes=None, is_mac_locked=False, now=now(),
    )  # fmt: skip
    with django_assert_max_num_queries(20):
        assert services.accounts_isolate(AccessAccount.objects.filter(profile=profile)) == 5100
    assert (
        AccessAccount.objects.filter(is_isolated=True, is_kick_due=True, revision=2, priority=Priority.CHANGE).count()
        == 5100
    )
    with django_assert_max_num_queries(20):
        assert services.accounts_reopen(AccessAccount.objects.filter(profile=profile)) == 5100
    assert AccessAccount.objects.filter(is_isolated=False, revision=3, priority=Priority.PAID).count() == 5100


def test_somebody_who_undoes_it_on_the_router_is_found_and_undone() -> None:
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        services.accounts_isolate([account.pk])
        location_run(location.pk)
        router.command("/ppp/secret/set", {"numbers": "client-7", "profile": "paket-10M"})
        router.command("/ppp/profile/set", {"numbers": "mb-isolated", "address-list": ""})
        RouterState.objects.update(reconciled_at=None)
        location_run(location.pk)
        assert secret(router)["profile"] == "mb-isolated"
        (profile,) = [row for row in on_router(router, "/ppp/profile") if row["name"] == "mb-isolated"]
        assert profile["address-list"] == "mb-isolated"


def test_an_isolation_profile_that_vanished_comes_back_first() -> None:
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        other = subscriber(account.profile, "client-8")
        services.accounts_isolate([account.pk])
        location_run(location.pk)
        router.command("/ppp/secret/set", {"numbers": "client-7", "profile": "default"})
        router.command("/ppp/profile/remove", {"numbers": "mb-isolated"})
        services.accounts_isolate([other.pk])
        location_run(location.pk)
        assert secret(router, "client-8")["profile"] == "mb-isolated"
        assert reopened(other).is_synced


def test_an_isolation_profile_the_router_refuses_keeps_its_accounts_waiting_without_spinning() -> None:
    with emulated() as router:
        router.command("/ip/pool/add", {"name": "rumah", "ranges": "10.7.0.2-10.7.0.99"})
        location = location_of(router)
        account = subscriber(plan_at(location, address_pool="rumah"))
        location_run(location.pk)
        router.command("/ppp/profile/set", {"numbers": "paket-10M", "remote-address": ""})
        router.command("/ip/pool/remove", {"numbers": "rumah"})
        router.clear_op_log()
        services.accounts_isolate([account.pk])
        result = location_run(location.pk, is_forced=True)
        assert (result.more, router.op_log("/ppp/secret/set")) == (False, [])
        assert RouterProfile.objects.get(name="mb-isolated-rumah").hold == Hold.REFUSED
        assert (reopened(account).hold, account.is_synced) == (Hold.NONE, False)


def test_who_returns_under_an_old_name_is_not_isolated_for_his_predecessor() -> None:
    location = Location.objects.create(name="Pos 1", host="192.0.2.1", username="billing")
    account = subscriber(plan_at(location))
    services.accounts_isolate([account.pk])
    services.accounts_remove(AccessAccount.objects.filter(pk=account.pk))
    assert services.accounts_isolate([account.pk]) == 0  # on his way out
    assert not subscriber(account.profile).is_isolated


def test_the_end_of_a_session_is_told_with_its_cause() -> None:
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        location_run(location.pk)
        router.ppp_connect("client-7", "s3cret-of-client", MAC)
        location_run(location.pk, is_forced=True)
        assert RouterSession.objects.filter(account=account).exists()
        assert last_session_end(reopened(account)) is None
        router.ppp_disconnect("client-7")
        location_run(location.pk, is_forced=True)
        ended = last_session_end(reopened(account))
        assert ended is not None
        assert ended.why == SessionEnd.ENDED

        router.ppp_connect("client-7", "s3cret-of-client", MAC)
        location_run(location.pk, is_forced=True)
        services.accounts_isolate([account.pk])
        location_run(location.pk, is_forced=True)
        location_run(location.pk, is_forced=True)
        ended = last_session_end(reopened(account))
        assert ended is not None
        assert ended.why == SessionEnd.KICKED
