from __future__ import annotations

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Loads the system checks of the composition root, and tells the scrubber and Sentry what this process knows."""

    name = "config"
    label = "project"

    def ready(self) -> None:
        from django.conf import settings

        from config import checks  # noqa: F401  # importing registers them
        from config.env import secret_values
        from config.sentry import sentry_start
        from core.scrub import secret_register

        secret_register(*secret_values(settings.ENV))
        sentry_start(settings.SENTRY_DSN)
