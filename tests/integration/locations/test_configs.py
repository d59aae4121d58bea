"""Configuration backups: what the router says is kept whole or not at all, once, encrypted, and changes of others are told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from core import events
from core.clock import now as real_now
from core.errors import DomainError
from core.settings_registry import setting_change
from locations import services
from locations.choices import Kind
from locations.choices_configs import CONFIGS_KEPT, CONFIGS_NIGHTLY, BackupProblem, BackupReason, BackupStatus
from locations.emulator import exporting
from locations.events import ConfigChanged
from locations.models import ConfigBackup, ConfigVersion, Location, RouterState
from locations.sync import config_backup, config_export
from locations.sync.sweep import locations_due
from locations.sync.writer import location_run
from tests.integration.locations.test_drift import by_hand, put
from tests.processes import wait_until
from tests.routers import Clock, emulated, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)
POLICIES = ("read", "write", "api", "test", "ftp", "sensitive")
VERSIONS = pytest.mark.parametrize("version", ["6.49.17", "7.9.2", "7.16.1"])


def backup(location: Location, reason: BackupReason = BackupReason.ASKED) -> ConfigBackup:
    """Wish for one, let the writer run, look what became of it."""
    wish = services.config_backup_wanted(location, reason, now=real_now())
    assert location_run(location.pk, is_forced=True).problem == ""
    wish.refresh_from_db()
    return wish


def last(location: Location) -> ConfigVersion:
    version = ConfigVersion.objects.filter(location=location).order_by("-number").first()
    assert version is not None
    return version


@VERSIONS
def test_the_whole_configuration_is_kept_with_its_secrets_and_the_file_is_gone(version: str) -> None:
    with emulated(version=version, policies=POLICIES) as router:
        location = location_of(router)
        by_hand(router, "/ppp/secret/add", name="budi", password="kata-rahasia", service="pppoe")
        wish = backup(location)
        assert (wish.status, wish.problem, wish.is_new) == (BackupStatus.TAKEN, BackupProblem.NONE, True)
        kept = last(location)
        assert wish.version_id == kept.pk
        assert (kept.number, kept.has_secrets, kept.is_unexpected, kept.router_version) == (1, True, False, version)
        assert "/ppp secret add name=budi service=pppoe password=kata-rahasia" in kept.lines
        assert "/ip pool add name=hs-pool ranges=10.5.50.2-10.5.50.254" in kept.lines
        assert kept.line_count == len(kept.lines)
        assert on_router(router, "/file") == []
        with connection.cursor() as cursor:
            cursor.execute("SELECT packed FROM locations_configversion")
            (stored,) = cursor.fetchone()
        assert stored.startswith("v1:gAAAA")


def test_the_same_again_is_seen_again_and_a_change_of_others_is_told_until_somebody_looked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events, "_subscriptions", list(events._subscriptions))  # what listens here ends here
    told: list[Any] = []
    events.subscribe(ConfigChanged, told.append, is_critical=True)
    with emulated(policies=POLICIES) as router:
        location = location_of(router)
        backup(location)
        wish = backup(location)
        assert (wish.status, wish.is_new, last(location).number) == (BackupStatus.TAKEN, False, 1)
        assert last(location).seen_at > last(location).taken_at
        by_hand(router, "/ip/firewall/filter/add", chain="forward", action="accept")
        assert backup(location).is_new
        two = last(location)
        assert (two.number, two.added, two.removed, two.is_unexpected, two.is_open) == (2, 1, 0, True, True)
        assert [event.versions for event in told] == [[two.pk]]
        services.config_acknowledge(two, now=real_now(), actor=None)
        assert not last(location).is_open
        with pytest.raises(DomainError):
            services.config_acknowledge(two, now=real_now(), actor=None)


def test_what_we_write_ourselves_is_no_version_and_no_alarm() -> None:
    with emulated(policies=POLICIES) as router:
        location = location_of(router)
        backup(location)
        put(location, "AAAA2222", "BBBB2222")
        profile = services.profile_put(location=location, kind=Kind.PPP, name="rumah", rate_limit="5M/10M")
        services.account_put(profile=profile, name="budi", password="x1", tag="a")
        location_run(location.pk)
        assert {"AAAA2222", "budi"} <= {
            row["name"] for m in ("/ip/hotspot/user", "/ppp/secret") for row in on_router(router, m)
        }
        assert not backup(location).is_new
        only = last(location)
        assert (only.number, only.left_out) == (1, 5)  # three logins, two profiles
        # logins that others made are kept, but no alarm: the drift page lists them
        by_hand(router, "/ip/hotspot/user/add", name="tamu")
        assert backup(location).is_new
        two = last(location)
        assert (two.added, two.is_unexpected) == (1, False)
        # after a change of our own, neither
        by_hand(router, "/ip/pool/add", name="lain", ranges="10.9.0.2-10.9.0.9")
        backup(location, BackupReason.AFTER)
        assert (last(location).number, last(location).is_unexpected) == (3, False)


def test_missing_rights_are_named_and_nothing_is_kept() -> None:
    with emulated(policies=("read", "write", "api", "test", "sensitive")) as router:
        location = location_of(router)
        wish = backup(location)
        assert (wish.status, wish.problem, wish.words) == (BackupStatus.FAILED, BackupProblem.POLICY, "ftp")
        assert not ConfigVersion.objects.exists()
        assert on_router(router, "/file") == []


@VERSIONS
def test_without_the_right_to_see_passwords_it_says_that_they_are_missing(version: str) -> None:
    with emulated(version=version, policies=("read", "write", "api", "test", "ftp")) as router:
        location = location_of(router)
        by_hand(router, "/ppp/secret/add", name="budi", password="kata-rahasia", service="pppoe")
        assert backup(location).status == BackupStatus.TAKEN
        kept = last(location)
        assert not kept.has_secrets
        assert "/ppp secret add name=budi service=pppoe" in kept.lines


CUTS: list[Callable[[str], str]] = [
    lambda text: text[: len(text) // 2],
    lambda text: text.rsplit("\r\n", 2)[0],
    lambda text: text.split("\r\n", 1)[1],
    lambda text: "",
]


@pytest.mark.parametrize("cut", CUTS)
def test_an_export_that_is_not_whole_is_refused(cut: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = exporting.export_text
    with emulated(policies=POLICIES) as router:
        location = location_of(router)
        monkeypatch.setattr(exporting, "export_text", lambda *a, **k: cut(whole(*a, **k)))
        wish = backup(location)
        assert (wish.status, wish.problem) == (BackupStatus.FAILED, BackupProblem.CUT)
        assert not ConfigVersion.objects.exists()
        assert on_router(router, "/file") == []


def test_a_file_larger_than_the_api_prints_is_read_in_pieces_and_before_7_13_refused() -> None:
    for version, status in (("7.16.1", BackupStatus.TAKEN), ("7.9.2", BackupStatus.FAILED)):
        with emulated(version=version, policies=POLICIES) as router:
            location = location_of(router, version)
            router.seed(1500)
            wish = backup(location)
            assert wish.status == status
            if status == BackupStatus.TAKEN:
                assert last(location).size > config_export.PIECE_BYTES * 2
            else:
                assert wish.problem == BackupProblem.UNREADABLE


def test_too_large_is_not_even_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_export, "MAX_BYTES", 100_000)
    with emulated(policies=POLICIES) as router:
        wish = backup(location_of(router))
        assert (wish.status, wish.problem) == (BackupStatus.FAILED, BackupProblem.SIZE)


def test_a_link_that_breaks_leaves_no_half_backup_and_the_next_try_cleans_up() -> None:
    with emulated(policies=POLICIES) as router:
        location = location_of(router)
        location_run(location.pk)
        wish = services.config_backup_wanted(location, BackupReason.ASKED, now=real_now())
        assert locations_due(real_now()) == [(location.pk, 0)]
        router.set_fault("stall", pattern="/file/read", when="before")
        runner = threading.Thread(target=_run_quietly, args=(location.pk,))
        runner.start()
        wait_until(router.held)
        router.drop_connections()
        runner.join(20)
        router.clear_fault()
        router.release()
        wish.refresh_from_db()
        assert (wish.status, wish.tries, ConfigVersion.objects.count()) == (BackupStatus.WAITING, 1, 0)
        assert [row["name"] for row in on_router(router, "/file")] == [config_export.file_name()]
        assert location_run(location.pk, is_forced=True).problem == ""
        wish.refresh_from_db()
        assert (wish.status, wish.tries) == (BackupStatus.TAKEN, 2)
        assert on_router(router, "/file") == []


def _run_quietly(location_id: int) -> None:
    try:
        location_run(location_id, is_forced=True)
    finally:
        connection.close()


def test_a_router_that_breaks_every_time_is_given_up_and_its_other_work_goes_on() -> None:
    with emulated(policies=POLICIES) as router:
        location = location_of(router)
        wish = services.config_backup_wanted(location, BackupReason.ASKED, now=real_now())
        ConfigBackup.objects.update(tries=config_backup.MOST_TRIES)
        put(location, "AAAA2222")
        location_run(location.pk)
        wish.refresh_from_db()
        assert (wish.status, wish.problem) == (BackupStatus.FAILED, BackupProblem.LINK)
        assert "AAAA2222" in {row["name"] for row in on_router(router, "/ip/hotspot/user")}


def test_before_many_changes_the_configuration_is_read_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_backup, "BULK_ROWS", 3)
    with emulated(policies=POLICIES) as router:
        location = location_of(router)
        put(location, "AAAA2222", "BBBB2222")
        location_run(location.pk)
        assert not ConfigBackup.objects.exists()
        put(location, "CCCC2222", "DDDD2222", "EEEE2222")
        location_run(location.pk)
        only = ConfigBackup.objects.get()
        assert (only.reason, only.status) == (BackupReason.BULK, BackupStatus.TAKEN)
        assert last(location).left_out == 3  # a profile and two logins: the three new ones were not there yet
        put(location, "FFFF2222", "GGGG2222", "HHHH2222")
        location_run(location.pk)
        assert ConfigBackup.objects.count() == 1


def test_wishes_that_wait_are_one_with_the_more_urgent_reason() -> None:
    with emulated() as router:
        location = location_of(router)
        at = real_now()
        one = services.config_backup_wanted(location, BackupReason.NIGHTLY, now=at, night_on=at.date())
        two = services.config_backup_wanted(location, BackupReason.IMPORT, now=at)
        assert one.pk == two.pk
        two.refresh_from_db()
        assert (two.reason, two.night_on) == (BackupReason.IMPORT, at.date())
        assert services.config_backup_wanted(location, BackupReason.NIGHTLY, now=at).reason == BackupReason.IMPORT


def test_each_location_has_its_own_night_once() -> None:
    with emulated() as router:
        jakarta = location_of(router, "Barat", timezone="Asia/Jakarta")
        jayapura = location_of(router, "Timur", timezone="Asia/Jayapura")
        evening = datetime(2026, 11, 22, 15, 59, tzinfo=UTC)  # 22.59 and 00.59 there
        assert services.config_backups_nightly(evening) == 1  # Jakarta's last night was missed: made up for
        ConfigBackup.objects.update(status=BackupStatus.FAILED, finished_at=evening)
        assert services.config_backups_nightly(evening) == 0
        later = evening + timedelta(hours=2)  # 00.59 and 02.59
        assert services.config_backups_nightly(later) == 1
        assert [row.location_id for row in ConfigBackup.objects.order_by("pk")] == [jakarta.pk, jayapura.pk]
        setting_change(CONFIGS_NIGHTLY, "no")
        assert services.config_backups_nightly(later + timedelta(days=1)) == 0


def test_old_versions_are_forgotten_by_the_setting() -> None:
    setting_change(CONFIGS_KEPT, "2")
    with emulated(policies=POLICIES) as router:
        location = location_of(router)
        for number in range(4):
            by_hand(router, "/ip/pool/add", name=f"p{number}", ranges=f"10.9.{number}.2-10.9.{number}.9")
            backup(location)
        assert services.configs_prune() == 2
        assert list(ConfigVersion.objects.order_by("number").values_list("number", flat=True)) == [3, 4]
        assert ConfigBackup.objects.count() == 2


def test_another_router_is_not_read() -> None:
    with emulated(policies=POLICIES) as router:
        location = location_of(router)
        RouterState.objects.filter(pk=location.pk).update(serial="OTHER")
        services.config_backup_wanted(location, BackupReason.ASKED, now=real_now())
        assert location_run(location.pk, is_forced=True, now=Clock(real_now())).problem == "wrong_router"
        assert not ConfigVersion.objects.exists()
