"""Fields that name plans; only those the caller may see exist for him."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers

from accounts.models import User
from billing.models import Plan
from billing.selectors import plans_on_sale
from core.api.serializers import MAX_ID


def plans_visible_to(user: User) -> QuerySet[Plan]:
    """All plans for those who make them; for others what is on sale at their locations."""
    return Plan.objects.all() if user.has_perm("billing.change_plan") else plans_on_sale(user)


class PlanField(serializers.IntegerField):
    """The id of a plan that is on sale; the validated value is the Plan."""

    def __init__(self, **kwargs: Any):
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Plan:
        number = super().run_validation(data)
        plan = plans_visible_to(self.context["request"].user).filter(pk=number, is_active=True).first()
        if plan is None:
            raise serializers.ValidationError(_("No plan on sale has this number: %(id)s.") % {"id": number})
        return plan
