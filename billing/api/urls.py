from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from billing.api.adjustments import AdjustmentViewSet
from billing.api.agents import AgentViewSet, OwnAgentView
from billing.api.cash import ShiftViewSet
from billing.api.expenses import ExpenseCategoryViewSet, ExpenseViewSet
from billing.api.invoices import InvoiceViewSet
from billing.api.journal import JournalViewSet, PostingViewSet
from billing.api.reports import report_urls
from billing.api.services import RunViewSet, SubscriptionViewSet
from billing.api.views import PlanViewSet

router = SimpleRouter()
router.register("plans", PlanViewSet, basename="plan")
router.register("journal", JournalViewSet, basename="journal")
router.register("postings", PostingViewSet, basename="posting")
router.register("invoices", InvoiceViewSet, basename="invoice")
router.register("agents", AgentViewSet, basename="agent")
router.register("cash-shifts", ShiftViewSet, basename="cash-shift")
router.register("expense-categories", ExpenseCategoryViewSet, basename="expense-category")
router.register("expenses", ExpenseViewSet, basename="expense")
router.register("adjustments", AdjustmentViewSet, basename="adjustment")
router.register("subscriptions", SubscriptionViewSet, basename="subscription")
router.register("runs", RunViewSet, basename="run")
urlpatterns = [path("agent/", OwnAgentView.as_view(), name="own-agent"), *router.urls, *report_urls()]
