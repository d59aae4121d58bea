"""The admin site: menu from the registered admins, index with live counts, health page, language switch."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import sites
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.i18n import set_language

from core import panels
from core.admin.pages import pages
from core.admin.theme import NAV_GROUPS, UNFOLD
from core.admin.vendor import CONFIG_DEFAULTS, SiteBase
from core.monitoring.checks import HealthLine, health_report
from core.words import Tone, Words


class AdminSite(SiteBase):
    """Everything staff see. Registered admins tell where they belong in the menu (`nav_group`)."""

    # libraries whose admins would only confuse: periodic jobs have their own page, tokens and groups are set by code
    hidden_apps = frozenset({"auth", "django_celery_beat", "token_blacklist"})
    index_title = gettext_lazy("Overview")
    index_template = "core/admin/index.html"
    empty_value_display = "–"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        rows = model_or_iterable if isinstance(model_or_iterable, list | tuple) else [model_or_iterable]
        shown = [model for model in rows if model._meta.app_label not in self.hidden_apps]
        if shown:
            super().register(shown, admin_class, **options)

    def extra_urls(self) -> list[URLPattern]:
        """unfold's hook for more pages."""
        return [
            path("live/", self.admin_view(self.live), name="live"),
            path("health/", self.admin_view(self.health), name="health"),
            path("language/", self.language, name="language"),
            *(path(page.route, self.admin_view(page.guarded()), name=page.name) for page in pages()),
        ]

    # --- pages ------------------------------------------------------------------------------------------------------

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"panels": panels.index_panels(request), "step": panels.first_step(request), "subtitle": None}
        return super().index(request, {**context, **(extra_context or {})})

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> Any:
        """A list of the lists of one room helps nobody; the menu has them all."""
        return HttpResponseRedirect(reverse("admin:index"))

    @staticmethod
    def live(request: HttpRequest) -> HttpResponse:
        """The index's numbers alone, for the poll."""
        context = {"panels": panels.index_panels(request), "step": panels.first_step(request)}
        return TemplateResponse(request, "core/admin/index_panels.html", context)

    def health(self, request: HttpRequest) -> HttpResponse:
        """Every part of the installation with its state, for a Super Admin."""
        if not request.user.has_perm("core.view_health"):
            return HttpResponseForbidden(_("Only a Super Admin sees this page."))
        lines = health_report()
        bad = sum(not line.is_ok for line in lines)
        text = ngettext("%(n)d part needs attention", "%(n)d parts need attention", bad) % {"n": bad}
        context = {
            **self.each_context(request),
            "title": _("Health"),
            "summary": Words(Tone.BAD, "error", text) if bad else Words(Tone.GOOD, "check_circle", _("All is well")),
            "report": [(line, _health_words(line)) for line in lines],
        }
        return TemplateResponse(request, "core/admin/health.html", context)

    @staticmethod
    @never_cache
    def language(request: HttpRequest) -> HttpResponse:
        """Switch the language, and remember it for the person who is logged in."""
        response: HttpResponse = set_language(request)
        code = request.POST.get("language", "")
        if request.user.is_authenticated and hasattr(request.user, "language") and code in {"id", "en"}:
            get_user_model()._default_manager.filter(pk=request.user.pk).update(language=code)
        return response

    # --- menu -------------------------------------------------------------------------------------------------------

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Groups in a fixed order, in each the admins this person may open."""
        groups: dict[str, list[tuple[int, dict[str, Any]]]] = {key: [] for key, _title in NAV_GROUPS}
        registered: dict[Any, Any] = self._registry
        for model, model_admin in registered.items():
            group = str(getattr(model_admin, "nav_group", ""))
            if group in groups and model_admin.has_view_permission(request):
                url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
                title = str(model._meta.verbose_name_plural)
                item = self._nav_item(request, title[:1].upper() + title[1:], model_admin.nav_icon, url)
                groups[group].append((model_admin.nav_order, item))
        for page in pages():
            if page.group in groups and request.user.has_perm(page.permission):
                item = self._nav_item(request, str(page.title), page.icon, reverse(f"admin:{page.name}"))
                groups[page.group].append((page.order, item))
        if request.user.has_perm("core.view_health"):
            health = self._nav_item(request, _("Health"), "monitor_heart", reverse("admin:health"))
            groups["system"].append((0, health))
        overview = self._nav_item(request, _("Overview"), "home", reverse("admin:index"), is_exact=True)
        menu: list[dict[str, Any]] = [{"title": "", "items": [overview]}]
        for key, title in NAV_GROUPS:
            items = [item for _order, item in sorted(groups[key], key=lambda pair: pair[0])]
            if items:
                menu.append({"title": title, "items": items})
        return menu

    @staticmethod
    def _nav_item(request: HttpRequest, title: str, icon: str, url: str, is_exact: bool = False) -> dict[str, Any]:
        is_here = request.path == url if is_exact else request.path.startswith(url)
        return {"title": title, "icon": icon, "link": url, "active": is_here, "has_permission": True}


def _health_words(line: HealthLine) -> Words:
    if line.is_ok:
        return Words(Tone.GOOD, "check_circle", line.sentence)
    return Words(Tone.BAD if line.is_critical else Tone.WAITING, "error", line.sentence)


def install() -> None:
    """Make ours the default site, as unfold does with its own in `AppConfig.ready()`.

    Runs when autodiscovery imports `core.admin`, the first of all, so every later registration goes to this site.
    """
    CONFIG_DEFAULTS.update({**UNFOLD, "FORMS": CONFIG_DEFAULTS.get("FORMS", {})})
    admin.site = sites.site = AdminSite()
