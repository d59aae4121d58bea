"""Model fields of the house: amounts, and secrets encrypted at rest."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

PREFIX = "v1:"


class AmountField(models.DecimalField[Any, Any]):
    """Money: numeric(18,2). See `core.money`."""

    def __init__(self, *args: Any, **kwargs: Any):
        kwargs["max_digits"], kwargs["decimal_places"] = 18, 2
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def fernet() -> MultiFernet:
    """The cipher of the current `FIELD_ENCRYPTION_KEYS`, newest first; never derived from another secret."""
    keys = tuple(settings.FIELD_ENCRYPTION_KEYS)
    if not keys:
        raise ImproperlyConfigured("Set FIELD_ENCRYPTION_KEYS: router and gateway passwords are encrypted with it.")
    return _fernet(keys)


def encrypt(value: str) -> str:
    """The stored form of a secret: `v1:` and a Fernet token."""
    return PREFIX + fernet().encrypt(value.encode()).decode()


def decrypt(stored: str) -> str:
    """The secret behind a stored form. Raises ImproperlyConfigured when no configured key opens it."""
    if not stored.startswith(PREFIX):
        raise ValueError("not an encrypted value")
    try:
        return fernet().decrypt(stored[len(PREFIX) :].encode()).decode()
    except InvalidToken:
        raise ImproperlyConfigured(
            "A stored secret cannot be opened: none of FIELD_ENCRYPTION_KEYS is the key it was written with."
        ) from None


class EncryptedTextField(models.TextField[Any, Any]):
    """Text that the database only ever sees encrypted. NULL stays NULL; it cannot be searched."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value if value is None else encrypt(value)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return value if value is None else decrypt(value)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise TypeError(f"{self.name} is encrypted: only isnull can be asked")
        return super().get_lookup(lookup_name)
