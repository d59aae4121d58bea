"""Staff and what they did."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ActivityLog, User
from accounts.selectors import activity_visible_to, lockouts_now
from accounts.services import user_change, user_create, user_set_password, user_set_role, user_unlock
from core.admin import AutocompleteFilter, Confirmation, ConfirmForm, ModelAdmin, ReadOnlyMixin
from core.client_ip import client_ip
from core.formats import ago, moment
from core.panels import IndexPanel, Tile, add_index_panel
from core.words import Tone, Words


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email", "role", "language", "is_active")
        help_texts = {"is_active": gettext_lazy("Switched off: the person cannot log in and every session ends.")}


class NewUserForm(UserForm):
    password = forms.CharField(
        label=gettext_lazy("password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 10 characters. Tell it to the person; he can change it himself."),
    )

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email", "role", "language")


class PasswordForm(ConfirmForm):
    password = forms.CharField(
        label=gettext_lazy("new password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )


@admin.register(User)
class UserAdmin(ModelAdmin[User]):
    form = UserForm
    nav_group, nav_icon, nav_order = "people", "group", 10
    is_small_table = True
    list_display = ("username", "full_name", "role", "state", "last_seen")
    list_filter = ("role", "is_active")
    search_fields = ("username__icontains", "first_name__icontains", "last_name__icontains", "email__icontains")
    search_help_text = gettext_lazy("Name or e-mail address")
    sortable_by = ("username",)
    ordering = ("username",)
    confirmations = ("set_password", "unlock")
    change_list_template = "accounts/admin/users.html"
    fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email")}),
        (gettext_lazy("Rights"), {"fields": ("role", "is_active")}),
        (gettext_lazy("Screen"), {"fields": ("language",)}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "password", "role")}),
        (gettext_lazy("Person"), {"fields": ("first_name", "last_name", "email", "language")}),
    )
    audit_noun = ""

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewUserForm
        return super().get_form(request, obj, change=change, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Never: a person's deeds stand in the activity log. Switch him off instead."""
        return False

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if "autocomplete" in request.path:
            queryset = queryset.filter(is_active=True)
        return super().get_search_results(request, queryset, search_term)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        actor: Any = request.user
        address, data = client_ip(request), form.cleaned_data
        if not change:
            made = user_create(actor=actor, ip=address, **data)
            obj.pk, obj._state.adding = made.pk, False
            return
        fields = {name: data[name] for name in form.changed_data if name in data and name != "role"}
        if fields:
            user_change(obj, actor=actor, ip=address, **fields)
        if "role" in form.changed_data:
            user_set_role(obj, data["role"], actor=actor, ip=address)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        lockouts = lockouts_now() if request.user.has_perm("accounts.view_lockouts") else []
        return super().changelist_view(request, {"lockouts": lockouts, **(extra_context or {})})

    @admin.display(description=gettext_lazy("name"))
    def full_name(self, row: User) -> str:
        return row.get_full_name() or "–"

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: User) -> Any:
        if row.is_active:
            return Words(Tone.GOOD, "check_circle", _("may log in")).html()
        return Words(Tone.QUIET, "block", _("switched off")).html()

    @admin.display(description=gettext_lazy("last login"))
    def last_seen(self, row: User) -> str:
        return ago(row.last_login) if row.last_login else _("never")

    def set_password(self, request: HttpRequest, row: User) -> Confirmation:
        def run(data: dict[str, Any]) -> str:
            user_set_password(row, data["password"], actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("%(name)s has a new password; all sessions ended.") % {"name": row.username}

        return Confirmation(
            title=_("Set a new password"), button=_("Set the password"), run=run, icon="key", form=PasswordForm,
            question=_("Set a new password for %(name)s? Every session of this person ends.") % {"name": row.username},
        )  # fmt: skip

    def unlock(self, request: HttpRequest, row: User) -> Confirmation | None:
        if not any(lockout.username == row.username for lockout in lockouts_now()):
            return None

        def run(data: dict[str, Any]) -> str:
            user_unlock(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("%(name)s may log in again.") % {"name": row.username}

        return Confirmation(
            title=_("End the lock-out"), button=_("End the lock-out"), run=run, icon="lock_open", is_direct=True,
            question=_("Let %(name)s log in again now?") % {"name": row.username}, permission="accounts.unlock_user",
        )  # fmt: skip


@admin.register(ActivityLog)
class ActivityAdmin(ReadOnlyMixin, ModelAdmin[ActivityLog]):
    nav_group, nav_icon, nav_order = "people", "history", 20
    list_display = ("when", "who", "action", "short_details", "ip_address")
    list_select_related = ("user",)
    list_filter = (("user", AutocompleteFilter),)
    search_fields = ("action__startswith",)
    search_help_text = gettext_lazy("Action, for example voucher.sold")
    sortable_by = ()
    ordering = ("-id",)
    csv_fields = ("when", "who", "action", "plain_details", "ip_address")
    fields = ("when", "who", "action", "ip_address", "all_details")
    readonly_fields = fields
    empty_text = gettext_lazy("Everything staff change is written down here.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ActivityLog]:
        return activity_visible_to(request.user)  # type: ignore[arg-type]

    @admin.display(description=gettext_lazy("when"))
    def when(self, row: ActivityLog) -> str:
        return moment(row.created_at)

    @admin.display(description=gettext_lazy("who"))
    def who(self, row: ActivityLog) -> str:
        return str(row.user) if row.user else _("the system")

    @admin.display(description=gettext_lazy("details"))
    def short_details(self, row: ActivityLog) -> str:
        text = self.plain_details(row)
        return text if len(text) <= 90 else text[:89] + "…"

    @admin.display(description=gettext_lazy("details"))
    def plain_details(self, row: ActivityLog) -> str:
        return ", ".join(f"{key}: {_flat(value)}" for key, value in row.details.items())

    @admin.display(description=gettext_lazy("details"))
    def all_details(self, row: ActivityLog) -> Any:
        text = json.dumps(row.details, indent=2, ensure_ascii=False)
        return format_html('<pre class="mb-pre">{}</pre>', text)


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def lockout_tiles(_request: HttpRequest) -> list[Tile]:
    """One while somebody cannot log in; the people's list then says who, and until when."""
    lockouts = lockouts_now()
    if not lockouts:
        return []
    until = _("The last one ends at %(when)s.") % {"when": moment(max(lockout.until for lockout in lockouts))}
    url = reverse("admin:accounts_user_changelist")
    return [Tile(_("Locked out of login now"), str(len(lockouts)), url, Tone.WAITING, "lock", until)]


add_index_panel(IndexPanel(gettext_lazy("Login"), lockout_tiles, "accounts.view_lockouts", order=30))
