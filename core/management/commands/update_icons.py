"""Cut the icon font down to the icons in use (needs fonttools and brotli). For developers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        from core.admin.build_icons import main

        main()
