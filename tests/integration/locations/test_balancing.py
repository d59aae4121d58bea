"""Sharing new customers out: each strategy, what leaves a location out, reasons in words, and many choosing at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.utils import translation

from core.clock import now
from core.errors import DomainError
from locations import services
from locations.choices import Kind, Reach, Strategy, Unfit
from locations.models import GroupPlace, Location, LocationChoice, LocationGroup, RouterSession, RouterState
from locations.selectors import choice_for
from locations.words_balancing import choice_sentences

pytestmark = pytest.mark.django_db(transaction=True)


def place(name: str, *, sessions: int = 0, accounts: int = 0, **fields: Any) -> Location:
    state = {key: fields.pop(key) for key in ("reach", "cpu_load", "licence_limit") if key in fields}
    location = Location.objects.create(name=name, host="192.0.2.1", username="billing", **fields)
    RouterState.objects.create(location=location, **{"reach": Reach.ONLINE, **state})
    for n in range(sessions):
        RouterSession.objects.create(
            location=location, kind=Kind.HOTSPOT, router_id=f"*{n}", name=f"s{n}", started_at=now(), seen_at=now()
        )
    if accounts:
        profile = services.profile_put(location=location, kind=Kind.HOTSPOT, name="paket", rate_limit="")
        for n in range(accounts):
            services.account_put(profile=profile, name=f"a{n}", password=None, tag="a")
    return location


def group_of(*locations: Location, **fields: Any) -> LocationGroup:
    return services.group_put(None, name="Kota", locations=locations, actor=None, **fields)


def chosen(group: LocationGroup, **options: Any) -> str:
    return services.location_choose(group, now=now(), **options).location.name


def test_one_after_the_other_and_a_newcomer_gets_no_flood() -> None:
    a, b = place("A"), place("B")
    group = group_of(a, b, strategy=Strategy.ROUND_ROBIN)
    assert [chosen(group) for _n in range(4)] == ["A", "B", "A", "B"]
    c = place("C")
    services.group_put(group, locations=[a, b, c], actor=None)
    assert [chosen(group) for _n in range(6)] == ["A", "B", "C", "A", "B", "C"]
    services.group_put(group, paused=[b], actor=None)
    assert [chosen(group) for _n in range(4)] == ["A", "C", "A", "C"]


def test_the_fewest_users_counts_sessions_and_wanted_logins() -> None:
    group = group_of(place("A", sessions=3), place("B", accounts=2), place("C", sessions=1, accounts=4))
    choice = services.location_choose(group, now=now(), subject="test:1")
    assert choice.location.name == "B"
    facts = {one["name"]: (one["sessions"], one["accounts"], one["users"]) for one in choice.details["candidates"]}
    assert facts == {"A": (3, 0, 3), "B": (0, 2, 2), "C": (1, 4, 4)}
    record = choice_for("test:1")
    assert record is not None
    assert (record.location.name, record.group, record.strategy) == ("B", group, Strategy.LEAST_USERS)
    assert choice_sentences(record.details) == ["B has the fewest users: 2 (0 online, 2 logins)."]


def test_with_capacities_the_share_decides() -> None:
    group = group_of(place("A", accounts=3, capacity=100), place("B", accounts=2, capacity=4))
    choice = services.location_choose(group, now=now())
    assert choice_sentences(choice.details) == ["A has the most room: 3 of 100 (0 online, 3 logins)."]


def test_who_is_left_out_and_why() -> None:
    group = group_of(
        place("A", reach=Reach.OFFLINE), place("B", cpu_load=85), place("C", licence_limit=2, sessions=2),
        place("D", capacity=1, accounts=1), place("E", is_active=False), place("F"), place("G", accounts=9),
    )  # fmt: skip
    services.group_put(group, paused=[Location.objects.get(name="F")], actor=None)
    choice = services.location_choose(group, now=now())
    assert choice.location.name == "G"
    assert {one["name"]: one["unfit"] for one in choice.details["candidates"]} == {
        "A": Unfit.UNREACHABLE, "B": Unfit.CPU, "C": Unfit.LICENCE, "D": Unfit.FULL, "E": Unfit.INACTIVE,
        "F": Unfit.PAUSED, "G": "",
    }  # fmt: skip
    assert choice_sentences(choice.details)[1:] == [
        "A was left out: its router cannot be reached.", "B was left out: its CPU load was 85 %.",
        "C was left out: its licence allows 2 sessions.", "D was left out: it is full (1 of 1).",
        "E was left out: switched off.", "F was left out: paused in the group.",
    ]  # fmt: skip
    with translation.override("id"):
        assert len(choice_sentences(choice.details)) == 7


def test_a_licence_counts_hotspot_and_pppoe_sessions_each_for_itself() -> None:
    """Level 4: 200 and 200; level 3: 1 and 200 (MikroTik manual)."""
    both, full, three = (
        place("A", licence_limit=2, sessions=1),
        place("B", licence_limit=200),
        place("C", licence_limit=1),
    )
    sessions = [(both, 1), (full, 200), (three, 199)]
    RouterSession.objects.bulk_create(
        RouterSession(location=at, kind=Kind.PPP, router_id=f"*p{n}", name=f"p{n}", started_at=now(), seen_at=now())
        for at, count in sessions for n in range(count)
    )  # fmt: skip
    group = group_of(both, full, three)
    details = services.location_choose(group, now=now()).details
    assert {one["name"]: (one["unfit"], one["sessions"]) for one in details["candidates"]} == {
        "A": ("", 2), "B": (Unfit.LICENCE, 200), "C": ("", 199),
    }  # fmt: skip
    assert choice_sentences(details)[1] == "B was left out: its licence allows 200 sessions."


def test_nearest_and_when_no_place_is_known() -> None:
    solo = place("Solo", latitude="-7.566667", longitude="110.816667", accounts=5)
    jogja = place("Jogja", latitude="-7.797068", longitude="110.370529")
    group = group_of(solo, jogja, place("Nowhere"), strategy=Strategy.GEOGRAPHIC)
    choice = services.location_choose(group, now=now(), point=(-7.60, 110.80))
    assert choice.location == solo
    assert choice_sentences(choice.details) == ["Solo is nearest to the customer: 4 km."]
    distances = {one["name"]: one["distance_km"] for one in choice.details["candidates"]}
    assert (distances["Nowhere"], round(distances["Jogja"])) == (None, 52)
    choice = services.location_choose(group, now=now())
    assert choice.location == jogja
    assert "is not known" in choice_sentences(choice.details)[1]


def test_manual_and_a_persons_own_choice() -> None:
    a, b = place("A"), place("B", reach=Reach.OFFLINE)
    group = group_of(a, b, strategy=Strategy.MANUAL, manual_location=b)
    assert chosen(group) == "B"
    services.group_put(group, strategy=Strategy.LEAST_USERS, actor=None)
    choice = services.location_choose(group, now=now(), override=b)
    assert choice.location == b
    assert "A person chose it" in choice_sentences(choice.details)[1]
    with pytest.raises(DomainError) as refused:
        services.location_choose(group, now=now(), override=b, allowed=[a.pk])
    assert refused.value.code == "balancing.none"
    with pytest.raises(DomainError) as bad:
        services.group_put(group, strategy=Strategy.MANUAL, locations=[a], actor=None)
    assert list(bad.value.fields) == ["manual_location"]


def test_no_router_reachable_is_no_reason_not_to_sell_but_no_place_is() -> None:
    a, b = place("A", reach=Reach.OFFLINE, accounts=1), place("B", reach=Reach.OFFLINE)
    group = group_of(a, b)
    choice = services.location_choose(group, now=now())
    assert choice.location == b
    assert "when it returns" in choice_sentences(choice.details)[1]
    with pytest.raises(DomainError) as refused:
        services.location_choose(group, now=now(), allowed=[])
    assert "A: not possible for this plan or person" in refused.value.message
    assert LocationChoice.objects.count() == 1


def test_asking_chooses_nothing() -> None:
    group = group_of(place("A"), place("B"), strategy=Strategy.ROUND_ROBIN)
    assert [services.location_preview(group).location.name for _n in range(3)] == ["A", "A", "A"]
    assert (LocationChoice.objects.count(), LocationGroup.objects.get().turn) == (0, 0)


def test_many_at_once_never_take_the_same_turn() -> None:
    group = group_of(*(place(name) for name in "ABC"), strategy=Strategy.ROUND_ROBIN)

    def one(_n: int) -> str:
        try:
            return chosen(group)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        counts = Counter(pool.map(one, range(30)))
    assert counts == {"A": 10, "B": 10, "C": 10}
    assert LocationGroup.objects.get().turn == 30
    assert sorted(GroupPlace.objects.values_list("last_turn", flat=True)) == [28, 29, 30]


def test_a_removed_group_leaves_its_choices() -> None:
    group = group_of(place("A"))
    services.location_choose(group, now=now(), subject="test:1")
    services.group_remove(group, actor=None)
    record = choice_for("test:1")
    assert record is not None
    assert (record.group, record.location.name) == (None, "A")
