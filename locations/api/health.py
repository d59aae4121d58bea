"""One look for a program: is anything waiting, broken or in quarantine?"""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Sum
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.serializers import OutSerializer
from core.api.views import HouseView
from core.installation import installation
from core.models import ErrorRecord, JobRun
from locations.choices import Hold, Reach
from locations.models import TODO, RouterState
from locations.selectors import accounts_visible_to, locations_visible_to


class JobOut(OutSerializer):
    name = serializers.CharField()
    is_ok = serializers.BooleanField(allow_null=True, help_text="null: running.")
    finished_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.CharField()


class HealthOut(OutSerializer):
    installation = serializers.CharField(help_text="The tag of our entries on routers: `mb:<tag>:…`.")
    epoch = serializers.IntegerField(help_text="Grows with every restore of a backup.")
    is_quarantined = serializers.BooleanField(help_text="Restored, not released: no router is written to.")
    routers = serializers.DictField(child=serializers.IntegerField(), help_text="The caller's routers by state.")
    waiting = serializers.IntegerField(help_text="Changes that wait for one of them.")
    held = serializers.IntegerField(help_text="Changes that wait for a person.")
    errors = serializers.IntegerField(  # type: ignore[assignment]
        allow_null=True, help_text="Recorded errors; null for other roles."
    )
    jobs = JobOut(many=True, allow_null=True, help_text="Periodic jobs; null for other roles.")


class HealthView(HouseView):
    action_permissions = {"get": "locations.view_location"}

    @extend_schema(responses={200: HealthOut}, operation_id="health")
    def get(self, request: Request) -> Response:
        """Routers by state, what waits, errors and jobs."""
        house = installation()
        states = RouterState.objects.filter(location__in=locations_visible_to(self.caller).values("pk"))
        by_reach = dict(states.values_list("reach").annotate(n=Count("pk")))
        accounts = accounts_visible_to(self.caller)
        answer: dict[str, Any] = {
            "installation": house.tag,
            "epoch": house.epoch,
            "is_quarantined": house.is_quarantined,
            "routers": {reach: by_reach.get(reach, 0) for reach in Reach.values},
            "waiting": accounts.filter(TODO).count(),
            "held": accounts.exclude(hold=Hold.NONE).count(),
            "errors": None,
            "jobs": None,
        }
        if self.caller.has_perm("core.view_health"):
            answer["errors"] = ErrorRecord.objects.aggregate(n=Sum("count"))["n"] or 0
            answer["jobs"] = JobRun.objects.all()
        return Response(HealthOut(answer).data)
