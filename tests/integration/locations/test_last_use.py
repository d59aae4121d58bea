"""What somebody used since the last poll is not given away when his login leaves a router: it is read as it goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from locations import services
from locations.choices import UsagePeriod
from locations.models import AccessAccount, AccountUsage, Location, Observation, RouterSession, SessionRecord
from locations.routeros.values import duration_seconds
from locations.sync import observe, writer
from tests.integration.locations.test_switching import MAC, Two, put, two_routers
from tests.routers import BOTH, hotspot_users

pytestmark = pytest.mark.django_db(transaction=True)


def uses(w: Two, router: Any, seconds: int) -> None:
    """Time goes by everywhere; nobody asks a router."""
    w.one.advance(seconds)
    w.two.advance(seconds)
    w.clock.at += timedelta(seconds=seconds)
    assert [row["user"] for row in router.sessions()["hotspot"]] == ["budi"]


def left_on(router: Any) -> int:
    user = hotspot_users(router)["budi"]
    return duration_seconds(str(user["limit-uptime"])) - duration_seconds(str(user["uptime"]))


@BOTH
@pytest.mark.parametrize("tag", ["a", "b7"])
def test_two_moves_give_no_second_away(version: str, tag: str) -> None:
    with two_routers(version) as w:
        account = put(w.here_profile, tag, limit_uptime_seconds=600)
        w.run(w.here, w.there)
        w.one.hotspot_login("budi", "budi", MAC)
        uses(w, w.one, 40)
        w.run(w.here)
        uses(w, w.one, 28)  # nobody read these
        account = w.switch(account).account
        w.run(w.here, w.there)
        assert left_on(w.two) == 600 - 68

        w.two.hotspot_login("budi", "budi", MAC)
        uses(w, w.two, 30)
        w.run(w.there)
        uses(w, w.two, 20)
        w.two.hotspot_logout(MAC)  # a session that ended unread, and one that runs unread
        w.two.hotspot_login("budi", "budi", MAC)
        uses(w, w.two, 9)
        services.location_switch(account, to=w.here, profile=w.here_profile, actor=None)
        w.run(w.there, w.here)
        (row,) = AccessAccount.objects.all()
        assert (row.location_id, row.used_uptime_seconds) == (w.here.pk, 68 + 59)
        assert left_on(w.one) == 600 - 127


def test_the_days_use_and_the_sessions_record_hold_the_last_seconds_too() -> None:
    with two_routers() as w:
        account = put(w.here_profile, limit_uptime_seconds=600)
        w.run(w.here, w.there)
        w.one.hotspot_login("budi", "budi", MAC, up_rate=1000, down_rate=3000)
        uses(w, w.one, 40)
        w.run(w.here)
        uses(w, w.one, 28)
        w.switch(account)
        w.run(w.here)
        use = AccountUsage.objects.get(location=w.here, period=UsagePeriod.DAY)
        assert (use.seconds, use.bytes_in, use.bytes_out) == (68, 68_000, 204_000)
        record = SessionRecord.objects.get()
        assert (record.uptime_seconds, record.bytes_in, record.bytes_out) == (68, 68_000, 204_000)
        assert RouterSession.objects.count() == 0


@pytest.mark.parametrize("is_session_left", [True, False])
def test_a_removal_in_two_goes_counts_a_session_once(settings: Any, *, is_session_left: bool) -> None:
    """The entry went, its answer was lost, and its session ran on (or ended unread) until the next go."""
    settings.ROUTER_TIMEOUT_SECONDS = 0.5
    with two_routers() as w:
        account = put(w.here_profile, limit_uptime_seconds=600)
        w.run(w.here, w.there)
        w.one.hotspot_login("budi", "budi", MAC)
        uses(w, w.one, 40)
        w.run(w.here)
        uses(w, w.one, 28)
        w.switch(account)
        w.one.set_fault("stall", pattern="hotspot/user/remove$", when="after")
        w.run(w.here)
        w.one.clear_fault()
        assert hotspot_users(w.one) == {}
        uses(w, w.one, 11)
        if not is_session_left:
            w.one.hotspot_logout(MAC)
        w.run(w.here, w.there)
        (row,) = AccessAccount.objects.all()
        # who ended between took the seconds since the last poll with him: no counter holds them any more
        assert row.used_uptime_seconds == (79 if is_session_left else 40)


def test_who_is_wanted_back_before_his_session_ended_keeps_all_of_it(settings: Any) -> None:
    settings.ROUTER_TIMEOUT_SECONDS = 0.5
    with two_routers() as w:
        account = put(w.here_profile, limit_uptime_seconds=600)
        w.run(w.here, w.there)
        w.one.hotspot_login("budi", "budi", MAC, returns=False)
        uses(w, w.one, 40)
        w.run(w.here)
        uses(w, w.one, 28)
        new = w.switch(account).account
        w.one.set_fault("stall", pattern="hotspot/user/remove$", when="after")
        w.run(w.here)
        w.one.clear_fault()
        services.location_switch(new, to=w.here, profile=w.here_profile, actor=None)
        w.run(w.here, w.there)
        (row,) = AccessAccount.objects.all()
        assert (row.location_id, row.past_uptime_seconds, row.epoch_uptime_seconds) == (w.here.pk, 68, 0)
        assert left_on(w.one) == 600 - 68
        assert AccountUsage.objects.get(period=UsagePeriod.DAY).seconds == 68


def test_what_was_read_before_the_worker_died_is_taken_in_before_the_login_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reading that nobody took in, and a removal: the reading comes first."""
    with two_routers() as w:
        account = put(w.here_profile, limit_uptime_seconds=600)
        w.run(w.here, w.there)
        w.one.hotspot_login("budi", "budi", MAC, returns=False)
        uses(w, w.one, 40)
        with monkeypatch.context() as dead:
            dead.setattr(writer, "observations_take", lambda _pk: 0)
            w.run(w.here)
        assert Observation.objects.filter(location=w.here, processed_at=None).count() == 1
        w.one.reboot()  # the counters that were read are gone
        w.switch(account)
        seen: list[int] = []

        def taken(pk: int) -> int:
            seen.append(AccessAccount.objects.filter(location=w.here).count())
            return observe.observations_take(pk)

        monkeypatch.setattr(writer, "observations_take", taken)
        w.run(w.here)
        w.run(w.here, w.there)
        assert seen[0] == 1
        (row,) = AccessAccount.objects.all()
        assert (row.location_id, row.used_uptime_seconds) == (w.there.pk, 40)


def test_reading_the_last_use_costs_no_round_trip() -> None:
    """The same sentences as ever: they ask for more words."""

    def sentences(place: Location, w: Two) -> dict[str, int]:
        w.one.clear_op_log()
        w.run(place)
        counts = w.one.op_counts()
        return {path: counts[path] for path in ("/ip/hotspot/user/print", "/ip/hotspot/active/print") if path in counts}

    with two_routers() as w:
        put(w.here_profile, limit_uptime_seconds=600)
        w.run(w.here, w.there)
        quiet = sentences(w.here, w)
        w.switch(AccessAccount.objects.get())
        leaving = sentences(w.here, w)
        # looked up, looked up again; who is online, who still is
        assert {path: leaving[path] - quiet.get(path, 0) for path in leaving} == {
            "/ip/hotspot/user/print": 2,
            "/ip/hotspot/active/print": 2,
        }
