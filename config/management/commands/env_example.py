"""`.env.example`, from the one table of variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.env_example import env_example

FILE = ".env.example"


class Command(BaseCommand):
    help = "Print .env.example; --write stores it, --check fails when the stored one is stale."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true")
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        text = env_example()
        file = Path(settings.BASE_DIR) / FILE
        if options["check"]:
            if not file.is_file() or file.read_text(encoding="utf-8") != text:
                raise CommandError(f"{FILE} is stale: run `manage.py env_example --write`.")
        elif options["write"]:
            file.write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")
