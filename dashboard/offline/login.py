"""Checks about the login: is it on the router, as we want it, and may it still be used?"""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.choices import SubscriptionStatus
from core.formats import data_size, duration
from dashboard import links
from dashboard.links import Step
from dashboard.offline.finding import Finding, Verdict
from dashboard.offline.line import Line
from locations.choices import Hold, Presence, Reach
from locations.models import AccessAccount
from locations.words import fact_of, row_words


def _open(account: AccessAccount) -> Step:
    return Step(_("Open the login"), links.account_page(account.pk), "locations.view_accessaccount")


def login_missing(line: Line) -> Finding | None:
    """A service that runs has a login; a plan that is not published explains it better."""
    if line.account is None:
        if line.publication is None:
            return None
        step = Step(_("Open the service"), links.service_page(line.subscription.pk), "billing.view_subscription")
        sentence = _("The service has no login on the router.")
        return Finding("login", Verdict.CAUSE, sentence, _("Change the service on its page; that makes one."), step)
    if line.account.presence == Presence.ABSENT:
        sentence = _("Login “%(name)s” was taken off the router.") % {"name": line.account.name}
        return Finding("login", Verdict.CAUSE, sentence, _("Put it back on its page."), _open(line.account))
    return None


def login_held(line: Line) -> Finding | None:
    """The router refused it, or has one of that name which is not ours: the router's own words."""
    account = line.account
    if account is None or account.hold == Hold.NONE:
        return None
    sentence = row_words(fact_of(account, location=line.location, state=line.state), line.now).text
    return Finding("held", Verdict.CAUSE, sentence, _("Correct it, then retry on the page."), _open(account))


def login_disabled(line: Line) -> Finding | None:
    account = line.account
    if account is None or not account.is_disabled:
        return None
    sentence = _("Login “%(name)s” is switched off on the router.") % {"name": account.name}
    return Finding("disabled", Verdict.CAUSE, sentence, _("Switch it on if that was a mistake."), _open(account))


def login_held_back(line: Line) -> Finding | None:
    """Held back on the router although the service is open: the wish for the router was not renewed."""
    account = line.account
    if account is None or not account.is_isolated or line.subscription.status == SubscriptionStatus.ISOLATED:
        return None
    sentence = _("Login “%(name)s” is still held back on the router, although the service is open.")
    step = Step(_("Open the service"), links.service_page(line.subscription.pk), "billing.view_subscription")
    advice = _("The next check releases it; if it does not, reopen the service on its page.")
    return Finding("held_back", Verdict.CAUSE, sentence % {"name": account.name}, advice, step)


def login_waiting(line: Line) -> Finding | None:
    """Wanted and confirmed differ. Why the router does not answer, or that it lacks the profile, is said elsewhere."""
    account = line.account
    if account is None or account.hold != Hold.NONE or account.presence == Presence.ABSENT:
        return None
    if account.is_synced:
        words = row_words(fact_of(account, location=line.location, state=line.state), line.now)
        return Finding("sync", Verdict.CLEAR, words.text + ".")
    if line.reach != Reach.ONLINE or not line.location.is_active or not account.profile.is_synced:
        return None
    values = {"name": line.location.name, "login": account.name, "at": line.moment_short(account.changed_at)}
    sentence = _("Waiting for router “%(name)s”: login “%(login)s”, changed %(at)s, is not confirmed yet.") % values
    return Finding("sync", Verdict.WAITING, sentence, _("It is tried again by itself."), _open(account))


def limits_reached(line: Line) -> Finding | None:
    """Validity, online time or data of the login are used up."""
    account = line.account
    if account is None:
        return None
    sentence = _limit(line, account)
    if not sentence:
        return None
    return Finding("limits", Verdict.CAUSE, sentence, _("Change the plan or give more on its page."), _open(account))


def _limit(line: Line, account: AccessAccount) -> str:
    if account.valid_until is not None and account.valid_until <= line.now:
        return _("The login was valid until %(moment)s.") % {"moment": line.moment(account.valid_until)}
    time, size = account.limit_uptime_seconds, account.limit_bytes
    if time and account.used_uptime_seconds >= time:
        return _("The online time of %(limit)s is used up.") % {"limit": duration(time)}
    if size and account.used_bytes >= size:
        return _("The data of %(limit)s is used up.") % {"limit": data_size(size)}
    return ""


def device_lock(line: Line) -> Finding | None:
    """Only one device may log in; the customer may have bought another."""
    account = line.account
    if account is None or not account.mac_address:
        return None
    others = [s.mac_address for s in line.sessions if s.mac_address and s.mac_address != account.mac_address]
    values = {"locked": account.mac_address, "other": others[0] if others else ""}
    if others:
        sentence = _("Device %(other)s is in use, but the login is locked to %(locked)s.") % values
    else:
        sentence = _("Only device %(locked)s may log in.") % values
    advice = _("If the customer has a new device, take the lock off.")
    return Finding("device", Verdict.HINT, sentence, advice, _open(account))
