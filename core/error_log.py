"""Record an error that had no one to answer to, so that it shows up in the admin instead of vanishing."""

from __future__ import annotations

import hashlib
import logging
import traceback

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from core.models import ErrorRecord
from core.scrub import scrub_text

logger = logging.getLogger(__name__)


def error_record(*, source: str, error: BaseException, request_id: str = "") -> None:
    """Fold the error into its ErrorRecord. Never raises: a broken database must not hide the first error."""
    kind = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    fingerprint = hashlib.sha256(f"{source}|{kind}|{place}".encode()).hexdigest()
    message = scrub_text(str(error))[:2000]
    logger.error("%s in %s: %s", kind, source, message)
    text = scrub_text("".join(traceback.format_tb(error.__traceback__)))[-8000:]
    try:
        with transaction.atomic():
            _record, is_new = ErrorRecord.objects.get_or_create(
                fingerprint=fingerprint,
                defaults={
                    "source": source[:200], "kind": kind, "message": message, "traceback": text,
                    "request_id": request_id, "last_at": timezone.now(),
                },
            )
            if not is_new:
                ErrorRecord.objects.filter(fingerprint=fingerprint).update(
                    count=F("count") + 1, last_at=timezone.now(), message=message, request_id=request_id
                )
    except DatabaseError as failure:
        logger.error("the error could not be stored: %s", type(failure).__name__)
