"""The public page of one bill: who has its link sees it, without a login, a cookie or JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.decorators import csp
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateformat import format as date_format
from django.utils.translation import get_language, override
from django.views.decorators.http import require_safe

from billing.models import Invoice
from billing.pdf import invoice_pdf, language_of
from core import clock
from core.formats import local, money
from core.settings_registry import setting
from portal import selectors
from portal.limits import is_file_over_limit, is_over_limit, miss_count

# no script at all; nothing from elsewhere; nowhere to post to
STRICT = {
    "default-src": ["'none'"], "style-src": ["'self'"], "img-src": ["'self'"], "base-uri": ["'none'"],
    "form-action": ["'none'"], "frame-ancestors": ["'none'"],
}  # fmt: skip
LANGUAGES = dict(settings.LANGUAGES)
View = Callable[..., HttpResponseBase]


def public(view: View) -> View:
    """Not kept, not found by search engines, and the link is told to nobody."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store, private"
        response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    strict: View = csp(STRICT)(require_safe(guarded))
    return strict


@public
def pay_page(request: HttpRequest, token: str) -> HttpResponse:
    """One bill: what it is for, what is still to be paid, how. The language is the customer's; `?lang=` chooses another."""
    if is_over_limit(request):
        return _too_many(request)
    invoice = selectors.invoice_by_token(token)
    if invoice is None:
        return _unknown(request)
    language = _language(request, invoice)
    with override(language):
        response = render(request, "portal/pay.html", _context(request, invoice, language))
    response.headers["Content-Language"] = language
    return response


@public
def pay_pdf(request: HttpRequest, token: str) -> HttpResponse:
    """The same bill as a file."""
    if is_over_limit(request):
        return _too_many(request)
    invoice = selectors.invoice_by_token(token)
    if invoice is None:
        return _unknown(request)
    if is_file_over_limit(request, token):
        return _too_many(request)
    data = invoice_pdf(invoice, _language(request, invoice))
    name = str(invoice.number).replace("/", "-")
    response = HttpResponse(data, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return response


def _language(request: HttpRequest, invoice: Invoice) -> str:
    chosen = request.GET.get("lang", "")
    return chosen if chosen in LANGUAGES else language_of(invoice.customer)


def _context(request: HttpRequest, invoice: Invoice, language: str) -> dict[str, Any]:
    zone = invoice.location.timezone if invoice.location else None
    allocations = selectors.settlements(invoice)
    left = selectors.left_of(invoice)
    query = f"?lang={language}" if request.GET.get("lang") in LANGUAGES else ""
    return {
        **_company(),
        "invoice": invoice,
        "state": selectors.state_of(invoice, allocations, local(clock.now(), zone).date()),
        "lines": selectors.line_rows(invoice),
        "totals": selectors.total_rows(invoice),
        "settlements": selectors.settlement_rows(invoice, allocations),
        "carried": selectors.carried_rows(invoice),
        "left": money(left) if left else "",
        "issued": date_format(invoice.issued_on, "j M Y") if invoice.issued_on else "",
        "due": date_format(invoice.due_on, "j M Y") if invoice.due_on else "",
        "pdf_url": reverse("portal:pay_pdf", args=[invoice.token]) + query,
        "languages": [
            {"code": code, "name": _language_name(code), "is_current": code == language} for code in LANGUAGES
        ],
        "language": language,
    }


def _language_name(code: str) -> str:
    """In its own words: who looks for his language may not read this one."""
    with override(code):
        return str(LANGUAGES[code])


def _company() -> dict[str, Any]:
    return {
        "company": str(setting("company.name")),
        "company_phone": str(setting("company.phone")),
        "company_address": str(setting("company.address")),
    }


def _unknown(request: HttpRequest) -> HttpResponse:
    miss_count(request)
    return render(request, "portal/unknown.html", _plain(), status=404)


def _too_many(request: HttpRequest) -> HttpResponse:
    response = render(request, "portal/too_many.html", _plain(), status=429)
    response.headers["Retry-After"] = "600"
    return response


def _plain() -> dict[str, Any]:
    return {**_company(), "language": get_language() or settings.LANGUAGE_CODE}
