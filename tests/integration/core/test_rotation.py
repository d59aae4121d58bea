from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection

from core import rotation
from core.fields import EncryptedTextField
from core.rotation import secrets_rotate
from locations.models import Location

pytestmark = pytest.mark.django_db

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def old_rows(settings: LazySettings) -> list[Location]:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    return [
        Location.objects.create(name=f"Pos {n}", host="192.0.2.1", username="api", password=f"secret {n}")
        for n in range(5)
    ]


def stored() -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, password FROM locations_location ORDER BY id")
        return dict(cursor.fetchall())


def counts(batch: int = 2) -> tuple[int, int, int]:
    done = {column.name: column for column in secrets_rotate(batch=batch)}["locations.Location.password"]
    return done.rotated, done.current, done.unreadable


def test_every_encrypted_column_of_every_model_is_walked() -> None:
    from django.apps import apps

    fields = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, EncryptedTextField)
    }
    assert {column.name for column in secrets_rotate()} == fields
    assert {"locations.Location.password", "vouchers.Voucher.password"} <= fields


def test_old_secrets_are_rewritten_and_the_old_key_can_go(old_rows: list[Location], settings: LazySettings) -> None:
    before = stored()
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    assert counts() == (5, 0, 0)
    assert all(before[pk] != token for pk, token in stored().items())
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert [row.password for row in Location.objects.order_by("pk")] == [f"secret {n}" for n in range(5)]


def test_a_second_run_changes_nothing(old_rows: list[Location], settings: LazySettings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    counts()
    after = stored()
    assert counts() == (0, 5, 0)
    assert stored() == after


def test_it_goes_on_where_it_was_stopped(
    old_rows: list[Location], settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    write, calls = rotation._write, []

    def stops(names: Any, changes: Any) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return write(names, changes)

    monkeypatch.setattr(rotation, "_write", stops)
    with pytest.raises(KeyboardInterrupt):
        counts()
    monkeypatch.setattr(rotation, "_write", write)
    assert counts() == (3, 2, 0)


def test_a_change_made_meanwhile_wins(
    old_rows: list[Location], settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    write = rotation._write

    def changed_first(names: Any, changes: Any) -> int:
        Location.objects.filter(pk=old_rows[0].pk).update(password="changed now")
        return write(names, changes)

    monkeypatch.setattr(rotation, "_write", changed_first)
    assert counts(batch=100) == (4, 0, 0)
    assert Location.objects.get(pk=old_rows[0].pk).password == "changed now"


def test_what_no_key_opens_is_left_and_told(old_rows: list[Location], settings: LazySettings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, Fernet.generate_key().decode()]
    before = stored()
    with pytest.raises(CommandError, match="5 secrets open with none"):
        call_command("rotate_secrets")
    assert stored() == before


def test_make_key_prints_a_usable_key(capsys: pytest.CaptureFixture[str], settings: LazySettings) -> None:
    call_command("make_key")
    key = capsys.readouterr().out.strip()
    settings.FIELD_ENCRYPTION_KEYS = [key]
    row = Location.objects.create(name="Pos", host="h", username="u", password="x")
    assert Location.objects.get(pk=row.pk).password == "x"
