"""The user that people make for us on a router: commands as pasted, the least rights, and what the check says of them."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from accounts.models import ActivityLog
from core.errors import DomainError
from locations import services
from locations.access_rights import CORE, KNOWN, OPTIONAL, policies_for
from locations.access_scripts import LoginScript, quoted
from locations.admin.access import report_lines
from locations.emulator.router import EmulatedRouter
from locations.models import Location, RouterLogin
from locations.services.access import allowed_clean, password_make
from locations.sync.writer import location_run
from tests.routers import PASSWORD, emulated, location_of

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "127.0.0.1"


def paste(router: EmulatedRouter, text: str) -> None:
    """As somebody at the router's own terminal would."""
    router.command("/system/script/add", {"name": "pasted", "source": text})
    try:
        router.command("/system/script/run", {"number": "pasted"})
    finally:
        router.command("/system/script/remove", {"numbers": "pasted"})


def prepare(location: Location, version: str = "7.16.1", **options: object) -> services.Prepared:
    values = {"features": (), "allowed_from": HERE, "is_plain": True, "actor": None, **options}
    return services.login_prepare(location, ros_version=version[0], **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("version", ["6.49.17", "7.16.1", "7.21"])
@pytest.mark.parametrize("features", [(), ("reboot", "passwords"), tuple(one.key for one in OPTIONAL)])
def test_pasted_checked_and_used(version: str, features: tuple[str, ...]) -> None:
    with emulated(version=version) as router:
        location = location_of(router)
        prepared = prepare(location, version, features=features)
        paste(router, prepared.script)
        paste(router, prepared.script)  # again, without harm

        (group,) = router.rows("/user/group", name=prepared.login.username)
        granted = {one for one in group["policy"].split(",") if not one.startswith("!")}
        assert granted == set(policies_for(features))
        (user,) = router.rows("/user", name=prepared.login.username)
        assert (user["group"], user["address"]) == (prepared.login.username, f"{HERE}/32")

        report = services.access_check(location)
        assert (report.is_ok, report.is_new_login, report.extra) == (True, True, ())
        assert report.granted == granted
        assert report.seen_from == (HERE,)
        assert [one.feature.key for one in report.features if one.missing] == [
            one.key for one in OPTIONAL if one.key not in features
        ]
        location.refresh_from_db()
        assert location.username == prepared.login.username
        assert location_run(location.pk).problem == ""
        assert router.rows("/user/active")[-1]["name"] == prepared.login.username


def test_rights_of_before_are_taken_back() -> None:
    with emulated() as router:
        location = location_of(router)
        paste(router, prepare(location, features=[one.key for one in OPTIONAL]).script)
        prepared = prepare(location)
        paste(router, prepared.script)
        (group,) = router.rows("/user/group", name=prepared.login.username)
        assert {one for one in group["policy"].split(",") if not one.startswith("!")} == set(CORE)


def test_until_it_is_proven_the_old_login_stays_in_use() -> None:
    with emulated() as router:
        location = location_of(router)
        prepare(location)
        assert location_run(location.pk).problem == ""
        with pytest.raises(services.AskError) as refused:
            services.access_check(location)
        assert refused.value.problem == "login"
        location.refresh_from_db()
        assert (location.username, location.password) == ("billing", PASSWORD)
        assert RouterLogin.objects.get().proven_at is None


def test_the_password_is_shown_once_and_written_nowhere() -> None:
    with emulated() as router:
        location = location_of(router)
        prepared = prepare(location)
        password = RouterLogin.objects.get().password
        assert f'password="{password}"' in prepared.script
        with connection.cursor() as cursor:
            cursor.execute("SELECT password FROM locations_routerlogin")
            assert cursor.fetchone()[0].startswith("v1:")
        paste(router, prepared.script)
        services.access_check(location)
        assert RouterLogin.objects.get().password == ""
        assert Location.objects.get().password == password
        logged = json.dumps(list(ActivityLog.objects.values_list("action", "details")))
        assert password not in logged
        assert {"location.login_prepared", "location.login_proven"} <= set(
            ActivityLog.objects.values_list("action", flat=True)
        )
        other = prepare(location)
        assert password not in other.script


def test_too_many_and_too_few_rights_are_said_in_words() -> None:
    with emulated(policies=("api", "read", "write", "reboot", "winbox", "password")) as router:
        location = location_of(router)
        report = services.access_check(location)
        said = [words.text for words in report_lines(report)]
        assert "Does not work: Ping from the router. Missing: test" in said
        assert "Works: Logins, plans, isolation, who is online, repairs, traffic, health" in said
        assert "More rights than needed: password, winbox. Whoever gets this password has them too." in said
        assert "The user may log in from every address. Print the commands again with this server's address." in said
        assert "Open to every address: api, api-ssl (IP, Services)." in said
        assert f"The router sees this server as {HERE}." in said
        assert not report.is_ok
        assert router.write_count() == 0


def test_a_prepared_user_with_the_full_group_has_too_many_rights() -> None:
    with emulated() as router:
        location = location_of(router)
        prepared = prepare(location)
        paste(router, prepared.script + f'\n/user set [find name="{prepared.login.username}"] group=full')
        report = services.access_check(location)
        assert report.is_ok
        assert {"policy", "sensitive", "reboot", "ftp"} <= set(report.extra)


@pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])
def test_the_encrypted_service_gets_a_certificate_and_an_address(version: str) -> None:
    script = LoginScript(
        version[0], "mb-x", "p", CORE, "192.0.2.1/32", 8729, closes_plain=True, common_name="router-1"
    ).text()
    with emulated(version=version) as router:
        paste(router, script)
        paste(router, script)
        (certificate,) = router.rows("/certificate")
        assert certificate["private-key"] == "true"
        services_by_name = {row["name"]: row for row in router.rows("/ip/service")}
        ssl = services_by_name["api-ssl"]
        assert (ssl["certificate"], ssl["address"], ssl["tls-version"], ssl["disabled"]) == (
            "mb-api", "192.0.2.1/32", "only-1.2", "false",
        )  # fmt: skip
        assert services_by_name["api"]["disabled"] == "true"


@pytest.mark.parametrize("text", ['a"b', "$x", "a\\b", 'end" policy=full', "new\nline", "[/user print]", "é"])
def test_nothing_ends_a_quoted_text(text: str) -> None:
    with emulated() as router:
        paste(router, f"/ip hotspot user add name=u1 comment={quoted(text)}")
        assert router.rows("/ip/hotspot/user", name="u1")[0]["comment"] == text
        assert router.count("/ip/hotspot/user") == 2


@pytest.mark.parametrize(
    "text", ["everywhere", "10.0.0.1; x", "0.0.0.0/0", "::/0", ",".join(["10.0.0.1"] * 9), '1.1.1.1"']
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(DomainError):
        allowed_clean(text)
    assert allowed_clean(" 203.0.113.5 , 10.0.0.7/24") == "203.0.113.5/32,10.0.0.0/24"
    assert allowed_clean("") == ""


def test_passwords_are_long_and_never_the_same() -> None:
    made = {password_make() for _i in range(200)}
    assert len(made) == 200
    assert {len(one) for one in made} == {29}
    assert set(CORE) <= set(KNOWN)
