from __future__ import annotations

from rest_framework.routers import SimpleRouter

from payments.api.views import MethodViewSet, PaymentViewSet, ReversalViewSet

router = SimpleRouter()
router.register("payments", PaymentViewSet, basename="payment")
router.register("payment-reversals", ReversalViewSet, basename="payment-reversal")
router.register("payment-methods", MethodViewSet, basename="payment-method")
urlpatterns = router.urls
