"""The dry run: the router read once, every row with its verdict, nothing of the product or of the router changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from core import clock
from core.db.progress import Progress
from core.db.transition import transition
from core.errors import DomainError
from imports.choices import ROUTER_IMPORT_MOVES, RouterImportStatus, Verdict
from imports.models import MAX_ROWS, RouterImport, RouterImportProfile, RouterImportRow
from imports.services.routers.choosing import choices_propose
from imports.services.routers.judging import rows_judge
from imports.services.routers.rows import rows_read
from locations.services import RouterContents, router_read

CHUNK = 2000


def router_check(run: RouterImport, progress: Progress) -> None:
    """Read the router unless it was read before, judge every row, end in `checked`.

    Raises DomainError when the router cannot be read, in words for people.
    """
    rows = list(RouterImportRow.objects.filter(run=run)) if run.is_read else _read(run, progress)
    choices = list(RouterImportProfile.objects.filter(run=run).select_related("plan"))
    rows_judge(run, rows, choices, now=clock.now())
    with transaction.atomic():
        if run.is_read:
            _save(rows, progress)
        else:
            rows_write(rows, progress)
        mine = RouterImport.objects.filter(pk=run.pk, heartbeat_at=progress.lease)
        transition(
            mine, to=RouterImportStatus.CHECKED, allowed=ROUTER_IMPORT_MOVES, total=len(rows), done=len(rows),
            counts=counts_of(rows), facts=run.facts, is_read=True, heartbeat_at=clock.now(),
        )  # fmt: skip


def _read(run: RouterImport, progress: Progress) -> list[RouterImportRow]:
    """A new reading forgets the choices made for an older one: the profiles may be others now."""
    contents = router_read(run.location, tick=lambda: progress.tick(0))
    run.facts = facts_of(run, contents)
    rows = rows_read(run, contents, run.facts["zone"])
    if len(rows) > MAX_ROWS:
        raise DomainError("import.too_long", f"{len(rows)} > {MAX_ROWS}")
    with transaction.atomic():
        RouterImportRow.objects.filter(run=run).delete()
        RouterImportProfile.objects.filter(run=run).delete()
        RouterImportProfile.objects.bulk_create(choices_propose(run, rows))
    return rows


def facts_of(run: RouterImport, contents: RouterContents) -> dict[str, Any]:
    """What of the reading the screens tell: version, clock, whether passwords could be read."""
    is_named = contents.time_zone not in {"", "manual"}
    zone = contents.time_zone if is_named else run.location.timezone
    return {"version": contents.version, "zone": zone, "has_passwords": contents.has_passwords}


def rows_write(rows: list[RouterImportRow], progress: Progress) -> None:
    for start in range(0, len(rows), CHUNK):
        RouterImportRow.objects.bulk_create(rows[start : start + CHUNK])
        progress.tick(min(start + CHUNK, len(rows)))


def _save(rows: list[RouterImportRow], progress: Progress) -> None:
    for start in range(0, len(rows), CHUNK):
        RouterImportRow.objects.bulk_update(rows[start : start + CHUNK], ["verdict", "reason", "details"])
        progress.tick(min(start + CHUNK, len(rows)))


def counts_of(rows: Iterable[RouterImportRow]) -> dict[str, dict[str, int]]:
    """Rows by subject and verdict."""
    found: dict[str, dict[str, int]] = {}
    for (subject, verdict), count in sorted(Counter((row.subject, row.verdict) for row in rows).items()):
        found.setdefault(str(subject), {})[str(verdict)] = count
    return found


def adopted_count(counts: dict[str, dict[str, int]]) -> int:
    """How many rows would be, or were, taken over."""
    return sum(verdicts.get(Verdict.ADOPT, 0) for verdicts in counts.values())
