from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from core import scrub as module
from core.scrub import REPLACEMENT, scrub, scrub_text, secret_register

SECRET = "hunter2-Xy9"


@pytest.mark.parametrize(
    "text",
    [
        f"=password={SECRET}",
        f"['/login', '=name=admin', '={'password'}={SECRET} with spaces']",
        f"[b'/ppp/secret/add', b'=password={SECRET} a b']",
        f'["=password={SECRET} with spaces"]',
        f"=response=00{SECRET}",
        f"password={SECRET}&next=/",
        f"password: {SECRET}",
        f'{{"password": "{SECRET} x"}}',
        f"{{'new_password': '{SECRET} x'}}",
        f'{{"passwd":"{SECRET}"}}',
        f"PGPASSWORD={SECRET}",
        f"JWT_SECRET={SECRET}",
        f"secret_key = {SECRET}",
        f"api-key={SECRET}",
        f"API_KEY: '{SECRET}'",
        f"access_token={SECRET}",
        f"postgresql://mb_app:{SECRET}@db.example.net/mb",
        f"postgresql://mb_app:{SECRET}@x@db.example.net/mb",
        f"rediss://:{SECRET}@redis.example.net:6379/0",
        f"Authorization: Bearer {SECRET}",
        f"Authorization: Basic {SECRET}",
        f"authorization='Token {SECRET}'",
        f"Cookie: csrftoken=a; sessionid={SECRET}",
        f"Set-Cookie: sessionid={SECRET}; HttpOnly",
        f"sessionid={SECRET}",
        "key eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ." + SECRET,
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
        f"Not Found: /pay/{SECRET}/",
        f"Internal Server Error: /pay/{SECRET}/pdf/",
        f"https://billing.example.net/pay/{SECRET}?lang=id",
    ],
)
def test_a_secret_in_text_is_cut_out(text: str) -> None:
    clean = scrub_text(text)
    assert SECRET not in clean
    assert REPLACEMENT in clean
    assert scrub_text(clean) == clean


def test_fernet_tokens_are_cut_out() -> None:
    token = Fernet(Fernet.generate_key()).encrypt(b"x").decode()
    assert scrub_text(f"stored v1:{token} here") == f"stored {REPLACEMENT} here"


@pytest.mark.parametrize(
    "text",
    [
        "failure: already have user with this name for this server",
        "Waiting for router Pos 2 (192.0.2.1:8728)",
        "GET /api/v1/vouchers/?cursor=abc 200",
        "cannot log in: wrong name or password",
        "https://billing.example.net/admin/",
        "mb:k3x9ab:b12",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert scrub_text(text) == text


def test_what_surrounds_a_secret_stays() -> None:
    assert scrub_text(f"=name=budi =password={SECRET} =profile=1M") == "=name=budi =password=[removed] =profile=1M"
    assert scrub_text(f"mb_app:x postgresql://mb_app:{SECRET}@db/mb") == "mb_app:x postgresql://mb_app:[removed]@db/mb"


def test_mappings_by_key_and_nested() -> None:
    value = {
        "username": "budi", "password": SECRET, "Authorization": SECRET, "empty_token": "", "n": 3, "none": None,
        "rows": [{"api_key": SECRET}, f"token={SECRET}"], "pair": (f"password={SECRET}", 1), "raw": b"password=x",
    }  # fmt: skip
    clean = scrub(value)
    assert SECRET not in repr(clean)
    assert (clean["username"], clean["n"], clean["none"], clean["empty_token"]) == ("budi", 3, None, "")
    assert clean["rows"] == [{"api_key": REPLACEMENT}, f"token={REPLACEMENT}"]
    assert clean["raw"] == f"password={REPLACEMENT}"


def test_the_exact_secrets_of_this_process_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_known", set())
    secret_register("a plain word like any", "short", None, "")
    assert scrub_text("said a plain word like any, short") == f"said {REPLACEMENT}, short"
