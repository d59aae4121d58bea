"""The kernel's own rows: settings, errors, slow queries, periodic jobs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin.base import ModelAdmin, ReadOnlyMixin
from core.admin.widgets import style_form
from core.errors import DomainError
from core.formats import ago, duration, moment
from core.models import ErrorRecord, JobRun, Setting, SlowQuery
from core.periodic import jobs
from core.settings_registry import declaration_of, declared, setting_change, sync_settings
from core.words import Tone, Words


class SettingForm(forms.ModelForm):  # type: ignore[type-arg]
    """One value, with the control its declared type asks for."""

    class Meta:
        model = Setting
        fields = ("value",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "value" not in self.fields:
            return
        declaration = declaration_of(self.instance.pk)
        field = self.fields["value"]
        field.help_text = str(declaration.description)
        field.required = declaration.kind is not str
        if declaration.kind is bool:
            is_on = declaration.parse(self.instance.value)
            self.initial["value"] = "true" if is_on else "false"
            field.widget = forms.Select(choices=[("true", _("Yes")), ("false", _("No"))])
        elif declaration.kind is int:
            limits = {"min": declaration.minimum, "max": declaration.maximum}
            field.widget = forms.NumberInput({k: v for k, v in limits.items() if v is not None})
        elif declaration.choices:
            field.widget = forms.Select(choices=[(choice, choice) for choice in declaration.choices])
        else:
            field.widget = forms.TextInput({"maxlength": declaration.max_length})
        field.widget.attrs["aria-label"] = str(field.label)
        style_form(self)

    def clean_value(self) -> str:
        text = str(self.cleaned_data["value"])
        try:
            declaration_of(self.instance.pk).parse(text)
        except DomainError as error:
            raise forms.ValidationError(str(error.message)) from None
        return text


@admin.register(Setting)
class SettingAdmin(ModelAdmin[Setting]):
    form = SettingForm
    nav_group, nav_icon, nav_order = "system", "tune", 10
    is_small_table = True
    list_display = ("key", "value_in_force", "about", "group", "updated")
    fields = ("key", "group", "value", "updated")
    readonly_fields = ("key", "group", "updated")
    search_fields = ("key__icontains",)
    sortable_by = ()
    audit_noun = "setting"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Setting | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        """Only settings that are declared; a row of a removed feature is not a setting any more."""
        return super().get_queryset(request).filter(pk__in=[declaration.key for declaration in declared()])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        sync_settings()
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: Setting, form: Any, change: bool) -> None:
        setting_change(obj.pk, form.cleaned_data["value"])

    @admin.display(description=gettext_lazy("value"))
    def value_in_force(self, row: Setting) -> str:
        declaration = declaration_of(row.pk)
        if declaration.kind is bool:
            return _("Yes") if declaration.parse(row.value) else _("No")
        return row.value or "–"

    @admin.display(description=gettext_lazy("description"))
    def about(self, row: Setting) -> str:
        return str(declaration_of(row.pk).description)

    @admin.display(description=gettext_lazy("category"))
    def group(self, row: Setting) -> str:
        return str(declaration_of(row.pk).category)

    @admin.display(description=gettext_lazy("updated"))
    def updated(self, row: Setting) -> str:
        return moment(row.updated_at)


@admin.register(ErrorRecord)
class ErrorAdmin(ReadOnlyMixin, ModelAdmin[ErrorRecord]):
    nav_group, nav_icon, nav_order = "system", "error", 20
    is_small_table = True  # folded by fingerprint: one row per place in the code
    list_display = ("what", "source", "short_message", "count", "last")
    fields = ("kind", "source", "message", "traceback", "request_id", "count", "first", "last")
    search_fields = ("source__icontains", "kind__icontains", "message__icontains", "request_id__exact")
    sortable_by = ()
    ordering = ("-last_at",)
    empty_text = gettext_lazy("Errors nobody was there to see appear here. None so far: good.")

    def get_readonly_fields(self, request: HttpRequest, obj: ErrorRecord | None = None) -> tuple[str, ...]:
        return self.fields

    @admin.display(description=gettext_lazy("kind"))
    def what(self, row: ErrorRecord) -> str:
        return row.kind

    @admin.display(description=gettext_lazy("message"))
    def short_message(self, row: ErrorRecord) -> str:
        return row.message[:120]

    @admin.display(description=gettext_lazy("first"))
    def first(self, row: ErrorRecord) -> str:
        return moment(row.first_at)

    @admin.display(description=gettext_lazy("last"))
    def last(self, row: ErrorRecord) -> str:
        return moment(row.last_at)


@admin.register(SlowQuery)
class SlowQueryAdmin(ReadOnlyMixin, ModelAdmin[SlowQuery]):
    nav_group, nav_icon, nav_order = "system", "speed", 30
    is_small_table = True  # folded by view and statement
    list_display = ("view", "worst", "count", "short_statement", "last")
    fields = ("view", "statement", "count", "worst", "last")
    search_fields = ("view__icontains",)
    sortable_by = ()
    ordering = ("-last_at",)
    empty_text = gettext_lazy("Database queries over 100 ms appear here.")

    @admin.display(description=gettext_lazy("worst"))
    def worst(self, row: SlowQuery) -> str:
        return f"{row.worst_ms} ms"

    @admin.display(description=gettext_lazy("statement"))
    def short_statement(self, row: SlowQuery) -> str:
        return row.statement[:100]

    @admin.display(description=gettext_lazy("last"))
    def last(self, row: SlowQuery) -> str:
        return moment(row.last_at)


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyMixin, ModelAdmin[JobRun]):
    nav_group, nav_icon, nav_order = "system", "schedule", 40
    is_small_table = True
    list_display = ("name", "state", "every", "last_run", "outcome")
    fields = ("name", "state", "every", "started", "finished", "outcome")
    sortable_by = ()
    empty_text = gettext_lazy("Jobs that run by themselves report here after their first run.")

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: JobRun) -> Any:
        return job_words(row).html()

    @admin.display(description=gettext_lazy("runs every"))
    def every(self, row: JobRun) -> str:
        for job in jobs():
            if job.task.replace(".tasks.", ".") == row.pk or job.task == row.pk:
                return duration(job.every_seconds)
        return "–"

    @admin.display(description=gettext_lazy("last run"))
    def last_run(self, row: JobRun) -> str:
        return ago(row.started_at) if row.started_at else "–"

    @admin.display(description=gettext_lazy("started"))
    def started(self, row: JobRun) -> str:
        return moment(row.started_at) if row.started_at else "–"

    @admin.display(description=gettext_lazy("finished"))
    def finished(self, row: JobRun) -> str:
        return moment(row.finished_at) if row.finished_at else "–"


def job_words(row: JobRun) -> Words:
    """How the last run went."""
    if row.is_ok is None:
        return Words(Tone.QUIET, "sync", _("Running"))
    if row.is_ok:
        return Words(Tone.GOOD, "check_circle", _("Went well"))
    return Words(Tone.BAD, "error", _("Failed"))
