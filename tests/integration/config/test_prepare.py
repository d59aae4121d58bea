from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask

from core.models import Setting
from locations.models import Location
from tests.integration.customers.world import make_location

FIRST = {"HOST": "192.168.88.1", "PORT": 8729, "USERNAME": "billing", "PASSWORD": "from-the-environment"}


@pytest.mark.django_db
def test_the_first_location_comes_from_the_environment_once(settings: Any) -> None:
    settings.FIRST_LOCATION = FIRST
    call_command("prepare", verbosity=0)
    location = Location.objects.get()
    assert (location.host, location.port, location.username) == ("192.168.88.1", 8729, "billing")
    assert location.password == "from-the-environment"
    assert location.state.reach == "unknown"

    settings.FIRST_LOCATION = {**FIRST, "HOST": "192.168.88.2"}
    call_command("prepare", verbosity=0)
    assert Location.objects.count() == 1
    assert PeriodicTask.objects.filter(task="locations.tasks.sweep", enabled=True).count() == 1
    assert Setting.objects.filter(key="company.name").count() == 1


@pytest.mark.django_db
def test_a_first_location_that_was_deleted_stays_deleted(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.FIRST_LOCATION = FIRST
    call_command("prepare", verbosity=0)
    Location.objects.all().delete()
    call_command("prepare", verbosity=0)
    assert not Location.objects.exists()
    said = capsys.readouterr()
    assert said.out.count("First location added: 192.168.88.1 (from MIKROTIK_HOST).\n") == 1
    assert said.err == ""


@pytest.mark.django_db
def test_beside_a_location_made_by_hand_nothing_is_seeded_then_or_later(settings: Any) -> None:
    make_location("by hand")
    settings.FIRST_LOCATION = FIRST
    call_command("prepare", verbosity=0)
    assert Location.objects.get().name == "by hand"
    Location.objects.all().delete()
    call_command("prepare", verbosity=0)
    assert not Location.objects.exists()


@pytest.mark.django_db
def test_a_host_that_is_refused_is_told_and_keeps_nothing_from_starting(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """For example an address that became this server's own after the settings were judged."""
    settings.FIRST_LOCATION = {**FIRST, "HOST": "127.0.0.1"}
    settings.ROUTER_LOOPBACK_ALLOWED, settings.LANGUAGE_CODE = False, "en"
    call_command("prepare", verbosity=0)
    assert not Location.objects.exists()
    assert capsys.readouterr().err == (
        "The first location was not added; correct MIKROTIK_HOST or take it out: This address is this server itself.\n"
    )
    settings.FIRST_LOCATION = FIRST
    call_command("prepare", verbosity=0)
    assert Location.objects.get().host == "192.168.88.1"


@pytest.mark.django_db
def test_a_long_name_of_a_host_is_shortened_as_the_locations_name(settings: Any) -> None:
    host = "router." + "a" * 60 + "." + "b" * 60 + ".example.net"
    settings.FIRST_LOCATION = {**FIRST, "HOST": host}
    call_command("prepare", verbosity=0)
    assert (Location.objects.get().host, Location.objects.get().name) == (host, host[:80])


@pytest.mark.django_db
def test_without_a_host_nothing_is_seeded(settings: Any) -> None:
    settings.FIRST_LOCATION = {**FIRST, "HOST": ""}
    call_command("prepare", verbosity=0)
    assert not Location.objects.exists()
