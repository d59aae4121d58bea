from __future__ import annotations

from rest_framework.routers import SimpleRouter

from billing.api.invoices import InvoiceViewSet
from billing.api.journal import JournalViewSet, PostingViewSet
from billing.api.reports import report_urls
from billing.api.views import PlanViewSet

router = SimpleRouter()
router.register("plans", PlanViewSet, basename="plan")
router.register("journal", JournalViewSet, basename="journal")
router.register("postings", PostingViewSet, basename="posting")
router.register("invoices", InvoiceViewSet, basename="invoice")
urlpatterns = [*router.urls, *report_urls()]
