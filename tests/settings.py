"""The product's settings with what only tests need: no pool, no kicks, a fast hasher, a test database of its own."""

from __future__ import annotations

import os
from pathlib import Path

from config.settings import *  # noqa: F403
from config.settings import CELERY_BROKER_TRANSPORT_OPTIONS, DATABASES, LOGGING, STORAGES

DATABASES["default"]["OPTIONS"].pop("pool", None)
DATABASES["default"]["TEST"] = {"NAME": f"test_mb_{os.environ.get('TEST_DB_SUFFIX', 'main')}"}
KICKS_ENABLED = False
ROUTER_LOOPBACK_ALLOWED = True  # emulated routers
LOGGING["root"]["handlers"] = ["stdout"]  # tests write no log file, and an expected error makes no row
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
ALLOWED_HOSTS = ["*"]
CELERY_TASK_ALWAYS_EAGER = False
LANGUAGE_CODE = "en"  # assertions quote the English sentences; pages in both languages are tests/e2e
for _folder in ("data_folder_in", "control_folder"):  # bin/demo makes them before anything asks for the broker
    if _folder in CELERY_BROKER_TRANSPORT_OPTIONS:
        Path(CELERY_BROKER_TRANSPORT_OPTIONS[_folder]).mkdir(parents=True, exist_ok=True)
