"""An import in words."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.formats import number
from core.words import Tone, Words
from imports.choices import ImportStatus
from imports.models import ImportRun


def run_words(run: ImportRun) -> Words:
    """Where it is and what comes next."""
    match run.status:
        case ImportStatus.QUEUED:
            return Words(Tone.WAITING, "hourglass_empty", _("Waits to be read"))
        case ImportStatus.CHECKING:
            return Words(Tone.WAITING, "sync", _("Being checked: %(n)s rows") % {"n": number(run.done)})
        case ImportStatus.CHECKED if run.problem_count:
            text = ngettext("%(n)s row has a problem", "%(n)s rows have problems", run.problem_count)
            return Words(Tone.BAD, "error", text % {"n": number(run.problem_count)})
        case ImportStatus.CHECKED:
            text = ngettext(
                "%(n)s customer ready to be brought in", "%(n)s customers ready to be brought in", run.total
            )
            return Words(Tone.GOOD, "check_circle", text % {"n": number(run.total)})
        case ImportStatus.WAITING:
            return Words(Tone.WAITING, "hourglass_empty", _("Waits to be applied"))
        case ImportStatus.APPLYING:
            values = {"done": number(run.done), "total": number(run.total)}
            return Words(Tone.WAITING, "sync", _("Being applied: %(done)s of %(total)s") % values)
        case ImportStatus.APPLIED:
            text = ngettext("%(n)s customer brought in", "%(n)s customers brought in", run.total)
            return Words(Tone.GOOD, "check_circle", text % {"n": number(run.total)})
        case ImportStatus.CANCELLED:
            return Words(Tone.QUIET, "block", _("Cancelled, nothing was changed"))
    return Words(Tone.BAD, "error", _("Cannot be read"))
