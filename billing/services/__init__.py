"""Services of the billing room."""

from __future__ import annotations

from billing.services.plans import plan_change, plan_create, prepay_discounts_put
from billing.services.publishing import (
    plan_publish,
    plan_speed_rollout,
    plan_unpublish,
    profile_rules,
    router_safe_name,
)

__all__ = [
    "plan_change",
    "plan_create",
    "plan_publish",
    "plan_speed_rollout",
    "plan_unpublish",
    "prepay_discounts_put",
    "profile_rules",
    "router_safe_name",
]
