"""`manage.py tunnel_config`: this server's side of the tunnels to routers, with its private key, for the machine itself.

manage.py tunnel_config > /etc/wireguard/mb0.conf
manage.py tunnel_config --sstp > /etc/ppp/chap-secrets
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from locations.services.tunnels import sstp_config, wireguard_config


class Command(BaseCommand):
    help = "Print this server's WireGuard configuration (or, with --sstp, its chap-secrets). It holds secrets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sstp", action="store_true", help="the passwords of the SSTP tunnels instead")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(sstp_config() if options["sstp"] else wireguard_config(), ending="")
