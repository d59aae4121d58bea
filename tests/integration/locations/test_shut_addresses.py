"""A static subscriber whose service is over, or who is switched off, is not online; the router is asked whether."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction

from core.errors import DomainError
from core.installation import installation
from locations import services
from locations.choices import Hold, IsolationMethod, Kind, Presence
from locations.emulator.router import EmulatedRouter
from locations.models import AccessAccount, Location, RouterEntry, RouterProfile, RouterState
from locations.sync.writer import location_run
from tests.processes import wait_until
from tests.routers import emulated, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)
VERSIONS = pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])
LIST, FILTER, QUEUES = "/ip/firewall/address-list", "/ip/firewall/filter", "/queue/simple"
ADDRESS = "10.5.0.7"


def plan_at(location: Location, kind: str = Kind.STATIC) -> RouterProfile:
    return services.profile_put(location=location, kind=kind, name="kantor", rate_limit="5M/20M")


def subscriber(profile: RouterProfile, name: str = "pak-budi", address: str = ADDRESS) -> AccessAccount:
    password = "rahasia" if profile.kind == Kind.PPP else None  # of an emulated subscriber
    return services.account_put(profile=profile, name=name, password=password, tag="a", static_address=address)


def end(account: AccessAccount) -> None:
    services.accounts_remove(AccessAccount.objects.filter(pk=account.pk), shuts_addresses=True)


def is_let_through(router: EmulatedRouter, address: str = ADDRESS) -> bool:
    """What the router's forward rules do with a packet of this address, first match first (no rule: it passes)."""
    lists = {
        row["list"]
        for row in on_router(router, LIST)
        if not row["disabled"] and ipaddress.ip_address(address) in ipaddress.ip_network(row["address"])
    }
    for rule in on_router(router, FILTER):
        if rule["disabled"] or rule["chain"] != "forward":
            continue
        if {"protocol", "dst-address-list", "in-interface"} & rule.keys():
            continue  # about a part of what he sends
        if rule.get("src-address-list") in {None, *lists}:
            return bool(rule["action"] == "accept")
    return True


def shut(location: Location) -> list[str]:
    rows = RouterEntry.objects.filter(location=location, tag="off", presence=Presence.PRESENT)
    return sorted(entry.words["address"] for entry in rows)


@VERSIONS
def test_the_address_of_an_ended_service_is_shut_until_somebody_gets_it(version: str) -> None:
    with emulated(version=version) as router:
        router.command(f"{FILTER}/add", {"chain": "forward", "action": "accept", "comment": "default"})
        location = location_of(router)
        profile = plan_at(location)
        account = subscriber(profile)
        location_run(location.pk)
        assert is_let_through(router)

        end(account)
        location_run(location.pk)
        assert on_router(router, QUEUES) == []
        assert not is_let_through(router)
        assert is_let_through(router, "10.5.0.8")
        entry = RouterEntry.objects.get(tag="off")
        (row,) = on_router(router, LIST)
        assert (row["list"], row["address"]) == ("mb-off", ADDRESS)
        assert (row["comment"], entry.is_synced) == (f"mb:{installation().tag}:off-{entry.pk}", True)

        router.command(f"{LIST}/remove", {".id": row[".id"]})  # somebody lets him out by hand
        RouterState.objects.update(reconciled_at=None)
        location_run(location.pk)
        assert not is_let_through(router)

        subscriber(profile, "bu-sri")
        location_run(location.pk)
        assert is_let_through(router)
        assert [row["name"] for row in on_router(router, QUEUES)] == ["bu-sri"]
        assert on_router(router, LIST) == []
        assert not RouterEntry.objects.filter(tag="off").exists()


@VERSIONS
def test_switched_off_is_not_online_although_there_is_no_hotspot_and_no_page(version: str) -> None:
    with emulated(version=version) as router:
        router.command(f"{FILTER}/add", {"chain": "forward", "action": "accept", "comment": "default"})
        location = location_of(router, isolation_method=IsolationMethod.DISABLE)
        account = subscriber(plan_at(location))
        services.accounts_isolate([account.pk])
        location_run(location.pk)
        assert not is_let_through(router)
        services.accounts_reopen([account.pk])
        location_run(location.pk)
        assert is_let_through(router)


def test_not_open_for_a_moment_when_an_isolated_one_is_ended() -> None:
    """The list entry changes hands: it is never taken away and made again."""
    with emulated() as router:
        location = location_of(router, isolation_method=IsolationMethod.DISABLE)
        account = subscriber(plan_at(location))
        services.accounts_isolate([account.pk])
        location_run(location.pk)
        before = on_router(router, LIST)[0][".id"]
        end(account)
        location_run(location.pk)
        assert [row[".id"] for row in on_router(router, LIST)] == [before]
        assert not AccessAccount.objects.exists()


def test_one_entry_for_an_address_however_many_had_it() -> None:
    with emulated() as router:
        location = location_of(router)
        profile = plan_at(location)
        for n in range(3):
            end(subscriber(profile, f"tamu-{n}"))
            location_run(location.pk)
        assert [row["address"] for row in on_router(router, LIST)] == [ADDRESS]
        assert (RouterEntry.objects.filter(tag="off").count(), AccessAccount.objects.count()) == (1, 0)


def test_who_moves_away_leaves_his_address_shut_at_the_old_place() -> None:
    with emulated() as old, emulated() as new:
        location, other = location_of(old), location_of(new, "Pos 2")
        account = subscriber(plan_at(location))
        location_run(location.pk)
        services.location_switch(account, to=other, profile=plan_at(other), static_address="10.6.0.7", actor=None)
        location_run(location.pk)
        location_run(other.pk)
        assert not is_let_through(old)
        assert is_let_through(new, "10.6.0.7")


def test_a_login_that_always_gets_the_address_keeps_it_open() -> None:
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        subscriber(plan_at(location, Kind.PPP), "bu-sri")
        end(account)
        location_run(location.pk)
        assert (shut(location), on_router(router, LIST)) == ([], [])


@pytest.mark.parametrize("way", ["put", "change"])
def test_a_shut_address_is_opened_by_a_login_that_always_gets_it(way: str) -> None:
    with emulated() as router:
        location = location_of(router)
        end(subscriber(plan_at(location)))
        location_run(location.pk)
        assert not is_let_through(router)
        ppp = plan_at(location, Kind.PPP)
        if way == "put":
            subscriber(ppp, "bu-sri")
        else:
            services.account_change(subscriber(ppp, "bu-sri", "10.5.0.8"), static_address=ADDRESS)
        location_run(location.pk)
        assert is_let_through(router)
        assert on_router(router, LIST) == []


def test_a_person_opens_the_address_and_the_rule_goes_with_the_last_need_for_it() -> None:
    with emulated() as router:
        location = location_of(router)
        profile = plan_at(location)
        end(subscriber(profile))
        location_run(location.pk)
        entry = RouterEntry.objects.get(tag="off")
        services.address_release(entry, actor=None)
        with pytest.raises(DomainError) as refusal:
            services.address_release(entry, actor=None)
        assert refusal.value.code == "address.not_shut"
        location_run(location.pk)
        assert is_let_through(router)
        services.profile_remove(profile)
        location_run(location.pk)
        services.isolation_sets_refresh()
        location_run(location.pk)
        assert (on_router(router, FILTER), on_router(router, LIST)) == ([], [])
        assert not RouterEntry.objects.exists()


def test_somebody_elses_entry_in_the_list_waits_for_a_person() -> None:
    with emulated() as router:
        location = location_of(router)
        router.command(f"{LIST}/add", {"list": "mb-off", "address": ADDRESS, "comment": "by hand"})
        end(subscriber(plan_at(location)))
        location_run(location.pk)
        assert RouterEntry.objects.get(tag="off").hold == Hold.CONFLICT


def test_rules_of_the_page_stand_behind_the_one_that_shuts() -> None:
    with emulated() as router:
        location = location_of(router, isolation_page_address="192.0.2.9")
        plan_at(location)
        services.location_isolation_put(location)
        location_run(location.pk)
        tags = [row["comment"].rpartition(":")[2] for row in on_router(router, FILTER)]
        assert tags == ["iso-off", "iso-allow", "iso-names", "iso-drop"]


@pytest.mark.parametrize("is_given_first", [True, False])
def test_given_to_somebody_while_the_old_one_ends(is_given_first: bool) -> None:
    """Whoever comes first, the second waits for him: an address that a living account has is never left shut."""
    location = Location.objects.create(name="Pos 1", host="192.0.2.1", username="billing")
    old, ppp = subscriber(plan_at(location)), plan_at(location, Kind.PPP)

    def give() -> None:
        subscriber(ppp, "bu-sri")

    def stop() -> None:
        end(old)

    first, second = (give, stop) if is_given_first else (stop, give)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            later = pool.submit(_and_close, second)
            wait_until(_somebody_waits)  # at the lock of the address
        later.result()
    assert AccessAccount.objects.get(presence=Presence.PRESENT).name == "bu-sri"
    assert shut(location) == []


def _and_close(act: Callable[[], None]) -> None:
    try:
        act()
    finally:
        connection.close()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
            "WHERE l.locktype = 'advisory' AND NOT l.granted AND d.datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


def test_two_want_the_address_in_the_moment_in_which_it_is_left() -> None:
    """One of them gets it or none does; it is shut exactly when nobody has it."""
    location = Location.objects.create(name="Pos 1", host="192.0.2.1", username="billing")
    profile = plan_at(location)
    for n in range(8):
        old, barrier = subscriber(profile, f"lama-{n}"), Barrier(3)
        with ThreadPoolExecutor(3) as pool:
            acts = [lambda n=n: subscriber(profile, f"a-{n}"), lambda n=n: subscriber(profile, f"b-{n}")]
            given = [pool.submit(_raced, barrier, act) for act in acts]
            pool.submit(_raced, barrier, lambda old=old: end(old)).result()
            winners = sum(future.result() for future in given)
        living = AccessAccount.objects.filter(static_address=ADDRESS, presence=Presence.PRESENT)
        assert living.count() == winners <= 1
        assert shut(location) == ([] if winners else [ADDRESS])
        services.accounts_remove(living)


def _raced(gate: Barrier, act: Callable[[], object]) -> bool:
    gate.wait()
    try:
        act()
    except (DomainError, IntegrityError):
        return False
    finally:
        connection.close()
    return True
