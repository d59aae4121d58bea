from __future__ import annotations

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Loads the system checks of the composition root."""

    name = "config"
    label = "project"

    def ready(self) -> None:
        from config import checks  # noqa: F401  # importing registers them
