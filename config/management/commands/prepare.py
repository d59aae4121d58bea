"""After every migrate: roles, periodic jobs, system settings, the cash method, old sales into the ledger, and once
the first location from MIKROTIK_*. Idempotent."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from core.errors import DomainError
from core.settings_registry import sync_settings
from locations.services import location_seed_first
from payments.services import methods_seed
from vouchers.services import old_sales_post


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("sync_roles", verbosity=0)
        call_command("sync_periodic", verbosity=0)
        sync_settings()
        methods_seed()
        old_sales_post()
        self._first_location()

    def _first_location(self) -> None:
        """What config.env could not judge must not keep the clock from starting: it is told, and tried again."""
        try:
            location = location_seed_first()
        except DomainError as error:
            words = " ".join(error.fields.values()) or str(error)
            self.stderr.write(f"The first location was not added; correct MIKROTIK_HOST or take it out: {words}")
            return
        if location is not None:
            self.stdout.write(f"First location added: {location.name} (from MIKROTIK_HOST).")
