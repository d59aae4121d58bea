"""System settings: declared once in code with type and default, changed in the admin, read by `setting(key)`.

Rooms declare theirs in `AppConfig.ready()`; an undeclared key cannot be read or written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.models import Setting


@dataclass(frozen=True)
class Declaration:
    """`kind` is str, int, bool; `minimum`/`maximum` bound an int, `choices` bounds a str; `check` raises DomainError."""

    key: str
    kind: type[str] | type[int] | type[bool]
    default: Any
    description: str | Promise
    category: str | Promise
    minimum: int | None = None
    maximum: int | None = None
    max_length: int = 500
    choices: tuple[str, ...] = ()
    check: Callable[[str], None] | None = None

    def parse(self, text: str) -> Any:
        """The typed value of what a person typed. Raises DomainError with the reason."""
        text = text.strip()
        if self.kind is bool:
            if text.lower() not in {"true", "false", "yes", "no", "1", "0", "on", "off"}:
                raise self._refusal(_("Write yes or no."))
            return text.lower() in {"true", "yes", "1", "on"}
        if self.kind is int:
            return self._parse_int(text)
        if len(text) > self.max_length:
            raise self._refusal(_("At most %(n)d characters.") % {"n": self.max_length})
        if self.choices and text not in self.choices:
            raise self._refusal(_("One of: %(choices)s.") % {"choices": ", ".join(self.choices)})
        if self.check is not None:
            self.check(text)
        return text

    def _parse_int(self, text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise self._refusal(_("Write a whole number.")) from None
        if self.minimum is not None and value < self.minimum:
            raise self._refusal(_("Not below %(n)d.") % {"n": self.minimum})
        if self.maximum is not None and value > self.maximum:
            raise self._refusal(_("Not above %(n)d.") % {"n": self.maximum})
        return value

    def _refusal(self, message: str) -> DomainError:
        return DomainError("setting.invalid", message, fields={"value": message})


_declared: dict[str, Declaration] = {}


def declare(declaration: Declaration) -> None:
    """Make a setting known. The default must itself be valid."""
    declaration.parse(str(declaration.default))
    _declared[declaration.key] = declaration


def declared() -> list[Declaration]:
    return [_declared[key] for key in sorted(_declared)]


def declaration_of(key: str) -> Declaration:
    """Raises DomainError for a key nobody declared."""
    try:
        return _declared[key]
    except KeyError:
        raise DomainError("setting.unknown", _("There is no setting called %(key)s.") % {"key": key}) from None


def setting(key: str) -> Any:
    """The value in force, typed."""
    declaration = declaration_of(key)
    row = Setting.objects.filter(pk=key).values_list("value", flat=True).first()
    return declaration.parse(str(declaration.default) if row is None else row)


def setting_change(key: str, text: str) -> Any:
    """Validate and store a new value; returns it typed. Raises DomainError and changes nothing when it is not valid."""
    declaration = declaration_of(key)
    value = declaration.parse(text)
    Setting.objects.update_or_create(
        key=key,
        defaults={
            "value": text.strip(),
            "description": str(declaration.description),
            "category": str(declaration.category),
        },
    )
    return value


def sync_settings() -> None:
    """Give every declared setting its row, so that the admin lists them all. Values already there stay."""
    known = set(Setting.objects.values_list("pk", flat=True))
    missing = [
        Setting(
            key=declaration.key,
            value=str(declaration.default),
            description=str(declaration.description),
            category=str(declaration.category),
        )
        for declaration in declared()
        if declaration.key not in known
    ]
    if missing:
        Setting.objects.bulk_create(missing, ignore_conflicts=True)  # somebody else may be doing the same
