"""Files: their type is what they are, not what they are called; and none stays behind."""

from __future__ import annotations

import io
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from core.errors import DomainError, TransitionError
from customers.models import Contact, Customer, CustomerDocument
from customers.services import (
    consent_record,
    contact_add,
    customer_erase,
    customers_merge,
    document_add,
    document_remove,
    documents,
    orphans_sweep,
)
from tests.integration.customers.world import NOW, everything_written, kinds, make_customer, make_user

pytestmark = pytest.mark.django_db(transaction=True)
PDF = b"%PDF-1.7\n%stub\n"
HEADS = {
    "application/pdf": PDF, "image/jpeg": b"\xff\xd8\xff\xe0stub", "image/png": b"\x89PNG\r\n\x1a\nstub",
    "image/webp": b"RIFF\x04\x00\x00\x00WEBPVP8 ",
}  # fmt: skip


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def files(media: Path) -> list[Path]:
    return sorted(path for path in media.rglob("*") if path.is_file())


def add(customer: Customer, data: bytes = PDF, title: str = "KTP") -> CustomerDocument:
    return document_add(customer, file=io.BytesIO(data), title=title, actor=None, now=NOW)


@pytest.mark.parametrize("content_type", sorted(HEADS))
def test_what_the_first_bytes_say_is_kept(media: Path, content_type: str) -> None:
    row = add(make_customer(), HEADS[content_type], "../../etc/passwd.exe")
    assert (row.content_type, row.size) == (content_type, len(HEADS[content_type]))
    (path,) = files(media)
    assert (path, path.read_bytes()) == (media / row.file, HEADS[content_type])
    assert row.file.startswith("customers/2026-11/")
    assert path.suffix in {".pdf", ".jpg", ".png", ".webp"}


@pytest.mark.parametrize(
    "data",
    [
        b"", b"<html><script>alert(1)</script>", b"<svg xmlns='x' onload='alert(1)'/>", b"MZ\x90\x00", b"PK\x03\x04",
        b"GIF89a", b"RIFF\x04\x00\x00\x00WAVE", b"XXXXXXXXWEBP", b" %PDF-1.7",
    ],
)  # fmt: skip
def test_other_content_is_refused_and_nothing_is_kept(media: Path, data: bytes) -> None:
    customer = make_customer()
    with pytest.raises(DomainError) as refused:
        add(customer, data, "photo.pdf")
    assert list(refused.value.fields) == ["file"]
    assert (files(media), CustomerDocument.objects.count(), kinds(customer)) == ([], 0, ["created"])


def test_the_size_is_what_comes(media: Path) -> None:
    customer = make_customer()
    with pytest.raises(DomainError, match="at most 10 MB"):
        add(customer, PDF + bytes(10 * 1024 * 1024))
    add(customer, PDF + bytes(10 * 1024 * 1024 - len(PDF)))
    assert [path.stat().st_size for path in files(media)] == [10 * 1024 * 1024]


def test_titles_kinds_and_numbers_are_bounded(media: Path) -> None:
    customer = make_customer()
    with pytest.raises(DomainError) as refused:
        add(customer, title=" ")
    assert list(refused.value.fields) == ["title"]
    with pytest.raises(DomainError) as refused:
        document_add(customer, file=io.BytesIO(PDF), title="x", kind="virus", actor=None)
    assert list(refused.value.fields) == ["kind"]
    row = add(customer)
    CustomerDocument.objects.bulk_create(
        CustomerDocument(
            customer=customer, title="x", file=f"f{i}", content_type="x", size=1, sha256="0", uploaded_at=NOW
        )
        for i in range(49)
    )
    with pytest.raises(DomainError, match="At most 50"):
        add(customer)
    assert files(media) == [media / row.file]


def test_a_row_that_fails_leaves_no_file(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise IntegrityError("as if the database had gone")

    monkeypatch.setattr(documents, "_row_add", fail)
    with pytest.raises(IntegrityError):
        add(make_customer())
    assert files(media) == []


def test_files_are_not_touched_inside_a_transaction(media: Path) -> None:
    customer = make_customer()
    row = add(customer)
    with pytest.raises(RuntimeError, match="inside a transaction"), transaction.atomic():
        add(customer)
    with transaction.atomic():
        document_remove(row, actor=None)
        assert files(media) == [media / row.file]
    assert files(media) == []


def test_a_removal_that_is_taken_back_keeps_the_file(media: Path) -> None:
    row = add(make_customer())
    with transaction.atomic():
        document_remove(row, actor=None)
        transaction.set_rollback(True)
    assert files(media) == [media / row.file]
    assert CustomerDocument.objects.get() == row


def test_the_sweep_takes_old_files_without_a_row_and_no_others(media: Path) -> None:
    row = add(make_customer())
    folder = (media / row.file).parent
    old, young = folder / "old.pdf", folder / "young.pdf"
    for path, age in ((old, 2), (young, 0), (media / row.file, 2)):
        path.write_bytes(PDF)
        moment = (NOW - timedelta(hours=age)).timestamp()
        os.utime(path, (moment, moment))
    elsewhere = media / "elsewhere.pdf"
    elsewhere.write_bytes(PDF)
    os.utime(elsewhere, (0, 0))
    assert orphans_sweep(now=NOW) == 1
    assert files(media) == sorted([media / row.file, young, elsewhere])
    assert orphans_sweep(now=NOW) == 0


def test_the_sweep_of_an_installation_without_files(media: Path) -> None:
    assert orphans_sweep() == 0


def test_a_document_of_a_merged_row_goes_through_the_one_that_stayed(media: Path) -> None:
    winner, loser = make_customer("a"), make_customer("b")
    row = add(loser)
    customers_merge(winner, loser, actor=None, now=NOW)
    with pytest.raises(TransitionError):
        add(loser)
    document_remove(row, actor=None)
    assert (files(media), kinds(winner)[-1]) == ([], "document_removed")


def test_an_erased_person_leaves_numbers_and_history_only(media: Path) -> None:
    boss = make_user()
    winner = make_customer(
        "Rahasia Satu", phone="0812-3456-7890", email="rahasia@example.com", address="Jl. Rahasia", area="rahasia",
        tags=["rahasia"], notes="rahasia", latitude=1, longitude=2, request_key="rahasia",
    )  # fmt: skip
    loser, other = make_customer("Rahasia Dua", phone="0813-0000-1111"), make_customer("Orang Lain")
    for row in (winner, loser, other):
        contact_add(row, actor=None, name="Rahasia Adik", phone="0813-0000-2222")
        consent_record(row, channel="email", kind="service", is_granted=True, source="form", actor=boss, now=NOW)
        add(row, title="Rahasia KTP")
    customers_merge(winner, loser, actor=boss, now=NOW)
    history = [kinds(winner), kinds(loser)]
    customer_erase(winner, actor=boss, ip="192.0.2.1", now=NOW)
    for row in (winner, loser):
        row.refresh_from_db()
        assert (row.name, row.phone, row.phone_typed, row.email, row.address, row.area, row.notes) == ("–", *[""] * 6)
        assert (row.tags, row.latitude, row.longitude, row.request_key) == ([], None, None, None)
        assert (row.is_active, row.erased_at, row.contacts.count(), row.documents.count()) == (False, NOW, 0, 0)
        assert row.consents.count() == 1
    assert [kinds(winner), kinds(loser)] == [[*line, "erased"] for line in history]
    assert (winner.number, loser.merged_into_id) == ("C000001", winner.pk)
    assert "rahasia" not in everything_written().lower()
    kept = CustomerDocument.objects.get()
    assert (kept.customer, files(media), Contact.objects.get().customer) == (other, [media / kept.file], other)
    with pytest.raises(TransitionError, match="was erased"):
        customer_erase(winner, actor=boss)
