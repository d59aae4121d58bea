"""Pages of the back office that are no list of a model: reports, overviews. Rooms register theirs when their `admin` is imported.

    add_page(Page("reports/income/", "report_income", view, group="reports", title=_("Income"), icon="sell", permission="…"))

The view is wrapped by the site: login is asked, and without the permission it answers 403.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import Promise

PageView = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Page:
    """`route` as in `django.urls.path`, `name` within the namespace `admin`. Without a `group` it stands in no menu."""

    route: str
    name: str
    view: PageView
    permission: str
    group: str = ""
    title: str | Promise = ""
    icon: str = "list"
    order: int = 100

    def guarded(self) -> PageView:
        """The view behind its permission."""

        @wraps(self.view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perm(self.permission):
                raise PermissionDenied
            return self.view(request, *args, **kwargs)

        return guarded


_pages: list[Page] = []


def add_page(page: Page) -> None:
    _pages.append(page)


def pages() -> list[Page]:
    return list(_pages)
