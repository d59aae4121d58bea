"""The router's configuration is kept before anything of it is ours, and what is taken over is nobody's change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core import clock
from imports.choices import RouterImportStatus
from imports.services import (
    router_import_again,
    router_import_undo,
    router_scripts_give_back,
    router_scripts_retire,
)
from locations.choices_configs import BackupReason, BackupStatus
from locations.emulator.router import BILLING_POLICIES
from locations.models import ConfigBackup, ConfigVersion
from locations.services import config_backup_wanted
from locations.sync import config_backup, writer
from locations.sync.writer import location_run
from tests.integration.imports.mikhmon import pictures
from tests.integration.imports.moved import Moved
from tests.routers import emulated

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def moved() -> Iterator[Moved]:
    policies = tuple({*BILLING_POLICIES, "ftp", "sensitive"})
    with emulated(version="7.16.1", policies=policies) as router:
        yield Moved(router, "7.16.1")


def wishes() -> list[tuple[str, str]]:
    return list(ConfigBackup.objects.order_by("pk").values_list("reason", "status"))


def last() -> ConfigVersion:
    version = ConfigVersion.objects.order_by("-number").first()
    assert version is not None
    return version


def test_reading_a_router_keeps_its_configuration_as_it_is_before_anything_is_ours(moved: Moved) -> None:
    run = moved.run()
    assert wishes() == [(BackupReason.IMPORT, BackupStatus.WAITING)]
    assert moved.run().pk == run.pk  # the same press of the button is no second wish
    location_run(moved.location.pk)
    assert wishes() == [(BackupReason.IMPORT, BackupStatus.TAKEN)]
    lines = last().lines
    assert any(line.startswith("/ip hotspot user profile add name=1Hari ") and "on-login=" in line for line in lines)
    assert any(line.startswith("/ip hotspot user add ") and "name=abc12 " in line for line in lines)
    assert pictures(moved.router) == moved.before
    assert moved.router.rows("/file") == []
    router_import_again(run, actor=moved.boss)
    assert wishes()[1] == (BackupReason.IMPORT, BackupStatus.WAITING)


def test_what_was_taken_over_or_given_back_is_no_alarm(moved: Moved) -> None:
    moved.run()
    location_run(moved.location.pk)
    run = moved.applied()
    config_backup_wanted(moved.location, BackupReason.NIGHTLY, now=clock.now())
    location_run(moved.location.pk)
    two = last()
    assert (two.number, two.added, two.is_unexpected) == (2, 0, False)
    assert two.removed > 3  # profiles and logins that are ours from now on
    router_import_undo(run, actor=moved.boss)
    moved.work(run)
    assert run.status == RouterImportStatus.UNDONE
    assert wishes()[-1] == (BackupReason.AFTER, BackupStatus.WAITING)
    location_run(moved.location.pk)
    assert (last().number, last().is_unexpected, last().added) == (3, False, two.removed)
    moved.router.command("/ip/pool/add", {"name": "lain", "ranges": "10.9.0.2-10.9.0.9"})
    config_backup_wanted(moved.location, BackupReason.NIGHTLY, now=clock.now())
    location_run(moved.location.pk)
    assert (last().number, last().is_unexpected) == (4, True)


def test_scripts_leave_and_come_back_only_after_a_backup_also_while_the_writer_works(
    moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = moved.run()
    location_run(moved.location.pk)
    run = moved.applied()
    kept: list[bool] = []
    taken = config_backup.backup_take

    def looked(*args: object, **kwargs: object) -> None:
        rows = moved.router.rows("/ip/hotspot/user/profile", name="1Hari")
        kept.append(bool(rows[0].get("on-login")))
        taken(*args, **kwargs)  # type: ignore[arg-type]  # passed on as it came
        if len(kept) == 1:  # a person presses the button while the writer is at work
            router_scripts_retire(run, actor=moved.boss)

    monkeypatch.setattr(writer, "backup_take", looked)
    config_backup_wanted(moved.location, BackupReason.NIGHTLY, now=clock.now())
    location_run(moved.location.pk, is_forced=True)
    assert kept == [True, True]
    assert not moved.router.rows("/ip/hotspot/user/profile", name="1Hari")[0].get("on-login")
    run.refresh_from_db()
    router_scripts_give_back(run, actor=moved.boss)
    location_run(moved.location.pk, is_forced=True)
    assert kept == [True, True, False]
    assert moved.router.rows("/ip/hotspot/user/profile", name="1Hari")[0]["on-login"]
    assert [reason for reason, _status in wishes()] == ["import", "nightly", "import", "import"]
