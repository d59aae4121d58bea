"""Checks about the router: can we reach it, is it the right one, does it know the plan?"""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

from core.formats import ago, duration
from dashboard import links
from dashboard.links import Step
from dashboard.offline.finding import Finding, Verdict
from dashboard.offline.line import Line
from locations.choices import Hold, Presence, Reach
from locations.words import fact_of, row_words, unreachable_words
from locations.words_health import error_text

SKEW_SECONDS = 300  # less than this moves no day and no validity that anybody would notice
STALE = timedelta(minutes=5)  # sessions are read every 30-60 s


def _router(line: Line) -> Step:
    return Step(_("Open the location"), links.location_page(line.location.pk), "locations.view_location")


def location_off(line: Line) -> Finding | None:
    if line.location.is_active:
        return None
    sentence = _("Location “%(name)s” is switched off by us; nothing is written to its router.")
    sentence %= {"name": line.location.name}
    return Finding("location", Verdict.CAUSE, sentence, _("Switch the location on."), _router(line))


def router_unreachable(line: Line) -> Finding | None:
    """Offline, refusing our login, another device, or never contacted; else since when it answers."""
    if not line.location.is_active:
        return None
    name = {"name": line.location.name}
    if line.reach == Reach.ONLINE:
        seen = line.state.seen_at if line.state else None
        if seen is None:
            return Finding("router", Verdict.CLEAR, _("Router “%(name)s” is online.") % name)
        sentence = _("Router “%(name)s” is online, seen %(ago)s.") % (name | {"ago": ago(seen, line.now)})
        return Finding("router", Verdict.CLEAR, sentence)
    if line.reach == Reach.UNKNOWN:
        sentence = _("Router “%(name)s” was not contacted yet.") % name
        return Finding("router", Verdict.CAUSE, sentence, _("Test the connection on its page."), _router(line))
    since = line.state.reach_since if line.state else None
    sentence = unreachable_words(line.reach, since, line.waiting, line.zone, line.now).text + "."
    return Finding("router", Verdict.CAUSE, sentence, _advice(line.reach, line.location.name), _router(line))


def _advice(reach: str, name: str) -> str:
    if reach == Reach.REFUSED:
        return _("Correct the router's user name and password in the location.")
    if reach == Reach.CERTIFICATE:
        return _("Compare the router's certificate and confirm it on the location's page.")
    if reach == Reach.WRONG_ROUTER:
        return _("Accept the new router on the location's page, or correct the address.")
    text = _("Check power and line at “%(name)s”. Until the router answers, nobody can see who is online there.")
    return text % {"name": name}


def plan_not_published(line: Line) -> Finding | None:
    """Without a publication there is no profile, and without a profile no login. One that is there may still work."""
    plan, values = line.subscription.plan, {"plan": line.subscription.plan.name, "name": line.location.name}
    if line.publication is not None:
        return Finding("plan", Verdict.CLEAR, _("Plan “%(plan)s” is published at “%(name)s”.") % values)
    sentence = _("Plan “%(plan)s” is not published at “%(name)s”, so the router has no profile for it.") % values
    step = Step(_("Open the plan"), links.plan_page(plan.pk), "billing.view_plan")
    verdict = Verdict.CAUSE if line.account is None else Verdict.HINT
    return Finding("plan", verdict, sentence, _("Publish the plan at this location."), step)


def profile_missing(line: Line) -> Finding | None:
    """The profile of the login is refused, leaving, or not on the router yet."""
    if line.account is None:
        return None
    profile = line.account.profile
    name = {"profile": profile.name}
    if profile.hold != Hold.NONE:
        words = row_words(fact_of(profile, location=line.location, state=line.state), line.now).text
        sentence = _("Profile “%(profile)s” is not as we want it. %(words)s") % (name | {"words": words})
        return Finding("profile", Verdict.CAUSE, sentence, _("Correct it, then retry on the page."), _router(line))
    if profile.presence == Presence.ABSENT:
        sentence = _("Profile “%(profile)s” is being removed from the router.") % name
        return Finding("profile", Verdict.CAUSE, sentence, _("Publish the plan again."), _router(line))
    if not profile.is_synced and line.reach == Reach.ONLINE:
        sentence = _("Profile “%(profile)s” is not on the router yet.") % name
        return Finding("profile", Verdict.WAITING, sentence, _("It is tried again by itself."))
    return None


def clock_wrong(line: Line) -> Finding | None:
    skew = line.state.clock_skew_seconds if line.state else None
    if skew is None:
        return None
    if abs(skew) < SKEW_SECONDS:
        return Finding("clock", Verdict.CLEAR, _("The router's clock is right."))
    ahead, behind = _("The router's clock is %(time)s ahead."), _("The router's clock is %(time)s behind.")
    sentence = (ahead if skew > 0 else behind) % {"time": duration(abs(skew))}
    return Finding("clock", Verdict.HINT, sentence, _("Switch on the NTP client of the router."), _router(line))


def contact_errors(line: Line) -> Finding | None:
    """The router answers, but not everything we ask: what we know of it may be old."""
    if line.state is None or line.reach != Reach.ONLINE:
        return None
    if line.state.last_error and line.state.failures:
        sentence = _("The last contact with the router failed: %(error)s") % {
            "error": error_text(line.state.last_error)
        }
        return Finding("contact", Verdict.HINT, sentence, _("It is tried again by itself."), _router(line))
    polled = line.state.polled_at
    if polled is not None and line.now - polled > STALE:
        sentence = _("Who is online was last read from the router %(ago)s.") % {"ago": ago(polled, line.now)}
        return Finding("contact", Verdict.HINT, sentence, _("Test the connection on its page."), _router(line))
    return None
