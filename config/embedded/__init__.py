"""The embedded default: a private PostgreSQL and a small process supervisor, used when no DATABASE_URL is
set.

Nothing in this package imports Django, so it can prepare the ground before settings are read.
"""

from __future__ import annotations

from config.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]
