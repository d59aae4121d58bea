"""A fact in words: tone, icon and text together, because colour alone tells nothing to many people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.html import format_html
from django.utils.safestring import SafeString


class Tone(StrEnum):
    GOOD = "good"
    WAITING = "waiting"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True)
class Words:
    """`icon` is a Material Symbols name; `title` is the longer or absolute form, shown on hover and to screen readers."""

    tone: Tone
    icon: str
    text: str
    title: str = ""

    def html(self) -> SafeString:
        """One line with icon; colours come from `core/tokens.css`."""
        title = format_html(' title="{}"', self.title) if self.title else ""
        return format_html(
            '<span class="mb-words mb-{}"{}><span class="material-symbols-outlined" aria-hidden="true">{}</span>'
            "<span>{}</span></span>",
            self.tone.value, title, self.icon, self.text,
        )  # fmt: skip
