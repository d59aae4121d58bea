from __future__ import annotations

import pytest
from django.core.management import call_command
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from core.periodic import declare_job
from core.periodic_sync import OURS, PeriodicSynced, periodic_sync

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.periodic._jobs", {})
    declare_job("a.tasks.often", every_seconds=15)
    declare_job("b.tasks.rarely", every_seconds=3600, queue="batches")


def test_jobs_become_rows_that_expire_with_their_period() -> None:
    assert periodic_sync() == PeriodicSynced(made=2)
    rows = PeriodicTask.objects.order_by("name").values_list(
        "name", "task", "interval__every", "interval__period", "queue", "expire_seconds", "enabled"
    )
    assert list(rows) == [
        ("a.tasks.often", "a.tasks.often", 15, "seconds", "celery", 15, True),
        ("b.tasks.rarely", "b.tasks.rarely", 3600, "seconds", "batches", 3600, True),
    ]


def test_again_changes_nothing_and_does_not_wake_beat() -> None:
    periodic_sync()
    before = PeriodicTasks.last_change()
    assert periodic_sync() == PeriodicSynced(same=2)
    assert PeriodicTasks.last_change() == before
    assert IntervalSchedule.objects.count() == 2


def test_what_a_person_changed_follows_the_code_but_stays_disabled() -> None:
    periodic_sync()
    other = IntervalSchedule.objects.create(every=1, period="days")
    PeriodicTask.objects.filter(name="a.tasks.often").update(enabled=False, queue="x", interval=other)
    assert periodic_sync() == PeriodicSynced(changed=1, same=1)
    row = PeriodicTask.objects.get(name="a.tasks.often")
    assert (row.enabled, row.queue, row.interval.every) == (False, "celery", 15)


def test_only_our_own_rows_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    periodic_sync()
    interval = IntervalSchedule.objects.first()
    PeriodicTask.objects.create(name="a person's", task="x.y", interval=interval)
    PeriodicTask.objects.create(name="celery.backend_cleanup", task="celery.backend_cleanup", interval=interval)
    monkeypatch.setattr("core.periodic._jobs", {})
    declare_job("a.tasks.often", every_seconds=15)
    assert periodic_sync() == PeriodicSynced(removed=1, same=1)
    assert set(PeriodicTask.objects.values_list("name", flat=True)) == {
        "a.tasks.often", "a person's", "celery.backend_cleanup",
    }  # fmt: skip


def test_a_row_of_the_same_name_is_taken_over() -> None:
    interval = IntervalSchedule.objects.create(every=5, period="minutes")
    PeriodicTask.objects.create(name="a.tasks.often", task="a.tasks.often", interval=interval)
    assert periodic_sync() == PeriodicSynced(made=1, changed=1)
    assert PeriodicTask.objects.get(name="a.tasks.often").description == OURS


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("sync_periodic")
    assert capsys.readouterr().out == "Periodic jobs: 2 made, 0 changed, 0 removed, 0 as they were.\n"
