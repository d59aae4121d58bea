"""Configuration backups in words: what became of a wish, and what is said about a version."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.formats import ago, data_size, moment
from core.numbers import whole_number
from core.words import Tone, Words
from locations.choices_configs import BackupProblem, BackupStatus
from locations.models import ConfigBackup, ConfigVersion, Location


def backup_words(backup: ConfigBackup | None, location: Location, now: datetime) -> Words:
    """Waiting, taken or failed, in one sentence."""
    if backup is None:
        return Words(Tone.QUIET, "schedule", _("No configuration was backed up yet"))
    if backup.status == BackupStatus.WAITING:
        text = _("Waiting for router “%(name)s” to give its configuration") % {"name": location.name}
        return Words(Tone.WAITING, "schedule", text)
    title = moment(backup.finished_at, location.timezone) if backup.finished_at else ""
    when = {"ago": ago(backup.finished_at, now) if backup.finished_at else ""}
    if backup.status == BackupStatus.FAILED:
        text = _("No backup %(ago)s: %(reason)s") % {**when, "reason": problem_text(backup.problem, backup.words)}
        return Words(Tone.BAD, "error", text, title)
    text = _("Taken %(ago)s, something changed") if backup.is_new else _("Taken %(ago)s, the same as before")
    said = problem_text(backup.problem, backup.words)
    return Words(Tone.WAITING if said else Tone.GOOD, "check_circle", f"{text % when}. {said}".rstrip(". "), title)


def problem_text(problem: str, words: str) -> str:
    """What went wrong and what to do; empty when nothing did."""
    size = whole_number(words)
    if problem in {BackupProblem.SIZE, BackupProblem.SPACE} and size is not None:
        words = data_size(size)
    texts = {
        BackupProblem.POLICY: _("the router user lacks rights: %(words)s. Give its group these policies."),
        BackupProblem.SPACE: _("only %(words)s are free on the router. Nothing was written to it."),
        BackupProblem.SIZE: _("the configuration is too large (%(words)s)."),
        BackupProblem.CUT: _("what the router gave was not whole (%(words)s). It was thrown away."),
        BackupProblem.UNREADABLE: _(
            "this RouterOS gives out only small files over the API. From 7.13 on it gives all of them."
        ),
        BackupProblem.TRAP: _("the router says: %(words)s."),
        BackupProblem.LINK: _("the connection broke several times while it was read."),
        BackupProblem.LEFT: _("The file %(words)s is still on the router; the next backup removes it."),
    }
    text = texts.get(BackupProblem(problem)) if problem in BackupProblem.values else None
    return text % {"words": words} if text else ""


def version_words(version: ConfigVersion) -> Words:
    """Expected, changed by others and not looked at, or looked at."""
    if version.is_open:
        return Words(Tone.BAD, "warning", _("Changed on the router, not by this system. Nobody has looked at it yet"))
    if version.is_unexpected:
        return Words(Tone.QUIET, "check", _("Changed on the router; looked at"))
    if version.number == 1:
        return Words(Tone.QUIET, "check", _("The first one"))
    return Words(Tone.QUIET, "check", _("Changed by this system, or only logins"))


def counts_text(version: ConfigVersion) -> str:
    came = ngettext("%(n)d line came", "%(n)d lines came", version.added) % {"n": version.added}
    went = ngettext("%(n)d went", "%(n)d went", version.removed) % {"n": version.removed}
    return f"{came}, {went}"
