"""Configuration backups over REST: to read, and never with a secret."""

from __future__ import annotations

from core.clock import now
from locations.choices_configs import BackupProblem, BackupReason, BackupStatus
from locations.models import ConfigBackup, ConfigVersion
from locations.models.configs import packed
from tests.integration.api.conftest import House, Login

VERSIONS, BACKUPS = "/api/v1/config-versions/", "/api/v1/config-backups/"


def test_versions_and_what_differs_are_read_without_secrets(house: House, as_user: Login) -> None:
    common = {"line_count": 1, "size": 10, "taken_at": now(), "seen_at": now(), "location": house.here}
    one = ConfigVersion.objects.create(number=1, packed=packed(["/radius add secret=satu"]), **common)
    two = ConfigVersion.objects.create(number=2, packed=packed(["/radius add secret=dua", "/ip dns set a=b"]), **common)
    elsewhere = ConfigVersion.objects.create(number=1, packed=packed(["x"]), **{**common, "location": house.there})
    admin = as_user(house.admin)
    assert [row["number"] for row in admin.get(VERSIONS, {"location": house.here.pk}).json()["results"]] == [2, 1]
    assert admin.get(f"{VERSIONS}{two.pk}/").json()["lines"] == ["/radius add secret=•••", "/ip dns set a=b"]
    expected = [
        {"menu": "/radius", "sign": "*", "text": "add secret=•••"}, {"menu": "/ip dns", "sign": "+", "text": "set a=b"},
    ]  # fmt: skip
    assert admin.get(f"{VERSIONS}{two.pk}/changes/").json() == expected
    assert admin.get(f"{VERSIONS}{one.pk}/changes/", {"with": two.pk}).json() == expected
    assert admin.get(f"{VERSIONS}{one.pk}/changes/").json() == []
    assert admin.get(f"{VERSIONS}{one.pk}/changes/", {"with": elsewhere.pk}).status_code == 404
    assert admin.get(f"{VERSIONS}{one.pk}/changes/", {"with": "²"}).status_code == 404
    assert as_user(house.operator).get(VERSIONS).status_code == 403


def test_attempts_say_what_went_wrong(house: House, as_user: Login) -> None:
    ConfigBackup.objects.create(
        location=house.here, reason=BackupReason.NIGHTLY, status=BackupStatus.FAILED, requested_at=now(),
        finished_at=now(), problem=BackupProblem.POLICY, words="ftp",
    )  # fmt: skip
    (row,) = as_user(house.admin).get(BACKUPS, {"status": "failed"}).json()["results"]
    assert (row["problem"], row["sentence"]) == (
        "policy", "the router user lacks rights: ftp. Give its group these policies.",
    )  # fmt: skip
