from __future__ import annotations

from rest_framework.routers import SimpleRouter

from imports.api.views import RouterImportViewSet

router = SimpleRouter()
router.register("router-imports", RouterImportViewSet, basename="router-import")
urlpatterns = router.urls
