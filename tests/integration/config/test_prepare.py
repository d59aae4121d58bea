from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask

from core.models import Setting
from locations.models import Location

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
def test_without_a_host_nothing_is_seeded(settings: Any) -> None:
    settings.FIRST_LOCATION = {**FIRST, "HOST": ""}
    call_command("prepare", verbosity=0)
    assert not Location.objects.exists()
