"""Write the declared periodic jobs into beat's tables. Safe to run at every start."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from core.periodic_sync import periodic_sync


class Command(BaseCommand):
    help = "Make django-celery-beat's tables equal to the jobs declared in code; jobs made by people stay."

    def handle(self, *args: Any, **options: Any) -> None:
        result = periodic_sync()
        self.stdout.write(
            f"Periodic jobs: {result.made} made, {result.changed} changed, {result.removed} removed, "
            f"{result.same} as they were."
        )
