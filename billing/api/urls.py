from __future__ import annotations

from rest_framework.routers import SimpleRouter

from billing.api.views import PlanViewSet

router = SimpleRouter()
router.register("plans", PlanViewSet, basename="plan")
urlpatterns = router.urls
