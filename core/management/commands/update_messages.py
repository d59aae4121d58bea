"""Bring the Indonesian catalogue up to date with the code: new texts come in empty, gone ones leave. For developers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        from core.admin.build_messages import main

        main()
