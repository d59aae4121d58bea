from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImportsConfig(AppConfig):
    name = "imports"
    verbose_name = _("Moving in")

    def ready(self) -> None:
        from core.periodic import declare_job

        declare_job("imports.tasks.imports_resume", every_seconds=30)
