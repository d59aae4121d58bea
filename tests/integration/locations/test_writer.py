"""The writer against real sockets: what the router has is asked from the router."""

from __future__ import annotations

import pytest

from core.installation import installation
from core.models import Installation
from locations import services
from locations.choices import Hold, Kind, Priority, Reach
from locations.models import AccessAccount, Location, RouterProfile, RouterState
from locations.sync.writer import location_run
from tests.routers import emulated, hotspot_users, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)


def profile_at(location: Location, kind: str = Kind.HOTSPOT, **fields: object) -> RouterProfile:
    return services.profile_put(location=location, kind=kind, name="paket-1jam", rate_limit="2M/4M", **fields)  # type: ignore[arg-type]


def put(profile: RouterProfile, name: str, **fields: object) -> AccessAccount:
    return services.account_put(profile=profile, name=name, password=None, tag="a", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])
def test_a_new_account_and_its_profile_reach_the_router(version: str) -> None:
    with emulated(version=version) as router:
        location = location_of(router)
        account = put(profile_at(location), "ABCD2345", limit_uptime_seconds=3600, limit_bytes=1_000_000)
        result = location_run(location.pk)

        assert (result.problem, result.applied, result.more) == ("", 2, False)
        user = hotspot_users(router)["ABCD2345"]
        assert user["profile"] == "paket-1jam"
        assert user["comment"] == f"mb:{installation().tag}:a"
        assert router.rows("/ip/hotspot/user", name="ABCD2345")[0]["password"] == "ABCD2345"
        assert [
            p["rate-limit"] for p in on_router(router, "/ip/hotspot/user/profile") if p["name"] == "paket-1jam"
        ] == ["2M/4M"]
        account.refresh_from_db()
        assert account.is_synced
        assert account.router_id == user[".id"]
        assert account.applied_at is not None
        state = RouterState.objects.get(pk=location.pk)
        assert state.reach == Reach.ONLINE
        assert state.version == version
        assert state.lease_token is None


def test_nothing_to_do_writes_nothing() -> None:
    with emulated() as router:
        location = location_of(router)
        put(profile_at(location), "ABCD2345")
        location_run(location.pk)
        before = router.write_count()
        location_run(location.pk)
        assert router.write_count() == before


def test_a_removed_account_leaves_with_session_and_cookie_and_its_row_goes_last() -> None:
    with emulated() as router:
        location = location_of(router)
        account = put(profile_at(location), "ABCD2345")
        location_run(location.pk)
        router.hotspot_login("ABCD2345", "ABCD2345", "02:00:00:00:00:01")
        assert router.count("/ip/hotspot/active") == 1
        assert router.count("/ip/hotspot/cookie") == 1

        services.accounts_remove(AccessAccount.objects.filter(pk=account.pk))
        assert AccessAccount.objects.filter(pk=account.pk).exists()
        location_run(location.pk)

        assert "ABCD2345" not in hotspot_users(router)
        assert on_router(router, "/ip/hotspot/active") == []
        assert on_router(router, "/ip/hotspot/cookie") == []
        assert not AccessAccount.objects.filter(pk=account.pk).exists()


def test_a_router_that_is_down_keeps_the_wish_and_is_served_when_it_returns() -> None:
    with emulated() as router:
        location = location_of(router)
        account = put(profile_at(location), "ABCD2345")
        router.set_fault("down")
        assert location_run(location.pk).problem in {"refused", "unreachable", "timeout"}
        location_run(location.pk, is_forced=True)
        state = RouterState.objects.get(pk=location.pk)
        assert (state.reach, state.failures) == (Reach.OFFLINE, 2)
        account.refresh_from_db()
        assert not account.is_synced

        router.clear_fault()
        location_run(location.pk, is_forced=True)
        location_run(location.pk, is_forced=True)
        assert list(hotspot_users(router)) == ["ABCD2345"]
        assert sum(1 for op in router.op_log("/ip/hotspot/user/add")) == 1


def test_an_entry_somebody_else_made_is_a_conflict_and_is_left_alone() -> None:
    with emulated() as router:
        location = location_of(router)
        router.command("/ip/hotspot/user/add", {"name": "ABCD2345", "password": "theirs", "comment": "vc-123"})
        account = put(profile_at(location), "ABCD2345")
        location_run(location.pk)
        account.refresh_from_db()
        assert account.hold == Hold.CONFLICT
        assert hotspot_users(router)["ABCD2345"]["comment"] == "vc-123"

        services.conflict_adopt(account, actor=None)
        location_run(location.pk)
        account.refresh_from_db()
        assert (account.hold, account.is_synced) == (Hold.NONE, True)
        assert hotspot_users(router)["ABCD2345"]["comment"] == f"mb:{installation().tag}:a"


def test_a_refusal_holds_only_its_row_and_keeps_the_routers_words() -> None:
    with emulated() as router:
        location = location_of(router)
        bad = services.profile_put(
            location=location, kind=Kind.HOTSPOT, name="bad", rate_limit="2M/4M", address_pool="no-such-pool"
        )
        put(profile_at(location), "ABCD2345")
        location_run(location.pk)
        bad.refresh_from_db()
        assert bad.hold == Hold.REFUSED
        assert "address-pool" in bad.router_words
        assert list(hotspot_users(router)) == ["ABCD2345"]


def test_accounts_of_a_refused_profile_wait_without_spinning() -> None:
    with emulated() as router:
        location = location_of(router)
        bad = services.profile_put(location=location, kind=Kind.HOTSPOT, name="bad", address_pool="no-such-pool")
        account = put(bad, "ABCD2345")
        assert location_run(location.pk).more is False
        again = location_run(location.pk, is_forced=True)
        assert (again.applied, again.more) == (0, False)
        account.refresh_from_db()
        assert (account.hold, account.is_synced) == (Hold.NONE, False)
        assert hotspot_users(router) == {}


def test_paid_goes_before_bulk() -> None:
    with emulated() as router:
        location = location_of(router)
        profile = profile_at(location)
        for number in range(20):
            put(profile, f"BULK{number:04}", priority=Priority.BULK)
        location_run(location.pk)
        router.clear_op_log()
        for number in range(20, 40):
            put(profile, f"BULK{number:04}", priority=Priority.BULK)
        put(profile, "PAID0001", priority=Priority.PAID)
        location_run(location.pk)
        names = [op["words"].get("name") for op in router.op_log("/ip/hotspot/user/add")]
        assert names[0] == "PAID0001"
        assert len(names) == 21


@pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])
def test_a_ppp_secret_is_disabled_with_its_session_ended(version: str) -> None:
    with emulated(version=version) as router:
        location = location_of(router)
        account = services.account_put(
            profile=profile_at(location, Kind.PPP), name="client-7", password="s3cret-of-client", tag="a"
        )
        location_run(location.pk)
        router.ppp_connect("client-7", "s3cret-of-client", "02:00:00:00:00:07")
        services.account_disable(account, actor=None)
        location_run(location.pk)
        (secret,) = on_router(router, "/ppp/secret")
        assert secret["disabled"] is True
        assert on_router(router, "/ppp/active") == []


def test_a_profile_somebody_deleted_comes_back_before_its_accounts() -> None:
    with emulated() as router:
        location = location_of(router)
        profile = profile_at(location)
        put(profile, "ABCD2345")
        location_run(location.pk)
        router.command("/ip/hotspot/user/remove", {"numbers": "ABCD2345"})
        router.command("/ip/hotspot/user/profile/remove", {"numbers": "paket-1jam"})
        account = put(profile, "EFGH2345")
        location_run(location.pk)
        account.refresh_from_db()
        assert (account.hold, account.is_synced) == (Hold.NONE, True)
        assert hotspot_users(router)["EFGH2345"]["profile"] == "paket-1jam"


def test_a_restored_copy_in_quarantine_asks_and_writes_no_router() -> None:
    """Two installations with one past must not both write: the copy does nothing until a person ends the quarantine."""
    with emulated() as router:
        location = location_of(router)
        account = put(profile_at(location), "ABCD2345")
        Installation.objects.filter(pk=installation().pk).update(is_quarantined=True)
        result = location_run(location.pk, is_forced=True)
        assert (result.was_free, result.applied) == (False, 0)
        assert router.op_log() == []  # not even a login
        account.refresh_from_db()
        assert not account.is_synced

        Installation.objects.update(is_quarantined=False)
        location_run(location.pk, is_forced=True)
        assert list(hotspot_users(router)) == ["ABCD2345"]
