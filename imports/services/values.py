"""One row of a customer file: what `customers` will be given, or a sentence for every cell that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import DomainError
from customers.checking import customer_clean
from imports.amounts import amount_read

AMOUNTS = ("balance", "debt")
LANGUAGES = {"id": "id", "indonesia": "id", "indonesian": "id", "en": "en", "english": "en", "inggris": "en"}
ACTIVE = {"yes": True, "ya": True, "1": True, "no": False, "tidak": False, "0": False}
Problem = tuple[str, str]


def row_values(
    given: Mapping[str, str], places: Mapping[str, int], *, default_location: int | None = None
) -> tuple[dict[str, Any], list[Problem]]:
    """Values as JSON keeps them, and pairs of column and problem. Cells are mended where a spreadsheet spoils them.

    `places` are the locations by lower-case name that the person who brought the file may use. `phone_e164` and
    `number` are what the row is compared with others by.
    """
    fields: dict[str, Any] = {"name": "", **{name: text for name, text in given.items() if name not in AMOUNTS}}
    fields |= _mended(fields)
    problems: list[Problem] = []
    location = default_location
    if place := fields.pop("location", ""):
        location = places.get(place.casefold())
        if location is None:
            problems.append(("location", _("There is no location called “%(name)s”.") % {"name": place[:80]}))
    values: dict[str, Any] = {"fields": fields, "location": location}
    try:
        columns = customer_clean(fields)
        values |= {"number": columns.get("number", ""), "phone_e164": columns.get("phone", "")}
    except DomainError as error:
        problems += error.fields.items()
    if not isinstance(fields.get("is_active", True), bool):
        problems.append(("is_active", _("Write yes or no.")))
    for name in AMOUNTS:
        if text := given.get(name):
            try:
                values[name] = str(amount_read(text))
            except DomainError as error:
                problems.append((name, str(error.message)))
    return values, problems


def _mended(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Phone numbers without the 0 that a spreadsheet drops, tags with semicolons, languages by name."""
    found: dict[str, Any] = {}
    phone = str(fields.get("phone", ""))
    if settings.PHONE_REGION == "ID" and phone.isdecimal() and phone.startswith("8"):
        found["phone"] = f"0{phone}"
    if "tags" in fields:
        found["tags"] = str(fields["tags"]).replace(";", ",")
    if "is_active" in fields:
        found["is_active"] = ACTIVE.get(str(fields["is_active"]).casefold(), fields["is_active"])
    if "language" in fields:
        found["language"] = LANGUAGES.get(str(fields["language"]).casefold(), fields["language"])
    return found
