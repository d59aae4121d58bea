"""The first Super Admin. There is no default password: one is read, or made and shown once."""

from __future__ import annotations

import getpass
import secrets
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync, user_create, user_set_password, user_set_role
from core.errors import DomainError


class Command(BaseCommand):
    help = "Create a Super Admin. The password is asked for, read from a file, or generated with --generate."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--email", default="")
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--password-file", type=Path, help="a file that holds the password; - for standard input")
        source.add_argument("--generate", action="store_true", help="make a password and print it")
        parser.add_argument("--reset", action="store_true", help="of an existing person: set the password and the role")

    def handle(self, *args: Any, **options: Any) -> None:
        password = self._password(options)
        existing = User.objects.filter(username__iexact=options["username"]).first()
        if existing and not options["reset"]:
            raise CommandError(f"{existing.username} exists already; --reset sets a new password.")
        try:
            roles_sync()
            if existing:
                user_set_password(existing, password, actor=None)
                user_set_role(existing, Role.SUPER_ADMIN, actor=None)
            else:
                user_create(
                    username=options["username"], email=options["email"], role=Role.SUPER_ADMIN, password=password,
                    actor=None,
                )  # fmt: skip
        except (DomainError, LookupError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Super Admin {options['username']} is ready.")
        if options["generate"]:
            self.stdout.write(f"Password: {password}")

    def _password(self, options: dict[str, Any]) -> str:
        if options["generate"]:
            return secrets.token_urlsafe(15)
        file: Path | None = options["password_file"]
        if file is not None:
            text = sys.stdin.readline() if str(file) == "-" else file.read_text(encoding="utf-8")
            return text.strip("\r\n")
        if not sys.stdin.isatty():
            raise CommandError("Nobody can type a password here: use --password-file or --generate.")
        first = getpass.getpass("Password: ")
        if first != getpass.getpass("Again: "):
            raise CommandError("The two passwords differ; nothing was created.")
        return first
