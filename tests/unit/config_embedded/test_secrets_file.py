from __future__ import annotations

from pathlib import Path

from cryptography.fernet import Fernet

from config import env
from config.embedded.files import read_env, write_env
from config.embedded.secrets_file import ensure_secrets, new_secrets, secrets_path

NAMES = ["EMULATOR_PASSWORD", "FIELD_ENCRYPTION_KEYS", "JWT_SECRET", "SESSION_SECRET"]


def test_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    made = ensure_secrets(tmp_path)
    content = secrets_path(tmp_path).read_bytes()
    assert sorted(made) == NAMES
    assert secrets_path(tmp_path).stat().st_mode & 0o777 == 0o600
    assert ensure_secrets(tmp_path) == made == read_env(secrets_path(tmp_path))
    assert secrets_path(tmp_path).read_bytes() == content


def test_a_missing_key_is_added_and_the_others_stay(tmp_path: Path) -> None:
    made = ensure_secrets(tmp_path)
    write_env(secrets_path(tmp_path), {key: made[key] for key in NAMES if key != "JWT_SECRET"}, heading="older")
    again = ensure_secrets(tmp_path)
    assert {key: again[key] for key in NAMES if key != "JWT_SECRET"} == {
        key: made[key] for key in NAMES if key != "JWT_SECRET"
    }
    assert again["JWT_SECRET"] not in {"", made["JWT_SECRET"]}


def test_a_file_opened_to_others_is_closed_again(tmp_path: Path) -> None:
    ensure_secrets(tmp_path)
    secrets_path(tmp_path).chmod(0o644)
    ensure_secrets(tmp_path)
    assert secrets_path(tmp_path).stat().st_mode & 0o777 == 0o600


def test_settings_accept_what_is_made_and_every_set_differs() -> None:
    one, two = new_secrets(), new_secrets()
    assert not set(one.values()) & set(two.values())
    assert env.secret(one["SESSION_SECRET"]) == one["SESSION_SECRET"]
    assert env.secret(one["JWT_SECRET"]) == one["JWT_SECRET"]
    assert env.fernet_keys(one["FIELD_ENCRYPTION_KEYS"]) == [one["FIELD_ENCRYPTION_KEYS"]]
    Fernet(one["FIELD_ENCRYPTION_KEYS"])
