"""Who is online, and ending sessions."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from core.client_ip import client_ip
from core.error_pages import is_fragment
from core.errors import DomainError
from core.numbers import whole_number
from dashboard.selectors.sessions import Asked, sessions_asked, sessions_page
from dashboard.selectors.traffic import talkers_page, traffic_page
from dashboard.views.pages import page, staff_action, staff_of, staff_page
from locations.choices import Kind
from locations.services import sessions_kick

VIEW, KICK = "locations.view_accessaccount", "locations.kick_accessaccount"
NAMES_SHOWN = 10
MOST = 500


def _number(text: str) -> int:
    return whole_number(text) or 0


def _asked(data: QueryDict) -> Asked:
    query, kind = data.get("q", "").strip()[:100], data.get("kind", "")
    return Asked(query, kind, _number(data.get("location", "")), _number(data.get("before", "")))


@staff_page(VIEW)
def sessions(request: HttpRequest) -> HttpResponse:
    """The page, and for htmx its list alone."""
    asked = _asked(request.GET)
    shown = sessions_page(staff_of(request), asked, clock.now())
    name = "dashboard/parts/sessions.html" if is_fragment(request) else "dashboard/sessions.html"
    return page(request, name, shown=shown, asked=asked, kinds=Kind.choices, now=clock.now(), here=_here(asked))


def _here(asked: Asked) -> str:
    query = QueryDict(mutable=True)
    for key, value in (("q", asked.query), ("kind", asked.kind), ("location", asked.location)):
        if value:
            query[key] = str(value)
    return query.urlencode()


@staff_action(KICK)
def sessions_end(request: HttpRequest) -> HttpResponse:
    """First asks with the number and the names, then writes the wish down. Rows of other people's places are not found."""
    chosen = [_number(text) for text in request.POST.getlist("session")][: MOST + 1]
    rows = list(sessions_asked(staff_of(request), Asked()).filter(pk__in=chosen).order_by("name", "pk"))
    back = reverse("dashboard:sessions")
    if not rows:
        messages.warning(request, _("Nothing was chosen, or it is not online any more. Nothing was changed."))
        return HttpResponseRedirect(back)
    if "yes" not in request.POST:
        able = [row for row in rows if row.kind != Kind.STATIC]
        context = {"rows": able, "names": [row.name for row in able[:NAMES_SHOWN]], "left_out": len(rows) - len(able)}
        return page(request, "dashboard/sessions_end.html", more=max(0, len(able) - NAMES_SHOWN), **context)
    try:
        count = sessions_kick(rows, actor=staff_of(request), now=clock.now(), ip=client_ip(request))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        text = ngettext(
            "The end of %(n)d session is asked for. Below stands what the router confirms.",
            "The end of %(n)d sessions is asked for. Below stands what the routers confirm.",
            count,
        )
        messages.success(request, text % {"n": count})
    return HttpResponseRedirect(back)


@staff_page(VIEW)
def talkers(request: HttpRequest) -> HttpResponse:
    """Who uses most: now, today, in 7 days, this month."""
    period, location = request.GET.get("period", "now"), _number(request.GET.get("location", ""))
    shown = talkers_page(staff_of(request), period, location, clock.now())
    return page(request, "dashboard/talkers.html", shown=shown)


@staff_page("locations.view_location")
def traffic(request: HttpRequest, pk: int) -> HttpResponse:
    """The interfaces of one router: last rates, and the last 24 hours of one of them."""
    shown = traffic_page(staff_of(request), pk, request.GET.get("interface", ""), clock.now())
    if shown is None:
        raise Http404
    return page(request, "dashboard/traffic.html", shown=shown)
