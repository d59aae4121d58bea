"""The configuration page: versions in words, secrets masked, taken out only by right and written down."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ActivityLog, User
from core.clock import now
from locations.choices_configs import BackupProblem, BackupReason, BackupStatus
from locations.models import ConfigBackup, ConfigVersion, Location
from locations.models.configs import packed
from tests.integration.admin.test_people_and_routers import said
from tests.integration.admin.world import World

Login = Callable[[User], Client]
OLD = ["/ip dns set servers=1.1.1.1", "/ppp secret add name=budi password=satu"]
NEW = ["/ip dns set servers=8.8.8.8", "/ppp secret add name=budi password=dua"]


def kept(location: Location, number: int, lines: list[str], **fields: object) -> ConfigVersion:
    return ConfigVersion.objects.create(
        location=location, number=number, packed=packed(lines), line_count=len(lines), size=10, taken_at=now(),
        seen_at=now(), has_secrets=True, **fields,
    )  # fmt: skip


@pytest.fixture
def url(world: World) -> str:
    kept(world.near, 1, OLD)
    kept(world.near, 2, NEW, is_unexpected=True, added=2, removed=2)
    return reverse("admin:locations_location_configuration", args=[world.near.pk])


def test_what_differs_is_shown_without_secrets(world: World, login: Login, url: str) -> None:
    page = login(world.admin).get(url, {"version": "2"}).content.decode()
    assert "set servers=1.1.1.1" in page
    assert "set servers=8.8.8.8" in page
    assert "a secret in it, or its place, changed" in page
    assert "satu" not in page
    assert "dua<" not in page
    assert "password=•••" in page
    assert "Download with passwords" not in page
    assert "Nobody has looked at it yet" in page


def test_a_change_of_others_is_on_the_overview_until_somebody_looked(world: World, login: Login, url: str) -> None:
    client = login(world.admin)
    assert "Configuration changed" in client.get(reverse("admin:index")).content.decode()
    assert said(client.post(url, {"do": "seen", "version": "2"})) == ["Noted that you looked at this change."]
    version = ConfigVersion.objects.get(number=2)
    assert version.acknowledged_by == world.admin
    assert ActivityLog.objects.get(action="config.acknowledged").details == {"location": world.near.pk, "number": 2}
    assert "Configuration changed" not in client.get(reverse("admin:index")).content.decode()


def test_secrets_leave_only_by_the_own_right_and_are_written_down(world: World, login: Login, url: str) -> None:
    assert login(world.admin).post(url, {"do": "download", "version": "2"}).status_code == 403
    assert not ActivityLog.objects.filter(action="config.downloaded").exists()
    User.objects.filter(pk=world.admin.pk).update(is_superuser=True)
    answer = login(User.objects.get(pk=world.admin.pk)).post(url, {"do": "download", "version": "2"})
    assert "password=dua" in answer.content.decode()
    assert answer["Content-Disposition"].startswith("attachment")
    entry = ActivityLog.objects.get(action="config.downloaded")
    assert (entry.user_id, entry.details["number"]) == (world.admin.pk, 2)


def test_one_can_be_asked_for_now_and_its_state_is_told(world: World, login: Login, url: str) -> None:
    client = login(world.admin)
    client.post(url, {"do": "take"})
    wish = ConfigBackup.objects.get()
    assert (wish.reason, wish.status, wish.actor) == (BackupReason.ASKED, BackupStatus.WAITING, world.admin)
    assert f"Waiting for router “{world.near.name}” to give its configuration" in client.get(url).content.decode()
    ConfigBackup.objects.update(
        status=BackupStatus.FAILED, finished_at=now(), problem=BackupProblem.POLICY, words="ftp"
    )
    assert "the router user lacks rights: ftp. Give its group these policies." in client.get(url).content.decode()
    place = client.get(reverse("admin:locations_location_change", args=[world.near.pk])).content.decode()
    assert url in place


def test_others_see_nothing(world: World, login: Login, url: str) -> None:
    client = login(world.operator)
    assert client.get(url).status_code == 403
    assert client.post(url, {"do": "take"}).status_code == 403
    assert url not in client.get(reverse("admin:locations_location_change", args=[world.near.pk])).content.decode()
    assert login(world.admin).post(url, {"do": "seen", "version": "77"}).status_code == 404
    assert login(world.admin).get(url, {"version": "x", "with": "²"}).status_code == 200
