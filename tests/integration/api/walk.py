"""Every address the resolver knows, each with the rule it falls under. An address without a rule is a failure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

from core.api.views import HouseView

STANDARD_ADMIN = ("changelist", "add", "history", "delete", "change")


@dataclass(frozen=True)
class Address:
    """`name` is the URL name with its namespace; `route` the pattern as text."""

    route: str
    name: str
    callback: Any

    @property
    def view_class(self) -> type | None:
        return getattr(self.callback, "cls", None) or getattr(self.callback, "view_class", None)

    @property
    def is_api(self) -> bool:
        return self.view_class is not None and issubclass(self.view_class, HouseView)


def addresses() -> list[Address]:
    return list(_walk(get_resolver().url_patterns, "", ""))


def _walk(patterns: Any, route: str, namespace: str) -> Iterator[Address]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            inner = ":".join(part for part in (namespace, entry.namespace) if part)
            yield from _walk(entry.url_patterns, route + str(entry.pattern), inner)
        elif isinstance(entry, URLPattern):
            name = ":".join(part for part in (namespace, entry.name) if part)
            yield Address(route + str(entry.pattern), name, entry.callback)


def admin_models() -> dict[str, Any]:
    """`vouchers_voucher` to its registered admin."""
    return {f"{m._meta.app_label}_{m._meta.model_name}": a for m, a in admin.site._registry.items()}


def admin_rule(address: Address) -> tuple[str, str] | None:
    """(model label, verb) of a standard admin page; None for any other."""
    label, _underscore, verb = address.name.removeprefix("admin:").rpartition("_")
    if address.name.startswith("admin:") and verb in STANDARD_ADMIN and label in admin_models():
        return label, verb
    return None
