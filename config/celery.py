"""The Celery application. Queues: `celery` (short work), `batches` (generation), `routers`, `routers_slow`."""

from __future__ import annotations

import os

from celery import Celery

from config.embedded.file_broker import use_whole_messages

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

use_whole_messages()  # the filesystem broker of the embedded default would let a worker read half a message
app = Celery("mikrotik_billing")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
