from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from locations.api.accounts import AccountViewSet
from locations.api.care import AlertViewSet
from locations.api.configs import ConfigBackupViewSet, ConfigVersionViewSet
from locations.api.entries import EntryViewSet, RolloutViewSet
from locations.api.groups import ChoiceViewSet, GroupViewSet
from locations.api.health import HealthView
from locations.api.sessions import (
    LiveSessionViewSet,
    SessionEndViewSet,
    SessionRecordViewSet,
    TalkersView,
    UsageViewSet,
)
from locations.api.traffic import InterfaceViewSet
from locations.api.views import LocationViewSet

router = SimpleRouter()
router.register("locations", LocationViewSet, basename="location")
router.register("accounts", AccountViewSet, basename="account")
router.register("router-entries", EntryViewSet, basename="router-entry")
router.register("speed-changes", RolloutViewSet, basename="speed-change")
router.register("location-groups", GroupViewSet, basename="location-group")
router.register("router-alerts", AlertViewSet, basename="router-alert")
router.register("location-choices", ChoiceViewSet, basename="location-choice")
router.register("config-versions", ConfigVersionViewSet, basename="config-version")
router.register("config-backups", ConfigBackupViewSet, basename="config-backup")
router.register("sessions", LiveSessionViewSet, basename="session")
router.register("past-sessions", SessionRecordViewSet, basename="past-session")
router.register("session-ends", SessionEndViewSet, basename="session-end")
router.register("interfaces", InterfaceViewSet, basename="interface")
router.register("usage", UsageViewSet, basename="usage")
urlpatterns = [
    *router.urls,
    path("health/", HealthView.as_view(), name="health"),
    path("top-talkers/", TalkersView.as_view(), name="top-talkers"),
]
