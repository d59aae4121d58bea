from __future__ import annotations

import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.models import ActivityLog, User
from accounts.services import user_change, user_create, user_set_password, user_set_role
from core.errors import DomainError
from core.events import emit
from core.staff_events import StaffActed
from tests.integration.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def test_a_new_person_has_flags_group_and_a_line_in_the_log(super_admin: User) -> None:
    user = user_create(
        username=" ani ", email="Ani@EXAMPLE.net", password=PASSWORD, role="admin", actor=super_admin, ip="192.0.2.7"
    )
    user.refresh_from_db()
    assert (user.username, user.email, user.role) == ("ani", "Ani@example.net", "admin")
    assert (user.is_staff, user.is_superuser, user.is_active) == (True, False, True)
    assert user.check_password(PASSWORD)
    row = ActivityLog.objects.get(action="user.created", user=super_admin)
    assert row.ip_address == "192.0.2.7"
    assert row.details == {"user_id": user.pk, "username": "ani", "role": "admin", "email": "Ani@example.net"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": "BUDI"}, "username"),
        ({"username": ""}, "username"),
        ({"username": "a b"}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"email": "no address"}, "email"),
        ({"language": "fr"}, "language"),
        ({"role": "king"}, "role"),
        ({"password": "short"}, "password"),
        ({"password": "1234567890123"}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"username": "charlotte", "password": "charlotte1"}, "password"),
    ],
)
def test_what_is_not_valid_is_refused_and_nothing_is_made(
    operator: User, super_admin: User, changes: dict[str, str], field: str
) -> None:
    before = (User.objects.count(), ActivityLog.objects.count())
    with pytest.raises(DomainError) as refusal:
        user_create(**{"username": "ani", "password": PASSWORD, "actor": super_admin, **changes})
    assert list(refusal.value.fields) == [field]
    assert (User.objects.count(), ActivityLog.objects.count()) == before


@pytest.mark.parametrize("role", ["admin", "operator"])
def test_only_a_super_admin_makes_or_changes_staff(super_admin: User, role: str) -> None:
    actor = user_create(username="ani", password=PASSWORD, role=role, actor=super_admin)
    before = ActivityLog.objects.count()
    for attempt in (
        lambda: user_create(username="x", password=PASSWORD, actor=actor),
        lambda: user_set_role(actor, "super_admin", actor=actor),
        lambda: user_set_password(super_admin, PASSWORD + "!", actor=actor),
        lambda: user_change(super_admin, is_active=False, actor=actor),
        lambda: user_change(super_admin, email="a@example.net", actor=actor),
        lambda: user_change(actor, username="boss", actor=actor),
    ):
        with pytest.raises(DomainError) as refusal:
            attempt()
        assert (refusal.value.code, refusal.value.status) == ("permission.denied", 403)
    assert ActivityLog.objects.count() == before
    assert User.objects.get(pk=actor.pk).role == role


def test_a_person_changes_his_own_address_language_and_password(operator: User) -> None:
    user_change(operator, email="b@example.net", language="en", actor=operator)
    user_set_password(operator, "another good 1", actor=operator)
    stored = User.objects.get(pk=operator.pk)
    assert (stored.email, stored.language, stored.check_password("another good 1")) == ("b@example.net", "en", True)
    row = ActivityLog.objects.filter(action="user.changed").latest("id")
    assert row.details["before"] == {"email": "", "language": ""}
    assert row.details["after"] == {"email": "b@example.net", "language": "en"}


def test_a_role_moves_flags_and_group_and_is_written_down_once(super_admin: User, operator: User) -> None:
    user_set_role(operator, "super_admin", actor=super_admin)
    user_set_role(operator, "super_admin", actor=super_admin)
    stored = User.objects.get(pk=operator.pk)
    assert (stored.is_superuser, [g.name for g in stored.groups.all()]) == (True, ["super_admin"])
    user_set_role(operator, "operator", actor=super_admin)
    assert User.objects.get(pk=operator.pk).is_superuser is False
    rows = ActivityLog.objects.filter(action="user.role_set").order_by("id")
    assert [(row.details["before"], row.details["after"]) for row in rows] == [
        ("operator", "super_admin"), ("super_admin", "operator"),
    ]  # fmt: skip


def test_the_last_super_admin_stays(super_admin: User) -> None:
    for attempt in (
        lambda: user_set_role(super_admin, "admin", actor=super_admin),
        lambda: user_change(super_admin, is_active=False, actor=super_admin),
    ):
        with pytest.raises(DomainError) as refusal:
            attempt()
        assert refusal.value.code == "user.last_super_admin"
    stored = User.objects.get(pk=super_admin.pk)
    assert (stored.role, stored.is_active) == ("super_admin", True)


@pytest.mark.django_db(transaction=True)
def test_two_super_admins_cannot_remove_each_other_at_once() -> None:
    people = [user_create(username=n, password=PASSWORD, role="super_admin", actor=None) for n in ("a", "b")]
    start, refused = threading.Barrier(2), []

    def demote(user: User) -> None:
        try:
            start.wait(timeout=10)
            user_set_role(user, "admin", actor=None)
        except DomainError as error:
            refused.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=demote, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert refused == ["user.last_super_admin"]
    assert User.objects.filter(role="super_admin").count() == 1


def test_a_new_password_ends_other_sessions_and_every_token(operator: User) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        client.force_login(operator)
        assert client.get("/admin/login/").status_code == 302  # logged in: sent on
    refresh = RefreshToken.for_user(operator)
    user_set_password(operator, "another good 1", actor=operator)
    assert BlacklistedToken.objects.filter(token__jti=refresh["jti"]).count() == 1
    assert here.get("/admin/login/").status_code == 200  # asked to log in again
    assert there.get("/admin/login/").status_code == 200


def test_an_access_token_ends_with_the_password(operator: User) -> None:
    from rest_framework_simplejwt.authentication import JWTAuthentication
    from rest_framework_simplejwt.exceptions import AuthenticationFailed

    token = RefreshToken.for_user(operator).access_token
    assert JWTAuthentication().get_user(token) == operator
    user_set_password(operator, "another good 1", actor=operator)
    with pytest.raises(AuthenticationFailed):
        JWTAuthentication().get_user(token)


def test_deactivating_ends_sessions_and_tokens(super_admin: User, operator: User) -> None:
    client = Client()
    client.force_login(operator)
    RefreshToken.for_user(operator)
    user_change(operator, is_active=False, actor=super_admin)
    assert BlacklistedToken.objects.filter(token__user=operator).count() == 1
    assert client.get("/admin/login/").status_code == 200
    assert not Client().login(username="budi", password=PASSWORD)


def test_a_deed_that_cannot_be_written_down_is_not_done(super_admin: User) -> None:
    def deed() -> None:
        with transaction.atomic():
            User.objects.filter(pk=super_admin.pk).update(email="x@example.net")
            emit(StaffActed(user_id=None, action="x", details={"n": float("nan")}))  # PostgreSQL's JSON has no NaN

    with pytest.raises(DatabaseError):
        deed()
    assert User.objects.get(pk=super_admin.pk).email == ""


def test_the_log_keeps_no_secret_and_takes_any_value(super_admin: User) -> None:
    from decimal import Decimal

    from core.clock import now

    moment = now()
    details = {
        "password": "hunter2hunter2", "note": "password=hunter2hunter2 set", "amount": Decimal("5.00"), "at": moment,
        "ids": (1, 2), "nul": "a\x00b", "nested": {"api_key": "k-1", "name": "Pos 2"},
    }  # fmt: skip
    with transaction.atomic():
        emit(StaffActed(user_id=super_admin.pk, action="y" * 150, details=details))
    row = ActivityLog.objects.latest("id")
    assert row.action == "y" * 100
    assert "hunter2" not in str(row.details)
    assert row.details["amount"] == "5.00"
    assert row.details["ids"] == [1, 2]
    assert row.details["nul"] == "ab"
    assert row.details["nested"] == {"api_key": "[removed]", "name": "Pos 2"}


def test_create_admin_generates_a_password_once(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_admin", "siti", "--email", "s@example.net", "--generate")
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("Password: ")
    user = User.objects.get(username="siti")
    assert user.check_password(line.removeprefix("Password: "))
    assert (user.role, user.is_superuser, user.is_staff) == ("super_admin", True, True)
    with pytest.raises(CommandError, match="exists already"):
        call_command("create_admin", "siti", "--generate")


def test_create_admin_reads_a_file_and_can_reset(db: None, tmp_path: pytest.TempPathFactory) -> None:
    file = tmp_path / "password"  # type: ignore[operator]
    file.write_text(PASSWORD + "\n")
    call_command("create_admin", "siti", "--password-file", str(file))
    User.objects.filter(username="siti").update(role="operator", is_superuser=False)
    file.write_text("another good 1\n")
    call_command("create_admin", "siti", "--password-file", str(file), "--reset")
    user = User.objects.get(username="siti")
    assert (user.check_password("another good 1"), user.role, user.is_superuser) == (True, "super_admin", True)
    file.write_text("short")
    with pytest.raises(CommandError, match=r"too short|terlalu pendek"):
        call_command("create_admin", "ani", "--password-file", str(file))
    assert not User.objects.filter(username="ani").exists()
