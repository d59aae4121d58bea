"""Files kept for a customer. A file is written before its row and deleted after it, never inside a transaction.

What is lost on the way (a process that died between the two) is a file without a row; the sweep takes it away.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import IO, Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from core import clock, formats
from core.errors import DomainError
from customers.checking import text_clean
from customers.choices import DocumentKind
from customers.models import Customer, CustomerDocument
from customers.services.history import customer_for, event_write, staff_acted

logger = logging.getLogger(__name__)
FOLDER = "customers"
LARGEST = 10 * 1024 * 1024
MOST = 50  # documents of one customer
TITLE = 120
UPLOAD_TIME = timedelta(hours=1)  # an upload between file and row takes seconds; nothing younger is an orphan
CHUNK = 1000
# what a file begins with, its type, and the ending it is kept with; its own name says nothing
TYPES: tuple[tuple[bytes, int, str, str], ...] = (
    (b"%PDF-", 0, "application/pdf", "pdf"),
    (b"\xff\xd8\xff", 0, "image/jpeg", "jpg"),
    (b"\x89PNG\r\n\x1a\n", 0, "image/png", "png"),
    (b"WEBP", 8, "image/webp", "webp"),
)
ENDINGS = {content_type: ending for _start, _at, content_type, ending in TYPES}


def document_add(
    customer: Customer,
    *,
    file: IO[bytes] | File[Any],
    title: str,
    kind: str = DocumentKind.OTHER,
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
) -> CustomerDocument:
    """Keep a PDF or picture of at most 10 MB. Its type is what its first bytes say, whatever it is called.

    Raises DomainError (field `file`) for an empty, too large or other file, RuntimeError inside a transaction.
    """
    _refuse_transaction()
    now = now or clock.now()
    columns = {"title": _title(title), "kind": _kind(kind)}
    data = _read(file)
    content_type, ending = _type_of(data)
    with transaction.atomic():
        _refuse_more(customer_for(customer, actor))
    name = default_storage.save(f"{FOLDER}/{now:%Y-%m}/{uuid.uuid4().hex}.{ending}", ContentFile(data))
    try:
        return _row_add(
            customer, actor, ip, now, file=name, content_type=content_type, size=len(data),
            sha256=hashlib.sha256(data).hexdigest(), **columns,
        )  # fmt: skip
    except Exception:
        _delete([name])
        raise


@transaction.atomic
def _row_add(customer: Customer, actor: User | None, ip: str | None, now: datetime, **columns: Any) -> CustomerDocument:
    fresh = customer_for(customer, actor)
    _refuse_more(fresh)
    row = CustomerDocument.objects.create(customer=fresh, uploaded_by=actor, uploaded_at=now, **columns)
    event_write(fresh.pk, "document_added", at=now, actor=actor, document=row.pk, about=row.kind)
    staff_acted(actor, "customer.document_added", ip, customer=fresh.pk, number=fresh.number, document=row.pk)
    return row


@transaction.atomic
def document_remove(
    document: CustomerDocument, *, actor: User | None, ip: str | None = None, now: datetime | None = None
) -> None:
    """Delete the row, and after it the file."""
    row = CustomerDocument.objects.select_related("customer").filter(pk=document.pk).first()
    if row is None:
        raise DomainError("document.not_found", _("This document is gone."), status=404)
    owner = row.customer if row.customer.merged_into_id is None else Customer(pk=row.customer.merged_into_id)
    fresh = customer_for(owner, actor)
    files_forget(CustomerDocument.objects.filter(pk=row.pk))
    event_write(fresh.pk, "document_removed", at=now or clock.now(), actor=actor, document=row.pk, about=row.kind)
    staff_acted(actor, "customer.document_removed", ip, customer=fresh.pk, number=fresh.number, document=row.pk)


def document_open(document: CustomerDocument, *, actor: User, ip: str | None = None) -> File[Any] | None:
    """The file, open for reading; None when it is not in the storage. Who took it is written down: these are identity cards."""
    try:
        file: File[Any] = default_storage.open(document.file)
    except FileNotFoundError:
        return None
    with transaction.atomic():
        details = {"customer": document.customer_id, "document": document.pk}
        staff_acted(actor, "customer.document_read", ip, **details)
    return file


def files_forget(documents: QuerySet[CustomerDocument]) -> None:
    """Delete the rows now and their files once this transaction has committed; what fails is left to the sweep."""
    names = list(documents.values_list("file", flat=True))
    documents.delete()
    transaction.on_commit(partial(_delete, names))


def orphans_sweep(now: datetime | None = None) -> int:
    """Delete files without a row that are older than an hour; returns how many."""
    _refuse_transaction()
    limit = (now or clock.now()) - UPLOAD_TIME
    count = 0
    chunk: list[str] = []
    for name in _files(FOLDER):
        chunk.append(name)
        if len(chunk) == CHUNK:
            count += _sweep(chunk, limit)
            chunk = []
    return count + _sweep(chunk, limit)


def _sweep(names: Sequence[str], limit: datetime) -> int:
    known = set(CustomerDocument.objects.filter(file__in=names).values_list("file", flat=True))
    return _delete([name for name in names if name not in known and _is_older(name, limit)])


def _is_older(name: str, limit: datetime) -> bool:
    try:
        return default_storage.get_modified_time(name) < limit
    except FileNotFoundError:
        return False


def _files(folder: str) -> Iterator[str]:
    if not default_storage.exists(folder):
        return
    folders, files = default_storage.listdir(folder)
    for name in sorted(files):
        yield f"{folder}/{name}"
    for name in sorted(folders):
        yield from _files(f"{folder}/{name}")


def _delete(names: Sequence[str]) -> int:
    count = 0
    for name in names:
        try:
            default_storage.delete(name)
            count += 1
        except OSError as error:
            logger.warning("a document's file stays until the next sweep (%s)", type(error).__name__)
    return count


def _read(file: IO[bytes] | File[Any]) -> bytes:
    """All of it, but never more than the limit and one byte: the size is what comes, not what was promised."""
    file.seek(0)
    data: bytes = file.read(LARGEST + 1)
    if not data:
        raise _refused(_("This file is empty."))
    if len(data) > LARGEST:
        raise _refused(_("This file is too large: at most %(size)s.") % {"size": formats.data_size(LARGEST)})
    return data


def _type_of(data: bytes) -> tuple[str, str]:
    for start, position, content_type, ending in TYPES:
        if data[position : position + len(start)] == start and (ending != "webp" or data.startswith(b"RIFF")):
            return content_type, ending
    raise _refused(_("Only PDF, JPEG, PNG and WebP can be kept here."))


def _title(title: str) -> str:
    try:
        return text_clean(title, TITLE, is_required=True)
    except DomainError as error:
        message = str(error.message)
        raise DomainError("document.invalid", message, fields={"title": message}) from None


def _kind(kind: str) -> str:
    if kind not in DocumentKind.values:
        message = _("One of: %(choices)s.") % {"choices": ", ".join(DocumentKind.values)}
        raise DomainError("document.invalid", message, fields={"kind": message})
    return kind


def _refuse_more(customer: Customer) -> None:
    if CustomerDocument.objects.filter(customer=customer).count() >= MOST:
        message = _("At most %(n)d documents per customer.") % {"n": MOST}
        raise DomainError("document.too_many", message, status=409)


def _refused(message: str) -> DomainError:
    return DomainError("document.invalid", message, fields={"file": message})


def _refuse_transaction() -> None:
    if transaction.get_connection().in_atomic_block:
        raise RuntimeError("files are never written or deleted inside a transaction")
