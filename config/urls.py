"""Every address of the product. Static files are served by whitenoise before this is asked."""

from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path, reverse_lazy
from django.utils.functional import lazy
from django.views.generic import RedirectView

favicon = lazy(lambda: static("core/favicon.svg"), str)()

urlpatterns = [
    path("", include("core.monitoring.urls")),
    path("", RedirectView.as_view(url=reverse_lazy("admin:index")), name="root"),
    path("favicon.ico", RedirectView.as_view(url=favicon), name="favicon"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("d/", include("dashboard.urls")),
    path("api/v1/", include("config.api_urls")),
    path("", include("portal.urls")),
]

handler400 = "core.error_pages.page_bad"
handler403 = "core.error_pages.page_forbidden"
handler404 = "core.error_pages.page_missing"
