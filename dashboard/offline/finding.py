"""What one check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from core.words import Tone, Words
from dashboard.links import Step


class Verdict(StrEnum):
    """CAUSE explains by itself why a line is off, INTENDED too, but nobody has to do anything; HINT may matter; CLEAR is
    fine; NOTE is what is left to say."""

    CAUSE = "cause"
    INTENDED = "intended"
    WAITING = "waiting"
    ONLINE = "online"
    HINT = "hint"
    CLEAR = "clear"
    NOTE = "note"


EXPLAINS = frozenset({Verdict.CAUSE, Verdict.INTENDED, Verdict.WAITING, Verdict.ONLINE})


@dataclass(frozen=True)
class Finding:
    """A sentence, what to do next, and the page where it is done. `key` is the check's name."""

    key: str
    verdict: Verdict
    sentence: str
    advice: str = ""
    step: Step | None = None

    @property
    def explains(self) -> bool:
        return self.verdict in EXPLAINS

    @property
    def tone(self) -> Tone:
        match self.verdict:
            case Verdict.CAUSE:
                return Tone.BAD
            case Verdict.WAITING | Verdict.HINT:
                return Tone.WAITING
            case Verdict.ONLINE | Verdict.CLEAR:
                return Tone.GOOD
        return Tone.QUIET

    @property
    def verdict_words(self) -> Words:
        """Word and icon: colour alone tells nothing to many people."""
        match self.verdict:
            case Verdict.CAUSE:
                return Words(Tone.BAD, "error", _("problem"))
            case Verdict.WAITING:
                return Words(Tone.WAITING, "schedule", _("waiting"))
            case Verdict.HINT:
                return Words(Tone.WAITING, "warning", _("look at this"))
            case Verdict.INTENDED:
                return Words(Tone.QUIET, "timer_off", _("as agreed"))
            case Verdict.NOTE:
                return Words(Tone.QUIET, "help", _("note"))
        return Words(Tone.GOOD, "check_circle", _("ok"))
