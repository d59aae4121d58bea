from __future__ import annotations

from rest_framework.routers import SimpleRouter

from customers.api.views import ContactViewSet, CustomerViewSet

router = SimpleRouter()
router.register("customers", CustomerViewSet, basename="customer")
router.register("contacts", ContactViewSet, basename="contact")
urlpatterns = router.urls
