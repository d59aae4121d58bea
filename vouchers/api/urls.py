from __future__ import annotations

from rest_framework.routers import SimpleRouter

from vouchers.api.views import BatchViewSet, VoucherViewSet

router = SimpleRouter()
router.register("batches", BatchViewSet, basename="batch")
router.register("vouchers", VoucherViewSet, basename="voucher")
urlpatterns = router.urls
