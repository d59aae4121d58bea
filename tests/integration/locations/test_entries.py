"""Nameless entries and the rules of the isolation page, asked from the router by a client that is not ours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.clock import now as real_now
from core.errors import DomainError
from core.installation import installation
from locations import services
from locations.choices import EntryKind, Hold, Kind
from locations.emulator.router import EmulatedRouter
from locations.models import Location, RouterEntry, RouterState
from locations.services.entries import allowed_hosts, isolation_set
from locations.sync.writer import location_run
from tests.routers import Clock, emulated, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)
VERSIONS = pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])
LIST, NAT, FILTER = "/ip/firewall/address-list", "/ip/firewall/nat", "/ip/firewall/filter"


@pytest.fixture(autouse=True)
def public_url(settings: Any) -> None:
    settings.PUBLIC_URL = "https://pay.example.com"
    settings.ROUTER_LOOPBACK_ALLOWED = True  # the router listens on this machine


def paying(location: Location) -> Location:
    return services.location_change(
        location, actor=None, isolation_page_address="192.0.2.9", isolation_page_port=8080,
        isolation_allowed_hosts="api.gateway.example\n198.51.100.7\n",
    )  # fmt: skip


def compared(location: Location) -> dict[str, Any]:
    RouterState.objects.filter(pk=location.pk).update(reconciled_at=None)
    location_run(location.pk)
    drift: dict[str, Any] = RouterState.objects.get(pk=location.pk).drift
    return drift


def roles(router: EmulatedRouter, menu: str) -> list[str]:
    """Rules in the router's order: ours by role, others by their comment."""
    return [row.get("comment", "").removeprefix(f"mb:{installation().tag}:") for row in on_router(router, menu)]


@VERSIONS
def test_the_whole_set_reaches_the_router_before_the_rules_that_are_there(version: str) -> None:
    with emulated(version=version) as router:
        for comment, action in (("fasttrack", "fasttrack-connection"), ("established", "accept"), ("rest", "drop")):
            router.command(f"{FILTER}/add", {"chain": "forward", "action": action, "comment": comment})
        router.command(f"{FILTER}/add", {"chain": "input", "action": "accept", "comment": "input"})
        router.command(f"{NAT}/add", {"chain": "srcnat", "action": "masquerade", "comment": "out"})
        router.command(f"{NAT}/add", {"chain": "dstnat", "action": "dst-nat", "comment": "camera"})
        location = location_of(router)
        services.profile_put(location=location, kind=Kind.HOTSPOT, name="paket", rate_limit="2M/4M")
        paying(location)
        location_run(location.pk)

        assert roles(router, FILTER) == [
            "iso-allow", "iso-names", "iso-drop", "fasttrack", "established", "rest", "input",
        ]  # fmt: skip
        assert roles(router, NAT) == ["out", "iso-page", "camera"]
        assert (router.op_log(f"{FILTER}/move"), router.op_log(f"{NAT}/move")) == ([], [])  # placed right at once
        rule = on_router(router, NAT)[1]
        assert (rule["src-address-list"], rule["dst-address-list"]) == ("mb-isolated", "!mb-isolated-ok")
        assert (rule["protocol"], str(rule["dst-port"]), rule["action"]) == ("tcp", "80", "dst-nat")
        assert (rule["to-addresses"], str(rule["to-ports"])) == ("192.0.2.9", "8080")
        allow, names, drop = on_router(router, FILTER)[:3]
        assert (allow["action"], allow["dst-address-list"]) == ("accept", "mb-isolated-ok")
        assert (names["action"], names["protocol"], str(names["dst-port"])) == ("accept", "udp", "53")
        assert (drop["action"], drop["src-address-list"], drop["chain"]) == ("drop", "mb-isolated", "forward")
        hosts = {"192.0.2.9", "pay.example.com", "api.gateway.example", "198.51.100.7"}
        assert {row["address"] for row in on_router(router, LIST) if row["list"] == "mb-isolated-ok"} == hosts
        walled = {row["dst-host"] for row in on_router(router, "/ip/hotspot/walled-garden")}
        assert walled == {"pay.example.com", "api.gateway.example"}
        walled_ip = {row["dst-address"] for row in on_router(router, "/ip/hotspot/walled-garden/ip")}
        assert walled_ip == {"192.0.2.9", "198.51.100.7"}
        assert all(entry.is_synced and entry.router_id for entry in RouterEntry.objects.all())
        assert RouterEntry.objects.count() == 12

        before = router.write_count()
        assert {compared(location)[key] for key in ("missing", "different", "extra", "conflicts")} == {0}
        assert router.write_count() == before


@VERSIONS
def test_what_somebody_breaks_by_hand_is_found_and_repaired(version: str) -> None:
    with emulated(version=version) as router:
        router.command(f"{FILTER}/add", {"chain": "forward", "action": "accept", "comment": "theirs"})
        location = location_of(router)
        paying(location)
        location_run(location.pk)
        by_role = {row["comment"].rpartition(":")[2]: row for row in on_router(router, FILTER)}
        router.command(f"{FILTER}/remove", {".id": by_role["iso-allow"][".id"]})
        router.command(f"{FILTER}/move", {"numbers": by_role["iso-drop"][".id"]})  # behind their accept
        (page,) = on_router(router, NAT)
        router.command(f"{NAT}/disable", {".id": page[".id"]})
        for row in on_router(router, LIST):
            if row["address"] == "pay.example.com":
                router.command(f"{LIST}/set", {".id": row[".id"], "list": "other"})
        router.command(f"{NAT}/add", {"chain": "dstnat", "comment": f"mb:{installation().tag}:iso-old"})

        drift = compared(location)
        assert (drift["missing"], drift["extra"], drift["extra_names"]) == (
            1, 1, [f"mb:{installation().tag}:iso-old"],
        )  # fmt: skip
        assert roles(router, FILTER) == ["iso-allow", "iso-names", "iso-drop", "theirs"]
        assert [row["disabled"] for row in on_router(router, NAT) if row["comment"].endswith("iso-page")] == [False]
        lists = {(row["list"], row["address"]) for row in on_router(router, LIST)}
        assert ("mb-isolated-ok", "pay.example.com") in lists
        assert ("other", "pay.example.com") not in lists


def test_a_lost_answer_leaves_no_second_rule() -> None:
    """Firewall menus know no duplicates: the second look finds both and keeps one."""
    with emulated() as router:
        location = location_of(router)
        location_run(location.pk)
        paying(location)
        for _twice in range(2):  # what two adds with lost answers leave behind
            router.command(f"{NAT}/add", {"chain": "dstnat", "comment": f"mb:{installation().tag}:iso-page"})
        location_run(location.pk)
        assert roles(router, NAT) == ["iso-page"]
        assert on_router(router, NAT)[0]["action"] == "dst-nat"


def test_without_a_page_the_set_leaves_again() -> None:
    with emulated() as router:
        router.command(f"{LIST}/add", {"list": "mb-isolated-ok", "address": "10.1.1.1", "comment": "by hand"})
        location = paying(location_of(router))
        location_run(location.pk)
        services.location_change(location, actor=None, isolation_page_address=None)
        location_run(location.pk)
        assert (on_router(router, NAT), on_router(router, FILTER)) == ([], [])
        assert [row["address"] for row in on_router(router, LIST)] == ["10.1.1.1"]
        assert not RouterEntry.objects.exists()


def test_an_entry_somebody_else_made_is_a_conflict_until_a_person_decides() -> None:
    with emulated() as router:
        router.command(f"{LIST}/add", {"list": "vip", "address": "10.1.1.1", "comment": "by hand"})
        location = location_of(router)
        entry = services.entry_put(
            location=location, kind=EntryKind.ADDRESS_LIST, words={"list": "vip", "address": "10.1.1.1"}, tag="a"
        )
        location_run(location.pk)
        entry.refresh_from_db()
        assert (entry.hold, entry.is_synced) == (Hold.CONFLICT, False)
        assert on_router(router, LIST)[0]["comment"] == "by hand"
        assert location_run(location.pk).more is False

        services.entry_adopt(entry, actor=None)
        location_run(location.pk)
        entry.refresh_from_db()
        assert (entry.hold, entry.is_synced) == (Hold.NONE, True)
        assert [row["comment"] for row in on_router(router, LIST)] == [f"mb:{installation().tag}:a-{entry.pk}"]
        with pytest.raises(DomainError):
            services.entry_adopt(entry, actor=None)
        services.entry_remove(entry)
        location_run(location.pk)
        assert on_router(router, LIST) == []


def test_a_refused_entry_holds_only_itself_with_the_routers_words() -> None:
    with emulated() as router:
        location = location_of(router)
        bad = services.entry_put(
            location=location, kind=EntryKind.ADDRESS_LIST, words={"list": "vip", "address": "not an address"}, tag="a"
        )
        good = services.entry_put(
            location=location, kind=EntryKind.ADDRESS_LIST, words={"list": "vip", "address": "10.1.1.2"}, tag="a"
        )
        location_run(location.pk)
        bad.refresh_from_db()
        good.refresh_from_db()
        assert (bad.hold, good.is_synced) == (Hold.REFUSED, True)
        assert "not a valid dns name" in bad.router_words
        assert services.location_retry(location, actor=None) == 1


def test_a_router_that_is_down_or_reset_gets_the_rules_when_it_returns() -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = paying(location_of(router))
        router.set_fault("down")
        location_run(location.pk, is_forced=True, now=clock)
        assert not RouterEntry.objects.exclude(applied_revision=0).exists()
        router.clear_fault()
        location_run(location.pk, is_forced=True, now=clock)
        assert len(on_router(router, FILTER)) == 3
        router.advance(3600)
        clock.at += timedelta(seconds=3600)
        location_run(location.pk, is_forced=True, now=clock)
        router.factory_reset()
        location_run(location.pk, is_forced=True, now=clock)
        location_run(location.pk, is_forced=True, now=clock)
        assert len(on_router(router, FILTER)) == 3


def test_another_address_of_this_server_is_noticed(settings: Any) -> None:
    location = Location.objects.create(name="Pos 1", host="192.0.2.1", username="billing")
    paying(location)
    Location.objects.create(name="Pos 2", host="192.0.2.2", username="billing")
    revisions = dict(RouterEntry.objects.values_list("name", "revision"))
    assert services.isolation_sets_refresh() == 1
    assert dict(RouterEntry.objects.values_list("name", "revision")) == revisions  # nothing changed
    settings.PUBLIC_URL = "https://bayar.example.com"
    services.isolation_sets_refresh()
    wanted = RouterEntry.objects.filter(presence="present", kind=EntryKind.ADDRESS_LIST).values_list("name", flat=True)
    assert "mb-isolated-ok bayar.example.com" in wanted
    assert "mb-isolated-ok pay.example.com" not in wanted


def test_hosts_of_this_machine_and_nonsense_are_not_told_to_routers(settings: Any) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    location = Location(
        name="Pos 1", isolation_page_address="192.0.2.9", isolation_allowed_hosts="a.example\nA.example"
    )
    assert allowed_hosts(location) == ["a.example"]
    assert len(isolation_set(location, has_hotspot=False)) == 6
    assert isolation_set(Location(name="Pos 2"), has_hotspot=True) == []
