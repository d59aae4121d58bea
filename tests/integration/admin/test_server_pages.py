"""The wizard's pages: questions with the router's own interfaces, the commands to review, and only for those who may."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ActivityLog, User
from locations.choices import TlsMode
from locations.choices_configs import BackupReason
from locations.choices_servers import PlanStatus
from locations.emulator.router import EmulatedRouter
from locations.models import ConfigBackup, Location, RouterState, ServerPlan
from tests.integration.admin.world import World
from tests.integration.locations.test_drift import by_hand
from tests.routers import PASSWORD, emulated

Login = Callable[[User], Client]
# one test only: the world is made once a module, and a test with real transactions empties the database
pytestmark = pytest.mark.django_db(transaction=True)
ANSWERS = {
    "interface": "bridge-guests", "name": "guests", "network": "10.20.0.0/24", "gateway": "10.20.0.1",
    "first": "10.20.0.10", "last": "10.20.0.250", "dns_name": "login.guests.example", "login_by": ["http-chap"],
}  # fmt: skip


@pytest.fixture
def router(world: World) -> Iterator[EmulatedRouter]:
    with emulated() as router:
        by_hand(router, "/interface/bridge/add", name="bridge-guests")
        Location.objects.filter(pk=world.near.pk).update(
            host="127.0.0.1",
            port=router.port,
            username="billing",
            password=PASSWORD,
            tls_mode=TlsMode.NONE,
            is_active=True,
        )
        RouterState.objects.filter(pk=world.near.pk).update(serial="")
        yield router


def test_questions_become_commands_and_a_person_confirms_them(
    world: World, login: Login, router: EmulatedRouter
) -> None:
    client = login(world.admin)
    url = reverse("admin:locations_location_server", args=[world.near.pk])
    page = client.get(url, {"kind": "hotspot"}).content.decode()
    assert '<option value="bridge-guests"' in page
    refused = client.post(f"{url}?kind=hotspot", {**ANSWERS, "gateway": "10.20.0.11"})
    assert refused.status_code == 422
    assert "It is among the addresses that customers get." in refused.content.decode()
    assert not ServerPlan.objects.exists()
    writes = router.write_count()
    answer = client.post(f"{url}?kind=hotspot", ANSWERS)
    plan = ServerPlan.objects.get()
    assert answer["Location"] == f"{url}?plan={plan.pk}"
    page = client.get(answer["Location"]).content.decode()
    assert "/ip pool add name=guests ranges=10.20.0.10-10.20.0.250" in page
    assert "/ip pool remove [ find name=guests ]" in page
    assert "Nothing was sent to the router" in page
    client.post(url, {"do": "confirm", "plan": plan.pk})
    plan.refresh_from_db()
    assert (plan.status, plan.confirmed_by, plan.needs_backup) == (PlanStatus.CONFIRMED, world.admin, True)
    assert ConfigBackup.objects.get().reason == BackupReason.WIZARD
    assert router.write_count() == writes  # the writer sends, not the request
    assert ActivityLog.objects.get(action="server.confirmed").details["plan"] == plan.pk
    assert "0 of 7 commands are on the router." in client.get(f"{url}?plan={plan.pk}").content.decode()

    # others may not, and nonsense is refused
    assert login(world.operator).get(url).status_code == 403
    assert login(world.operator).post(f"{url}?kind=hotspot", ANSWERS).status_code == 403
    assert client.get(url).status_code == 200
    assert client.post(url, {"do": "confirm", "plan": "77"}).status_code == 404
    assert client.get(url, {"plan": "²"}).status_code == 200
    assert client.post(f"{url}?kind=pppoe", {}).status_code == 422
