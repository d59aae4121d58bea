"""System check: no registered admin may break the rules of a million rows (DESIGN §3.11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.core.checks import CheckMessage, Error, register
from django.db.models import ForeignKey, ManyToManyField, Model

INDEXED_LOOKUPS = ("__exact", "__startswith")


@register("admin")
def check_admins(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Every rule over every admin of the site."""
    found: list[CheckMessage] = []
    for model_admin in admin.site._registry.values():
        found.extend(check_admin(model_admin))
    return found


def check_admin(model_admin: Any) -> list[CheckMessage]:
    """The rules one admin breaks; ids are stable (`core.A001` …)."""
    from core.admin.base import ModelAdmin
    from core.admin.paginator import EstimatedPaginator

    name = type(model_admin).__name__
    if not isinstance(model_admin, ModelAdmin):
        return [Error(f"{name} does not derive from core.admin.ModelAdmin", obj=model_admin, id="core.A001")]
    problems: list[tuple[str, str]] = []
    if not issubclass(model_admin.paginator, EstimatedPaginator):
        problems.append(("A002", "does not use EstimatedPaginator"))
    if model_admin.show_full_result_count:
        problems.append(("A003", "counts the whole table (show_full_result_count)"))
    if model_admin.list_per_page > 50:
        problems.append(("A004", "shows more than 50 rows per page"))
    problems += [("A005", text) for text in _foreign_keys_without_autocomplete(model_admin)]
    if model_admin.list_select_related is True or model_admin.list_select_related is False:
        problems.append(("A006", "list_select_related must name the relations (or be empty)"))
    problems += [("A007", text) for text in _bad_filters(model_admin)]
    if model_admin.date_hierarchy:
        problems.append(("A008", "date_hierarchy reads the whole table"))
    if model_admin.view_on_site is not False:
        problems.append(("A009", "view_on_site must be off"))
    if not model_admin.is_small_table:
        problems += [("A010", text) for text in _bad_search(model_admin)]
        problems += [("A011", text) for text in _bad_sorting(model_admin)]
    if model_admin.list_editable:
        problems.append(("A012", "list_editable saves rows without asking"))
    return [Error(f"{name} {text}", obj=model_admin, id=f"core.{code}") for code, text in problems]


def _foreign_keys_without_autocomplete(model_admin: Any) -> Iterator[str]:
    from core.admin.base import ReadOnlyMixin

    for owner in [model_admin, *_inlines(model_admin)]:
        if isinstance(owner, ReadOnlyMixin):
            continue
        model: type[Model] = owner.model
        read_only = set(owner.readonly_fields)
        shown = _form_fields(owner)
        for field in [*model._meta.fields, *model._meta.many_to_many]:
            if not isinstance(field, ForeignKey | ManyToManyField) or not field.editable or field.name in read_only:
                continue
            if shown is not None and field.name not in shown:
                continue
            if owner is not model_admin and field.remote_field.model is model_admin.model:
                continue  # the inline's link to its parent is never a control
            if field.name not in owner.autocomplete_fields and not _is_small_choice(owner, field):
                yield f"has no autocomplete for {model.__name__}.{field.name}"


def _is_small_choice(owner: Any, field: Any) -> bool:
    """Whether the form says by itself what may be chosen, and the other table is one that people keep small."""
    target = admin.site._registry.get(field.remote_field.model)
    return field.name in getattr(owner.form, "declared_fields", {}) and getattr(target, "is_small_table", False)


def _inlines(model_admin: Any) -> list[Any]:
    return [inline(model_admin.model, model_admin.admin_site) for inline in model_admin.inlines]


def _form_fields(owner: Any) -> set[str] | None:
    """Names in the form when they are listed by hand; None when the form takes every field of the model."""
    names: set[str] = set()
    for fieldset in [owner.fieldsets, getattr(owner, "add_fieldsets", None)]:
        for _title, options in fieldset or []:
            for line in options["fields"]:
                names.update([line] if isinstance(line, str) else line)
    for line in owner.fields or []:
        names.update([line] if isinstance(line, str) else line)
    return names or None


def _bad_filters(model_admin: Any) -> Iterator[str]:
    from core.admin.filters import AutocompleteFilter

    for entry in model_admin.list_filter:
        if isinstance(entry, type):
            continue
        name, filter_class = entry if isinstance(entry, tuple | list) else (entry, None)
        if "__" in name:
            yield f"filters through a relation ({name})"
            continue
        field = model_admin.model._meta.get_field(name)
        is_asked = isinstance(filter_class, type) and issubclass(filter_class, AutocompleteFilter)
        if field.is_relation and not is_asked:
            yield f"lists every value of the foreign key {name} as a filter"
        elif not field.is_relation and not field.choices and field.get_internal_type() not in {"BooleanField"}:
            yield f"filters by {name}, which has no fixed choices (SELECT DISTINCT)"


def _bad_search(model_admin: Any) -> Iterator[str]:
    for lookup in model_admin.search_fields:
        if not lookup.endswith(INDEXED_LOOKUPS):
            yield f"searches {lookup}: only exact and prefix searches can use an index"
            continue
        if not _is_served(model_admin, lookup.rsplit("__", 1)[0]):
            yield f"searches {lookup}, which no index serves"


def _is_served(model_admin: Any, path: str) -> bool:
    """A column of the model, or, as the only search, one of a related model (an OR over a join reads everything)."""
    relation, _sep, column = path.rpartition("__")
    if not relation:
        return column in indexed_columns(model_admin.model)
    if "__" in relation or len(model_admin.search_fields) > 1:
        return False
    return column in indexed_columns(model_admin.model._meta.get_field(relation).related_model)


def _bad_sorting(model_admin: Any) -> Iterator[str]:
    sortable: Sequence[str] | None = model_admin.sortable_by
    indexed = indexed_columns(model_admin.model)
    if sortable is None:
        yield "sorts by any column; name the indexed ones in sortable_by (or none)"
        return
    for name in sortable:
        column = getattr(getattr(model_admin, name, None), "admin_order_field", name)
        if column.lstrip("-") not in indexed:
            yield f"sorts by {name}, which no index serves"


def indexed_columns(model: type[Model]) -> set[str]:
    """Columns that are the first of an index, a unique constraint or the primary key."""
    columns: list[Any] = list(model._meta.fields)
    names = {field.name for field in columns if field.primary_key or field.unique or field.db_index}
    names |= {index.fields[0].lstrip("-") for index in model._meta.indexes if index.fields and not index.condition}
    names |= {c.fields[0] for c in model._meta.constraints if getattr(c, "fields", None)}  # type: ignore[attr-defined]
    return names | {"pk", "id"}
