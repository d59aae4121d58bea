"""unfold's configuration: colours of UI.md, our logo, no fonts and no search palette."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.settings_registry import setting


def _static(name: str) -> Any:
    return lambda request: static(name)


def site_name(request: HttpRequest) -> str:
    """The operator's own name everywhere, ours until he set one. Asked several times per page, read once."""
    if not hasattr(request, "_site_name"):
        request._site_name = str(setting("company.name"))  # type: ignore[attr-defined]
    return str(request._site_name)  # type: ignore[attr-defined]


BASE = {
    "50": "#f8fafc", "100": "#f1f5f9", "200": "#e2e8f0", "300": "#cbd5e1", "400": "#94a3b8", "500": "#64748b",
    "600": "#475569", "700": "#334155", "800": "#1a2436", "900": "#0b1220", "950": "#070c16",
}  # fmt: skip
# 500 is what unfold uses for text on dark surfaces, 600 for buttons and for text on light ones
PRIMARY = {
    "50": "#f0fdfa", "100": "#ccfbf1", "200": "#99f6e4", "300": "#5eead4", "400": "#2dd4bf", "500": "#2dd4bf",
    "600": "#0f766e", "700": "#115e59", "800": "#115e59", "900": "#134e4a", "950": "#042f2e",
}  # fmt: skip
FONT = {
    "subtle-light": "#475569", "subtle-dark": "#a3b1c6", "default-light": "#334155", "default-dark": "#cbd5e1",
    "important-light": "#0f172a", "important-dark": "#e5e9f0",
}  # fmt: skip

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": site_name,
    "SITE_HEADER": site_name,
    "SITE_URL": "",
    "SITE_SYMBOL": "router",
    "SITE_ICON": _static("core/logo.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _static("core/logo.svg")}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "LANGUAGES": {"action": lambda request: reverse("admin:language"), "navigation": []},
    "BORDER_RADIUS": "10px",
    "COLORS": {"base": BASE, "primary": PRIMARY, "font": FONT},
    "STYLES": [_static("core/tokens.css"), _static("core/admin.css")],
    "SIDEBAR": {"show_search": False, "command_search": False, "show_all_applications": False, "navigation": []},
}

# the groups of the menu, in order; an admin names one in `nav_group`
NAV_GROUPS: list[tuple[str, Any]] = [
    ("customers", _("Customers")),
    ("sell", _("Selling")),
    ("money", _("Money")),
    ("reports", _("Reports")),
    ("routers", _("Routers")),
    ("people", _("Staff")),
    ("system", _("System")),
]
