"""A batch ordered from a group of locations: the group chooses, says why, and the same order stays the same."""

from __future__ import annotations

import pytest

from accounts.choices import Role
from core.errors import DomainError
from locations.choices import Strategy
from locations.models import LocationChoice
from locations.selectors import choice_for
from locations.services import group_put
from tests.integration.vouchers.world import make_location, make_plan, make_user
from vouchers.models import VoucherBatch
from vouchers.services import batch_create

pytestmark = pytest.mark.django_db


def test_a_batch_goes_where_the_group_says_among_the_places_of_its_plan() -> None:
    one, two, three = (make_location(f"Pos {n}", reach="online") for n in (1, 2, 3))
    group = group_put(None, name="Kota", strategy=Strategy.ROUND_ROBIN, locations=[one, two, three], actor=None)
    plan = make_plan("Harian", two, three)
    batches = [batch_create(plan=plan, group=group, quantity=1, actor=None) for _n in range(3)]
    assert [[place.name for place in batch.locations.all()] for batch in batches] == [["Pos 2"], ["Pos 3"], ["Pos 2"]]
    choice = choice_for(f"voucherbatch:{batches[0].pk}")
    assert choice is not None
    assert (choice.location, choice.group) == (two, group)
    assert choice.details["candidates"][0]["unfit"] == "not_allowed"


def test_an_operator_gets_only_his_places_and_a_group_without_one_is_refused() -> None:
    one, two = make_location("Pos 1", reach="online"), make_location("Pos 2", reach="online")
    group = group_put(None, name="Kota", strategy=Strategy.ROUND_ROBIN, locations=[one, two], actor=None)
    person = make_user("near", Role.OPERATOR, two)
    batch = batch_create(plan=make_plan("Harian", one, two), group=group, quantity=1, actor=person)
    assert [place.name for place in batch.locations.all()] == ["Pos 2"]
    with pytest.raises(DomainError) as refused:
        batch_create(plan=make_plan("Mingguan", one), group=group, quantity=1, actor=person)
    assert (refused.value.code, list(refused.value.fields)) == ("balancing.none", ["group"])
    assert (VoucherBatch.objects.count(), LocationChoice.objects.count()) == (1, 1)
