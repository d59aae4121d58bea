"""The certificate of a location's router: which one is confirmed, which one answers, and how to compare them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin.vendor import INPUT_CLASSES
from core.client_ip import client_ip
from core.errors import DomainError
from core.formats import moment
from core.words import Tone, Words
from locations.choices import TlsMode
from locations.models import Location
from locations.routeros.errors import RouterError
from locations.services import (
    CertificateState,
    certificate_look,
    certificate_state,
    certificate_trust,
    is_tunnelled,
    trusting_roles,
)
from locations.services.asking import sentence_of
from locations.words_connection import encryption_words, fingerprint_words

if TYPE_CHECKING:
    from core.admin import ModelAdmin
    from locations.routeros.tls import Certificate

LOOK, TRUST = "locations.test_location", "locations.trust_certificate"


def certificate_url(location_id: int) -> str:
    return reverse("admin:locations_location_certificate", args=[location_id])


def certificate_facts(row: Location) -> dict[str, Any]:
    """For the location's own page: what protects the way to it, and the question that waits."""
    question = certificate_state(row)
    words = encryption_words(
        row.tls_mode, has_fingerprint=bool(row.tls_fingerprint),
        is_tunnelled=row.tls_mode in {TlsMode.NONE, TlsMode.ANONYMOUS} and is_tunnelled(row),
    )  # fmt: skip
    return {
        "encryption_words": words,
        "certificate_url": certificate_url(row.pk) if row.tls_mode == TlsMode.PINNED else "",
        "certificate_words": question_words(question) if question.seen else None,
        "certificate_old": fingerprint_words(question.confirmed),
        "certificate_new": fingerprint_words(question.seen),
        "trusting_roles": ", ".join(trusting_roles()),
    }


def question_words(question: CertificateState) -> Words:
    if not question.seen and question.confirmed:
        return Words(Tone.GOOD, "check_circle", _("Confirmed. Any other certificate stops all work here."))
    if not question.seen:
        return Words(Tone.WAITING, "schedule", _("No certificate seen and none confirmed yet"))
    if question.is_changed:
        text = _("Another certificate answers than the confirmed one. All work here has stopped; no password was sent.")
        return Words(Tone.BAD, "error", text)
    return Words(
        Tone.WAITING, "lock", _("Not confirmed yet. The password is not sent before somebody has compared it.")
    )


def certificate_page(model_admin: ModelAdmin[Location], request: HttpRequest, object_id: str) -> HttpResponse:
    """GET shows; POST `look` asks the router, `trust` confirms. Network, so nothing here runs in a transaction."""
    row = model_admin.row_for(request, object_id)
    if request.method == "POST":
        return _trust(request, row) if request.POST.get("do") == "trust" else _look(model_admin, request, row)
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    return _page(model_admin, request, row)


def _look(model_admin: ModelAdmin[Location], request: HttpRequest, row: Location) -> HttpResponse:
    if not request.user.has_perm(LOOK):
        raise PermissionDenied
    try:
        found = certificate_look(row)
    except RouterError as error:
        messages.error(request, sentence_of(error.problem, error.words))
        return HttpResponseRedirect(certificate_url(row.pk))
    fresh = model_admin.get_object(request, str(row.pk)) or row
    return _page(model_admin, request, fresh, found)


def _trust(request: HttpRequest, row: Location) -> HttpResponse:
    if not request.user.has_perm(TRUST):
        raise PermissionDenied
    try:
        text = request.POST.get("fingerprint", "")
        certificate_trust(row, fingerprint=text, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
        messages.success(request, _("This certificate is trusted from now on; any other stops all work here."))
    except DomainError as error:
        messages.error(request, error.message)
    return HttpResponseRedirect(certificate_url(row.pk))


def _page(
    model_admin: ModelAdmin[Location], request: HttpRequest, row: Location, found: Certificate | None = None
) -> HttpResponse:
    question = certificate_state(row)
    is_pinned = row.tls_mode == TlsMode.PINNED
    seen = question.seen or (found.fingerprint if found else "")
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Certificate of %(name)s") % {"name": row.name}, "original": row, "opts": model_admin.opts,
        "is_pinned": is_pinned, "words": question_words(question),
        "encryption_words": encryption_words(row.tls_mode, has_fingerprint=bool(row.tls_fingerprint)),
        "old": fingerprint_words(question.confirmed), "seen": seen if seen != question.confirmed else "",
        "new": fingerprint_words(seen) if seen != question.confirmed else "",
        "is_same": bool(found and found.fingerprint == question.confirmed),
        "found_name": found.name if found else "",
        "found_until": moment(found.valid_until, row.timezone) if found and found.valid_until else "",
        "can_look": request.user.has_perm(LOOK), "can_trust": is_pinned and request.user.has_perm(TRUST),
        "trusting_roles": ", ".join(trusting_roles()), "input_classes": " ".join(INPUT_CLASSES),
        "back": reverse("admin:locations_location_change", args=[row.pk]),
    }  # fmt: skip
    return TemplateResponse(request, "locations/admin/certificate.html", context)
