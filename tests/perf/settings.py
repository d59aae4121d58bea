"""The product's settings as in production, with what a measurement needs: no log on stdout, no throttle in the way."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import LOGGING, STORAGES

LOGGING["root"]["handlers"] = ["file"]  # in the run's temporary folder; rows of errors are not measured
ALLOWED_HOSTS = ["*"]
ROUTER_LOOPBACK_ALLOWED = True  # emulated routers
API_RATE_MAX = 1_000_000  # counted as always, never reached
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
