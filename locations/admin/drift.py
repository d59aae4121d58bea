"""The drift page of a location: what the router has otherwise than wanted, to tick and to repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from core.client_ip import client_ip
from core.errors import DomainError
from core.formats import moment
from core.numbers import page_number, whole_number
from core.words import Tone, Words
from locations.choices import DriftCategory, DriftSubject, EntryKind, Kind
from locations.models import AccessAccount, DesiredRow, DriftRow, Location, RouterState
from locations.selectors import desired_rows, drift_counts, drift_of
from locations.services import Repaired, drift_repair, location_compare
from locations.sync.drift import PASSWORD
from locations.words import fact_of, row_words

if TYPE_CHECKING:
    from core.admin import ModelAdmin

REPAIR = "locations.repair_location"
ROWS_PER_PAGE = 100
TICKABLE = (DriftCategory.MISSING, DriftCategory.DIFFERENT, DriftCategory.EXTRA, DriftCategory.CONFLICT)


def drift_url(location_id: int) -> str:
    return reverse("admin:locations_location_drift", args=[location_id])


def drift_page(model_admin: ModelAdmin[Location], request: HttpRequest, object_id: str) -> HttpResponse:
    """GET lists; POST compares or repairs what was ticked."""
    row = model_admin.row_for(request, object_id)
    if request.method == "POST":
        return _act(request, row)
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    return TemplateResponse(request, "locations/admin/drift.html", _context(model_admin, request, row))


def _act(request: HttpRequest, row: Location) -> HttpResponse:
    if not request.user.has_perm(REPAIR):
        raise PermissionDenied
    who: dict[str, Any] = {"actor": request.user, "ip": client_ip(request), "now": clock.now()}
    try:
        match request.POST.get("do"):
            case "compare":
                location_compare(row, **who)
                said = _("The router is compared now. Look again in a moment.")
            case "repair_all":
                location_compare(row, repairs=True, **who)
                said = _("The router is compared now, and what is missing or different is sent again.")
            case _:
                ids = {number for value in request.POST.getlist("row") if (number := whole_number(value)) is not None}
                said = repaired_text(drift_repair(row, row_ids=ids, **who))
        messages.success(request, said)
    except DomainError as error:
        messages.error(request, error.message)
    return HttpResponseRedirect(drift_url(row.pk))


def repaired_text(done: Repaired) -> str:
    """What is on its way now, one sentence for each kind of repair."""
    parts = []
    if done.sent:
        text = ngettext("%(n)d entry is sent to the router.", "%(n)d entries are sent to the router.", done.sent)
        parts.append(text % {"n": done.sent})
    if done.removed:
        text = ngettext("%(n)d entry is taken off it.", "%(n)d entries are taken off it.", done.removed)
        parts.append(text % {"n": done.removed})
    if done.adopted:
        text = ngettext("%(n)d entry is taken over.", "%(n)d entries are taken over.", done.adopted)
        parts.append(text % {"n": done.adopted})
    return " ".join(parts) or _("There was nothing to repair among the ticked ones.")


def _context(model_admin: ModelAdmin[Location], request: HttpRequest, row: Location) -> dict[str, Any]:
    state: RouterState | None = getattr(row, "state", None)
    counts = drift_counts(row)
    category = request.GET.get("finding", "")
    category = category if category in DriftCategory.values else next((c for c in DriftCategory if c in counts), "")
    page = page_number(request.GET.get("page", ""))
    rows = list(drift_of(row, category)[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE + 1])
    whole = state.drift if state else {}
    keys = {DriftCategory.CONFLICT: "conflicts"}
    tabs = [
        {
            "name": one.value, "label": one.label, "count": max(counts.get(one, 0), whole.get(keys.get(one, one), 0)),
            "is_now": one == category,
        }
        for one in DriftCategory
    ]  # fmt: skip
    return {
        **model_admin.admin_site.each_context(request),
        "title": _("Drift of %(name)s") % {"name": row.name}, "original": row, "opts": model_admin.opts,
        "back": reverse("admin:locations_location_change", args=[row.pk]), "tabs": tabs, "finding": category,
        "rows": _lines(rows[:ROWS_PER_PAGE], row, state), "can_repair": request.user.has_perm(REPAIR),
        "is_tickable": category in TICKABLE, "older": page + 1 if len(rows) > ROWS_PER_PAGE else None,
        "newer": page - 1 if page > 1 else None, "state_words": compared_words(row, state),
        "setting": row.get_drift_repair_display(),
    }  # fmt: skip


def compared_words(row: Location, state: RouterState | None) -> Words:
    """When the router was last compared, or that a comparison waits."""
    if state is not None and (state.reconcile_due_at or state.compare_wanted):
        return Words(Tone.WAITING, "schedule", _("Waiting for router “%(name)s” to be compared") % {"name": row.name})
    if state is None or state.reconciled_at is None:
        return Words(Tone.QUIET, "schedule", _("Not compared yet"))
    return Words(Tone.GOOD, "check", _("Compared %(at)s") % {"at": moment(state.reconciled_at, row.timezone)})


def _lines(rows: list[DriftRow], location: Location, state: RouterState | None) -> list[dict[str, Any]]:
    wishes = desired_rows(rows)
    return [_line(row, wishes.get((row.subject, row.row_id or 0)), location, state) for row in rows]


def _line(row: DriftRow, wish: DesiredRow | None, location: Location, state: RouterState | None) -> dict[str, Any]:
    is_account = row.subject == DriftSubject.ACCOUNT
    kinds: dict[str, Any] = dict(EntryKind.choices if row.subject == DriftSubject.ENTRY else Kind.choices)
    return {
        "pk": row.pk,
        "name": row.name,
        "kind": kinds.get(row.kind, row.kind),
        "subject": row.get_subject_display(),
        "url": reverse("admin:locations_accessaccount_change", args=[wish.pk]) if is_account and wish else "",
        "differences": [_difference(words, wish, location) for words in row.words],
        "words": _state(row, wish, location, state),
        "is_done": row.removed_at is not None or row.repair_at is not None,
    }


def _difference(words: list[str], wish: DesiredRow | None, location: Location) -> str:
    word, wanted, found = words
    if word == PASSWORD:
        if isinstance(wish, AccessAccount) and wish.applied_at:
            at = moment(wish.applied_at, location.timezone)
            return _("the password is another than the one we set at %(at)s") % {"at": at}
        return _("the password is another than ours")
    if not wanted and not found:
        return word
    values = {"word": word, "wanted": wanted or "–", "found": found or "–"}
    return _("%(word)s: wanted %(wanted)s, router has %(found)s") % values


def _state(row: DriftRow, wish: DesiredRow | None, location: Location, state: RouterState | None) -> Words:
    if wish is not None:
        return row_words(fact_of(wish, location=location, state=state))
    if row.removed_at is not None:
        return Words(Tone.GOOD, "check", _("Gone from the router"))
    if row.router_words:
        return Words(Tone.BAD, "error", _("Router says: “%(words)s”") % {"words": row.router_words})
    if row.repair_at is not None:
        text = _("Waiting for router “%(name)s” to remove it") % {"name": location.name}
        return Words(Tone.WAITING, "schedule", text)
    if row.category == DriftCategory.EXTRA:
        return Words(Tone.WAITING, "help", _("Nobody wants it any more; tick it to take it off"))
    if row.category == DriftCategory.FOREIGN:
        return Words(Tone.QUIET, "check", _("Left alone"))
    return Words(Tone.QUIET, "help", _("No longer wanted here"))
