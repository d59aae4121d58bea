"""Services of the billing room."""

from __future__ import annotations

from billing.services.plans import plan_change, plan_create
from billing.services.publishing import plan_publish, plan_unpublish, profile_rules, router_safe_name

__all__ = ["plan_change", "plan_create", "plan_publish", "plan_unpublish", "profile_rules", "router_safe_name"]
