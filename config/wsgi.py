from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()


def _metrics_start() -> None:
    from django.conf import settings

    from core.monitoring.exporter import exporter_start

    exporter_start(settings.METRICS_PORT, settings.METRICS_HOST)


_metrics_start()
