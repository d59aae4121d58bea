"""Write every stored secret with the newest key, so that old keys can be taken away."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.rotation import BATCH, secrets_rotate


class Command(BaseCommand):
    help = "Re-encrypt all encrypted columns with the first of FIELD_ENCRYPTION_KEYS. Can be stopped and run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, help="rows per transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = 0
        for column in secrets_rotate(batch=options["batch"]):
            unreadable += column.unreadable
            self.stdout.write(
                f"{column.name}: {column.rotated} rewritten, {column.current} new already, "
                f"{column.unreadable} unreadable"
            )
        if unreadable:
            raise CommandError(
                f"{unreadable} secrets open with none of FIELD_ENCRYPTION_KEYS. Keep the old keys, add the missing one."
            )
        self.stdout.write("Every secret is written with the newest key; older keys can be removed.")
