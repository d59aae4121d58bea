"""What a generic admin form changed, for the activity log: before and after, never a secret."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.forms import BaseForm

from core.fields import EncryptedTextField
from core.scrub import REPLACEMENT, SECRET_KEYS

MAX_LENGTH = 300


def plain(value: Any) -> Any:
    """A JSON value that says what `value` was."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, models.Model):
        return {"id": value.pk, "name": str(value)[:MAX_LENGTH]}
    if isinstance(value, models.QuerySet | list | tuple | set):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): REPLACEMENT if SECRET_KEYS.search(str(key)) else plain(item) for key, item in value.items()}
    return str(value)[:MAX_LENGTH]


def is_secret(model: type[models.Model], name: str) -> bool:
    if SECRET_KEYS.search(name):
        return True
    return any(field.name == name and isinstance(field, EncryptedTextField) for field in model._meta.get_fields())


def form_changes(form: BaseForm, model: type[models.Model]) -> dict[str, dict[str, Any]]:
    """`{field: {"before": …, "after": …}}` of what the person changed."""
    changes: dict[str, dict[str, Any]] = {}
    for name in form.changed_data:
        if is_secret(model, name):
            changes[name] = {"before": REPLACEMENT, "after": REPLACEMENT}
            continue
        before = form.get_initial_for_field(form.fields[name], name)
        changes[name] = {"before": plain(before), "after": plain(form.cleaned_data.get(name))}
    return changes


def row_values(row: models.Model) -> dict[str, Any]:
    """All readable columns of a row, for the log of a deletion."""
    return {
        field.attname: REPLACEMENT if is_secret(type(row), field.name) else plain(getattr(row, field.attname))
        for field in row._meta.concrete_fields
    }
