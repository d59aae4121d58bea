"""Configuration backups over REST, to read. Secrets are always masked; the whole text leaves only by the admin page."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.filters import id_filter
from core.api.serializers import OutSerializer
from core.api.views import RoomViewSet
from core.numbers import whole_number
from locations.choices_configs import BackupStatus
from locations.models import ConfigBackup, ConfigVersion
from locations.routeros.exports import masked
from locations.selectors_configs import backups_visible_to, version_before, version_changes, versions_visible_to
from locations.words_configs import problem_text

MOST_CHANGES = 1000
VERSION_FIELDS = [
    "id", "location", "number", "line_count", "size", "left_out", "has_secrets", "router_version", "router_serial",
    "taken_at", "seen_at", "added", "removed", "is_unexpected", "acknowledged_at", "acknowledged_by",
]  # fmt: skip


class ConfigVersionRowOut(serializers.ModelSerializer[ConfigVersion]):
    class Meta:
        model = ConfigVersion
        fields = VERSION_FIELDS
        read_only_fields = fields


class ConfigVersionOut(ConfigVersionRowOut):
    lines = serializers.SerializerMethodField(help_text="One command a line; secrets are replaced by dots.")

    class Meta(ConfigVersionRowOut.Meta):
        fields = [*VERSION_FIELDS, "lines"]
        read_only_fields = fields

    def get_lines(self, version: ConfigVersion) -> list[str]:
        return [masked(line) for line in version.lines]


class ConfigBackupOut(serializers.ModelSerializer[ConfigBackup]):
    sentence = serializers.SerializerMethodField(help_text="What went wrong, in the language of the caller.")

    class Meta:
        model = ConfigBackup
        fields = [
            "id", "location", "reason", "status", "requested_at", "finished_at", "version", "is_new", "problem",
            "sentence",
        ]  # fmt: skip
        read_only_fields = fields

    def get_sentence(self, backup: ConfigBackup) -> str:
        return problem_text(backup.problem, backup.words)


class ConfigChangeOut(OutSerializer):
    menu = serializers.CharField()
    sign = serializers.CharField(help_text="`+` came, `-` went, `*` the same but for a secret in it or its place.")
    text = serializers.CharField()


class ConfigVersionFilter(django_filters.FilterSet):  # type: ignore[misc]
    location = id_filter("location_id")
    is_unexpected = django_filters.BooleanFilter()

    class Meta:
        model = ConfigVersion
        fields: list[str] = []


class ConfigBackupFilter(django_filters.FilterSet):  # type: ignore[misc]
    location = id_filter("location_id")
    status = django_filters.ChoiceFilter(choices=BackupStatus.choices)

    class Meta:
        model = ConfigBackup
        fields: list[str] = []


class ConfigVersionViewSet(RoomViewSet):
    """Configurations of routers, each version that differed from the one before."""

    model = ConfigVersion
    list_serializer = ConfigVersionRowOut
    detail_serializer = ConfigVersionOut
    filterset_class = ConfigVersionFilter
    http_method_names = ["get", "head"]
    action_permissions = {
        "list": "locations.view_configversion",
        "retrieve": "locations.view_configversion",
        "changes": "locations.view_configversion",
    }

    def visible(self) -> QuerySet[ConfigVersion]:
        return versions_visible_to(self.caller)

    @extend_schema(
        parameters=[OpenApiParameter("with", int, description="Id of the version to compare with. Left out: the one before.")],
        responses={200: ConfigChangeOut(many=True)}, filters=False,
    )  # fmt: skip
    @action(detail=True, methods=["get"], pagination_class=None)
    def changes(self, request: Request, pk: str) -> Response:
        """What differs from another version of the same router; at most 1,000 lines."""
        version: ConfigVersion = self.get_object()
        text: Any = request.query_params.get("with", "")
        other = version_before(version)
        if text:
            other = self.visible().filter(location=version.location_id, pk=whole_number(text) or 0).first()
            if other is None:
                raise Http404
        pair = (other, version) if other is None or other.number < version.number else (version, other)
        return Response(ConfigChangeOut(version_changes(*pair)[:MOST_CHANGES], many=True).data)


class ConfigBackupViewSet(RoomViewSet):
    """Wishes for a configuration backup and what became of them."""

    model = ConfigBackup
    list_serializer = ConfigBackupOut
    detail_serializer = ConfigBackupOut
    filterset_class = ConfigBackupFilter
    http_method_names = ["get", "head"]
    action_permissions = {"list": "locations.view_configversion", "retrieve": "locations.view_configversion"}

    def visible(self) -> QuerySet[ConfigBackup]:
        return backups_visible_to(self.caller)
