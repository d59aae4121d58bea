"""Plans of servers in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.words import Tone, Words
from locations.choices_servers import PlanStatus
from locations.models import ServerPlan
from locations.server_plans import Step
from locations.sync.server_plan import CHANGED, NO_BACKUP, OTHERWISE, STAYS, THERE


def stop_text(words: str) -> str:
    """Why it stopped: a reason of ours, or the router's own words."""
    texts = {
        THERE: _("The router has that already, and this plan did not make it."),
        OTHERWISE: _("The router took the command, but shows something else than was written."),
        CHANGED: _("Somebody changed it on the router since. Remove it there by hand if it should go."),
        STAYS: _("The router did not remove it."),
        NO_BACKUP: _("The configuration could not be backed up first. Nothing was written."),
    }
    if words.startswith("="):
        return texts.get(words[1:], words[1:])
    return _("The router says: “%(words)s”") % {"words": words} if words else ""


def plan_words(plan: ServerPlan) -> Words:
    name = {"name": plan.location.name}
    match plan.status:
        case PlanStatus.REVIEW:
            return Words(Tone.WAITING, "help", _("To be reviewed. Nothing was sent to the router"))
        case PlanStatus.CONFIRMED | PlanStatus.UNDOING:
            return Words(Tone.WAITING, "schedule", _("Waiting for router “%(name)s”") % name)
        case PlanStatus.DONE:
            return Words(Tone.GOOD, "check_circle", _("On the router; each command was read back"))
        case PlanStatus.FAILED:
            return Words(Tone.BAD, "error", _("Stopped. %(reason)s") % {"reason": stop_text(plan.router_words)})
        case PlanStatus.STALE:
            text = _("The router was changed since this plan was made. Nothing was sent; plan it again")
            return Words(Tone.BAD, "sync_problem", text)
        case PlanStatus.UNDONE:
            return Words(Tone.QUIET, "check", _("Undone; the router confirmed that it is gone"))
    return Words(Tone.QUIET, "block", _("Discarded"))


def step_words(step: Step) -> Words:
    if step.is_undone:
        return Words(Tone.QUIET, "check", _("Taken back"))
    if step.router_id:
        return Words(Tone.GOOD, "check_circle", _("On router"))
    if step.answer:
        return Words(Tone.BAD, "error", stop_text(step.answer))
    if step.is_sent:
        return Words(Tone.WAITING, "schedule", _("Sent, not confirmed yet"))
    return Words(Tone.QUIET, "schedule", _("Not sent"))
