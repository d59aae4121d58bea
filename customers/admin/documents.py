"""A customer's document: its facts, its removal, and its download as a file that no browser runs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin import Confirmation, ModelAdmin, ReadOnlyMixin
from core.client_ip import client_ip
from core.formats import data_size, moment
from core.panels import Link
from customers.models import CustomerDocument
from customers.selectors import documents_visible_to
from customers.services import document_open, document_remove
from customers.services.documents import ENDINGS
from customers.words import customer_name


@admin.register(CustomerDocument)
class DocumentAdmin(ReadOnlyMixin, ModelAdmin[CustomerDocument]):
    """In no menu: documents are reached from their customer."""

    list_display = ("title", "customer", "kind", "size_text", "uploaded")
    list_select_related = ("customer",)
    sortable_by = ()
    ordering = ("-id",)
    confirmations = ("remove",)
    live_template = "customers/admin/document_facts.html"
    is_facts_only = True
    audit_noun = ""
    empty_text = gettext_lazy("Documents are added on the page of their customer.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerDocument]:
        return documents_visible_to(request.user).order_by("-id")  # type: ignore[arg-type]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("customers.view_customerdocument")

    @admin.display(description=gettext_lazy("size"))
    def size_text(self, row: CustomerDocument) -> str:
        return data_size(row.size)

    @admin.display(description=gettext_lazy("uploaded"))
    def uploaded(self, row: CustomerDocument) -> str:
        return moment(row.uploaded_at)

    def facts(self, request: HttpRequest, row: CustomerDocument) -> dict[str, Any]:
        return {
            "document": row,
            "owner": customer_name(row.customer),
            "owner_url": reverse("admin:customers_customer_change", args=[row.customer_id]),
            "link": Link(
                _("Download"), reverse("admin:customers_customerdocument_download", args=[row.pk]), "download"
            ),
            "fact_rows": [
                (_("Kind"), row.get_kind_display()),
                (_("Type"), ENDINGS.get(row.content_type, "").upper()),
                (_("Size"), data_size(row.size)),
                (_("Uploaded"), moment(row.uploaded_at)),
                (_("By"), str(row.uploaded_by) if row.uploaded_by else _("the system")),
            ],
        }

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.download)
        return [
            path("<path:object_id>/download/", view, name="customers_customerdocument_download"),
            *super().get_urls(),
        ]

    def download(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """As an attachment, whatever it is: nothing a customer gave us runs on our address."""
        row = self.get_object(request, object_id)
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        file = document_open(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
        if file is None:
            messages.error(request, _("The file of this document is not in the storage any more."))
            return HttpResponseRedirect(reverse("admin:customers_customerdocument_change", args=[row.pk]))
        name = f"{row.title}.{ENDINGS.get(row.content_type, 'bin')}"
        response = FileResponse(file, as_attachment=True, filename=name, content_type=row.content_type)
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "no-store"
        return response

    def remove(self, request: HttpRequest, row: CustomerDocument) -> Confirmation | None:
        actor: Any = request.user

        def run(data: dict[str, Any]) -> HttpResponseRedirect:
            document_remove(row, actor=actor, ip=client_ip(request))
            messages.success(request, _("The document is removed."))
            return HttpResponseRedirect(reverse("admin:customers_customer_change", args=[row.customer_id]))

        return Confirmation(
            title=_("Remove"), button=_("Remove"), run=run, icon="delete", is_danger=True,
            question=_("Remove “%(title)s” for good?") % {"title": row.title},
            permission="customers.delete_customerdocument",
        )  # fmt: skip
