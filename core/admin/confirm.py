"""An action on one row: asked on a page of its own (works without JavaScript), done by POST.

The question names the thing and the count; above `TYPED_ABOVE` affected rows the person types the count.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin.widgets import style_form
from core.errors import DomainError

if TYPE_CHECKING:
    from core.admin.base import ModelAdmin

TYPED_ABOVE = 50


class ConfirmForm(forms.Form):
    """Base of the forms of actions. `request_key` makes a second press of the button the same press."""

    request_key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    typed_count = forms.IntegerField(required=False, label=gettext_lazy("Type the number to confirm"))

    def __init__(self, *args: Any, affected: int = 0, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {}).setdefault("request_key", uuid.uuid4().hex)
        super().__init__(*args, **kwargs)
        self.affected = affected
        if affected <= TYPED_ABOVE:
            del self.fields["typed_count"]
        style_form(self)

    def clean_request_key(self) -> str:
        return self.cleaned_data["request_key"] or uuid.uuid4().hex

    def clean_typed_count(self) -> int:
        typed = self.cleaned_data.get("typed_count")
        if typed != self.affected:
            raise forms.ValidationError(_("Type %(n)d to confirm.") % {"n": self.affected})
        return int(typed)


@dataclass(frozen=True)
class Confirmation:
    """`run(cleaned_data)` does it and returns the sentence to show, or a response. Offered only while it is possible.

    `points` say what it would do now, one sentence each, above the form. `preview(cleaned_data)` says it of what was
    chosen: then the first press of the button shows it, and the second does it, if it is still the same.
    """

    title: str | Promise
    question: str | Promise
    button: str | Promise
    run: Callable[[dict[str, Any]], str | HttpResponse]
    form: type[ConfirmForm] = ConfirmForm
    initial: dict[str, Any] | None = None
    affected: int = 0
    icon: str = "check"
    is_danger: bool = False
    is_primary: bool = False
    is_direct: bool = False  # nothing to ask: the page's own button posts it
    expires_seconds: int | None = None  # the button goes away after that
    permission: str = "change"
    points: Sequence[str] = ()
    preview: Callable[[dict[str, Any]], Sequence[str]] | None = None


def confirm_view(admin: ModelAdmin[Any], request: HttpRequest, object_id: str, name: str) -> HttpResponse:
    """GET asks, POST acts. The row must be one the person sees; the action must be possible now."""
    if request.method not in {"GET", "POST", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    row = admin.get_object(request, object_id)
    if row is None:
        raise Http404
    asked: Confirmation | None = getattr(admin, name)(request, row)
    back = reverse(f"admin:{admin._name}_change", args=[row.pk])
    if asked is None:
        messages.warning(request, _("This is not possible any more; nothing was changed."))
        return HttpResponseRedirect(back)
    if not is_allowed(admin, request, asked.permission, row):
        raise PermissionDenied
    data, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = asked.form(data, files, affected=asked.affected, initial=dict(asked.initial or {}))
    points, seen = asked.points, ""
    if request.method == "POST" and form.is_valid():
        try:
            if asked.preview and (found := asked.preview(form.cleaned_data)):
                points, seen = found, hashlib.sha256("\n".join(found).encode()).hexdigest()
            done = None if seen != request.POST.get("seen", "") else asked.run(form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            if isinstance(done, HttpResponse):
                return done
            if done is not None:
                messages.success(request, done)
                return HttpResponseRedirect(back)
    context = {
        **admin.admin_site.each_context(request),
        "title": asked.title, "asked": asked, "form": form, "original": row, "back": back, "opts": admin.opts,
        "form_classes": {}, "has_view_permission": True, "points": points, "seen": seen,
    }  # fmt: skip
    status = 422 if form.errors else 200
    return TemplateResponse(request, "core/admin/confirm.html", context, status=status)


def is_allowed(admin: ModelAdmin[Any], request: HttpRequest, permission: str, row: Any) -> bool:
    """`permission` is "change", "delete" … of this admin, or a dotted permission."""
    if "." in permission:
        return bool(request.user.has_perm(permission))
    return bool(getattr(admin, f"has_{permission}_permission")(request, row))
