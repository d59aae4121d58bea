"""What rooms add to pages of the admin that belong to no single room: the index and extra panels on a row's page.

Rooms register at start (`admin.py` or `hooks.py`); the kernel only renders, so it needs to know no sibling.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from core.words import Tone

Text = str | Promise


@dataclass(frozen=True)
class Tile:
    """One number on the index; `url` leads to its rows. `hint` is one short sentence under it."""

    label: Text
    value: str
    url: str
    tone: Tone = Tone.QUIET
    icon: str = "list"
    hint: Text = ""


@dataclass(frozen=True)
class Link:
    """A button that leads somewhere."""

    label: Text
    url: str
    icon: str


@dataclass(frozen=True)
class IndexPanel:
    """A group of tiles. `build(request)` runs on every poll, so it must be a few indexed queries."""

    title: Text
    build: Callable[[HttpRequest], Sequence[Tile]]
    permission: str
    order: int = 100


@dataclass(frozen=True)
class FirstStep:
    """What to do first while the installation is empty. Shown until `is_done()`; the lowest open `order` is the one shown."""

    title: Text
    text: Text
    button: Text
    url_name: str
    permission: str
    is_done: Callable[[], bool]
    order: int = 100


@dataclass(frozen=True)
class RowPanel:
    """A panel on the page of one row of another room. `target` is the model's label in lower case."""

    target: str
    title: Text
    render: Callable[[HttpRequest, Any], SafeString | str]
    permission: str
    order: int = 100


@dataclass(frozen=True)
class RowLink:
    """A button on the page of one row that leads to a page of a room above, by URL name, with the row's id.

    While no such page exists (its room is not installed) the button is not there.
    """

    target: str
    label: Text
    icon: str
    url_name: str
    permission: str
    order: int = 100


_index: list[IndexPanel] = []
_steps: list[FirstStep] = []
_rows: list[RowPanel] = []
_links: list[RowLink] = []


def add_index_panel(panel: IndexPanel) -> None:
    _index.append(panel)
    _index.sort(key=lambda p: p.order)


def add_first_step(step: FirstStep) -> None:
    _steps.append(step)
    _steps.sort(key=lambda s: s.order)


def add_row_panel(panel: RowPanel) -> None:
    _rows.append(panel)
    _rows.sort(key=lambda p: p.order)


def add_row_link(link: RowLink) -> None:
    _links.append(link)
    _links.sort(key=lambda entry: entry.order)


def row_links(request: HttpRequest, row: Any) -> list[Link]:
    """Where this person can go from this row's page."""
    found = []
    for link in _links:
        if link.target == row._meta.label_lower and request.user.has_perm(link.permission):
            with suppress(NoReverseMatch):
                found.append(Link(link.label, reverse(link.url_name, args=[row.pk]), link.icon))
    return found


def index_panels(request: HttpRequest) -> list[dict[str, Any]]:
    """The index as the asking person may see it; a panel that has nothing to say now is not there."""
    allowed = [panel for panel in _index if request.user.has_perm(panel.permission)]
    built = [{"title": panel.title, "tiles": list(panel.build(request))} for panel in allowed]
    return [panel for panel in built if panel["tiles"]]


def first_step(request: HttpRequest) -> FirstStep | None:
    """The step that is still open and that this person may take."""
    for step in _steps:
        if request.user.has_perm(step.permission) and not step.is_done():
            return step
    return None


def row_panels(request: HttpRequest, row: Any) -> list[dict[str, Any]]:
    """The panels other rooms added to this row's page."""
    label = row._meta.label_lower
    return [
        {"title": panel.title, "body": panel.render(request, row)}
        for panel in _rows
        if panel.target == label and request.user.has_perm(panel.permission)
    ]
