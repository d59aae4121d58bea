"""`manage.py shut_old_addresses`: addresses of static services that ended long ago and are still open on their routers.

manage.py shut_old_addresses            # lists them, changes nothing
manage.py shut_old_addresses --shut     # and keeps them shut from now on
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from billing.services.old_addresses import old_addresses, old_addresses_shut
from locations.models import Location


class Command(BaseCommand):
    help = "List addresses of ended static services that nothing keeps shut; with --shut, shut them on their routers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--shut", action="store_true", help="shut what is listed; also what a person opened again")

    def handle(self, *args: Any, **options: Any) -> None:
        places = old_addresses()
        names = Location.objects.in_bulk({location for location, _address in places})
        for location, address in places:
            self.stdout.write(f"{names[location].name}\t{address}")
        if options["shut"]:
            old_addresses_shut(places)
            self.stdout.write(f"{len(places)} wanted shut; each location's page says when its router has them.")
