"""Who listens to what, in which order."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from core.wiring import wiring_lines


class Command(BaseCommand):
    help = "Print every event with its subscribers in the order they are called; ! marks critical ones."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("\n".join(wiring_lines()))
