"""A service sold "somewhere in this group": the group chooses one place, and says why."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from accounts.choices import Role
from billing.models import Subscription
from billing.services.subscriptions import subscription_create
from core.errors import DomainError
from locations.choices import Strategy
from locations.models import LocationChoice, RouterState
from locations.selectors import choice_for
from locations.services import group_put
from tests.integration.billing.service_world import customer, place, plan, user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


def test_the_nearest_place_of_the_plan_is_chosen_and_written_down() -> None:
    near = place("Pos 1", latitude=Decimal("-6.2"), longitude=Decimal("106.8"))
    far = place("Pos 2", latitude=Decimal("-7.2"), longitude=Decimal("112.7"))
    nearer_without_the_plan = place("Pos 3", latitude=Decimal("-6.9"), longitude=Decimal("107.6"))
    RouterState.objects.update(reach="online")
    places = [near, far, nearer_without_the_plan]
    group = group_put(None, name="Jawa", strategy=Strategy.GEOGRAPHIC, locations=places, actor=None)
    who = customer(latitude=Decimal("-6.92"), longitude=Decimal("107.61"))
    row = subscription_create(customer=who, plan=plan(near, far), group=group, actor=None, now=NOW)
    assert row.location == near
    choice = choice_for(f"subscription:{row.pk}")
    assert choice is not None
    assert (choice.location, choice.group, choice.name, choice.chosen_at) == (near, group, row.username, NOW)
    assert [one["unfit"] for one in choice.details["candidates"]] == ["", "", "not_allowed"]


def test_without_a_place_or_with_none_that_fits_nothing_is_made() -> None:
    one, two = place("Pos 1"), place("Pos 2")
    group = group_put(None, name="Kota", strategy=Strategy.LEAST_USERS, locations=[one, two], actor=None)
    who = customer(location=two)
    with pytest.raises(DomainError) as missing:
        subscription_create(customer=who, plan=plan(one), actor=None)
    assert (missing.value.code, list(missing.value.fields)) == ("subscription.location", ["location"])
    person = user("near", Role.OPERATOR, two)
    with pytest.raises(DomainError) as refused:
        subscription_create(customer=who, plan=plan(one, name="Lain"), group=group, actor=person)
    assert (refused.value.code, list(refused.value.fields)) == ("balancing.none", ["group"])
    assert (Subscription.objects.count(), LocationChoice.objects.count()) == (0, 0)
