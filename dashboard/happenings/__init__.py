"""What can happen to a customer, source by source. The place of a source in SOURCES is part of the pages' keys."""

from __future__ import annotations

from dashboard.happenings.kinds import Happening, Source
from dashboard.happenings.money import MONEY
from dashboard.happenings.services import SERVICES

__all__ = ["SOURCES", "Happening", "Source"]

SOURCES: tuple[Source, ...] = (*SERVICES, *MONEY)
