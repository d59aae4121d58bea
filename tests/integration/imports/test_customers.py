"""A customer file from upload to customers: every problem named first, then all rows or none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Concat
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync, user_create
from billing.ledger.checking import ledger_check
from billing.models import Invoice, JournalEntry
from billing.services.settling import money_receive
from billing.words import line_words
from core import clock
from core.db.progress import Progress
from core.errors import DomainError, TransitionError
from customers.models import Customer, CustomerEvent
from customers.services import customer_create
from imports.choices import ImportStatus
from imports.models import ImportRow, ImportRun
from imports.services import import_apply, import_cancel, import_start, import_work, imports_resume
from locations.models import Location
from tests.integration.vouchers.world import make_location

pytestmark = pytest.mark.django_db(transaction=True)
GOOD = "Nama;HP;Lokasi;Saldo;Hutang\nBu Sri;0812-3456-7890;Pos 1;20.000;\nPak Budi;;Pos 1;;Rp 150.000\n<script>;;;;\n"


@pytest.fixture
def boss() -> User:
    roles_sync()
    make_location("Pos 1")
    return person("boss", Role.SUPER_ADMIN)


def person(name: str, role: str) -> User:
    return user_create(actor=None, username=name, password="a-long-test-password-7", role=role)


def bring(boss: User, text: str, key: str = "k", **options: Any) -> ImportRun:
    run = import_start(content=text.encode(), filename="a.csv", actor=boss, request_key=key, **options)
    import_work(run.pk)
    run.refresh_from_db()
    return run


def problems(run: ImportRun) -> list[tuple[int, list[list[str]]]]:
    return list(ImportRow.objects.filter(run=run).exclude(problems=[]).values_list("number", "problems"))


def test_a_dry_run_changes_nothing_and_applying_brings_all(boss: User) -> None:
    run = bring(boss, GOOD)
    assert (run.status, run.total, run.problem_count) == (ImportStatus.CHECKED, 3, 0)
    assert not Customer.objects.exists()
    import_apply(run, actor=boss)
    import_work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.done, run.content, run.error) == (ImportStatus.APPLIED, 3, None, "")
    rows = list(Customer.objects.order_by("pk").values_list("name", "phone", "location__name", "balance", "debt"))
    assert rows == [
        ("Bu Sri", "+6281234567890", "Pos 1", Decimal(20_000), Decimal(0)),
        ("Pak Budi", "", "Pos 1", Decimal(0), Decimal(150_000)),
        ("<script>", "", None, Decimal(0), Decimal(0)),
    ]
    invoice = Invoice.objects.get()
    assert (invoice.total, invoice.source, invoice.status) == (Decimal(150_000), f"import:{run.pk}:3", "open")
    line = invoice.lines.get()
    for language, words in (("en", "Debt from before"), ("id", "Hutang sebelumnya")):
        with override(language):
            assert line_words(line) == words
    assert CustomerEvent.objects.count() == 3
    assert ledger_check().findings == {}
    assert not ImportRow.objects.exists()  # nobody's name is kept twice


def test_every_problem_is_listed_by_row_and_nothing_can_be_applied(boss: User) -> None:
    Customer.objects.create(number="C9", name="There", phone="+6281234567890")
    rows = ("C9,A,,", ",B,0812-3456-7890,", ",C,08123,Pos 7", ",,,", ",D,0813-3456-7890,", ",E,+6281334567890,")
    run = bring(boss, "\n".join(["number,name,phone,location", *rows]))
    assert (run.status, run.total, run.problem_count) == (ImportStatus.CHECKED, 5, 4)
    found = problems(run)
    assert [(number, [column for column, _s in columns]) for number, columns in found] == [
        (2, ["number"]), (3, ["phone"]), (4, ["location", "phone"]), (7, ["phone"]),
    ]  # fmt: skip
    assert found[1][1] == [["phone", "Customer C9 has this phone number already."]]
    assert found[3][1] == [["phone", "The same as in row 6."]]
    with pytest.raises(DomainError, match="Mend the problems"):
        import_apply(run, actor=boss)
    assert Customer.objects.count() == 1


def test_shared_phones_and_unknown_columns_when_a_person_said_so(boss: User) -> None:
    text = "nama,hp,paket\nA,081234567890,x\nB,081234567890,y\n"
    refused = bring(boss, text)
    assert (refused.status, "paket" in refused.error) == (ImportStatus.FAILED, True)
    run = bring(boss, text, "k2", is_unknown_ignored=True, is_phone_shared=True)
    assert (run.status, run.problem_count) == (ImportStatus.CHECKED, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [("hp\n0812\n", "one of them “name”"), ("nama,name\nA,B\n", "mean the same"), ("\n\n", "Found: nothing")],
)
def test_a_header_that_cannot_be_used_says_why(boss: User, text: str, words: str) -> None:
    run = bring(boss, text)
    assert run.status == ImportStatus.FAILED
    assert words in run.error
    assert run.content is None


def test_a_number_taken_meanwhile_leaves_nothing(boss: User) -> None:
    run = bring(boss, "number,name,debt\nC1,A,5\nC2,B,5\n")
    import_apply(run, actor=boss)
    Customer.objects.create(number="C2", name="Faster")
    import_work(run.pk)
    run.refresh_from_db()
    assert (run.status, "number already" in run.error) == (ImportStatus.CHECKED, True)
    assert list(Customer.objects.values_list("name", flat=True)) == ["Faster"]
    assert not JournalEntry.objects.exists()


def cancel_at(monkeypatch: pytest.MonkeyPatch, run: ImportRun, then: Callable[[], None]) -> None:
    """Do something in another thread right before the last step tells its progress."""
    real = Progress.tick

    def tick(self: Progress, done: int) -> None:
        if self.running == ImportStatus.APPLYING:
            other = threading.Thread(target=lambda: (then(), connection.close()))
            other.start()
            other.join()
        real(self, done)

    monkeypatch.setattr(Progress, "tick", tick)


def test_cancel_while_it_is_applied_leaves_nothing(boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    run = bring(boss, GOOD)
    import_apply(run, actor=boss)
    cancel_at(monkeypatch, run, lambda: import_cancel(run, actor=boss))
    import_work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.is_cancel_requested) == (ImportStatus.CHECKED, False)
    assert not Customer.objects.exists()


def test_a_worker_that_was_replaced_brings_nothing_twice(boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    run = bring(boss, GOOD)
    import_apply(run, actor=boss)
    moved = clock.now() + timedelta(seconds=5)
    cancel_at(monkeypatch, run, lambda: ImportRun.objects.filter(pk=run.pk).update(heartbeat_at=moved))
    import_work(run.pk)
    assert not Customer.objects.exists()
    monkeypatch.undo()
    ImportRun.objects.filter(pk=run.pk).update(heartbeat_at=clock.now() - timedelta(seconds=61))
    assert imports_resume(now=clock.now() + timedelta(seconds=1)) == 0  # too young; its row was made just now
    assert imports_resume(now=clock.now() + timedelta(minutes=2)) == 1
    import_work(run.pk)
    assert Customer.objects.count() == 3
    import_work(run.pk)
    assert Customer.objects.count() == 3


def test_the_same_request_is_the_same_import(boss: User) -> None:
    first = import_start(content=b"nama\nA\n", filename="a.csv", actor=boss, request_key="k")
    assert import_start(content=b"nama\nB\n", filename="b.csv", actor=boss, request_key="k").pk == first.pk
    assert ImportRun.objects.count() == 1


def test_what_is_over_stays_over(boss: User) -> None:
    run = bring(boss, GOOD)
    import_cancel(run, actor=boss)
    for step in (import_apply, import_cancel):
        with pytest.raises(TransitionError):
            step(run, actor=boss)
    run.refresh_from_db()
    assert (run.status, run.content) == (ImportStatus.CANCELLED, None)


def test_the_pages_from_upload_to_customers(client: Client, boss: User) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    client.force_login(boss)
    add = reverse("admin:imports_importrun_add")
    assert client.get(add).status_code == 200
    file = SimpleUploadedFile("a.csv", GOOD.replace("0812-3456-7890", "12").encode())
    answer = client.post(add, {"file": file, "location": "", "request_key": "form"})
    run = ImportRun.objects.get()
    page = reverse("admin:imports_importrun_change", args=[run.pk])
    assert answer.headers["Location"] == page
    import_work(run.pk)
    html = client.get(page).content.decode()
    assert "1 row has a problem" in html
    assert "Row 2" in html
    csv = b"".join(client.get(reverse("admin:imports_importrun_problems", args=[run.pk])).streaming_content)  # type: ignore[attr-defined]
    assert csv.decode().count("\n") == 2
    good = bring(boss, GOOD, "k2")
    asked = client.post(reverse("admin:imports_importrun_apply", args=[good.pk]), {"request_key": "x"})
    assert asked.status_code == 302
    import_work(good.pk)
    assert Customer.objects.count() == 3
    assert client.get(reverse("admin:imports_importrun_changelist")).status_code == 200


def test_operators_bring_no_files(client: Client, boss: User) -> None:
    run = bring(boss, GOOD)
    client.force_login(person("op", Role.OPERATOR))
    for name, args in (("add", []), ("change", [run.pk]), ("problems", [run.pk]), ("apply", [run.pk])):
        assert client.get(reverse(f"admin:imports_importrun_{name}", args=args)).status_code in {302, 403, 404}
    assert not Customer.objects.exists()


@pytest.mark.parametrize("language", ["en", "id"])
def test_what_was_exported_can_be_brought_in_again(boss: User, language: str) -> None:
    place, columns = (
        Location.objects.get(),
        ("number", "name", "phone", "email", "address", "location__name", "area", "tags"),
    )
    more = ("latitude", "longitude", "notes", "language", "is_active", "balance", "debt")
    customer_create(
        actor=None, name="=Bu Sri", phone="0812-3456-7890", email="sri@contoh.id", address="-Jl. Melati 3; -RT 2", location=place,
        area="+ODP-07", tags=["vip", "lama"], latitude="-6.200001", longitude="106.816666",
        notes="first line\n@second; =line", language="id",
    )  # fmt: skip
    rich = customer_create(actor=None, name="Pak Budi", is_active=False, language="en")
    money_receive(
        customer_id=rich.pk, amount=20_000, into_account="cash:1", kind="payment", source="payment:1", now=clock.now()
    )
    before = list(Customer.objects.order_by("number").values(*columns, *more))
    client = Client(headers={"accept-language": language})
    client.force_login(boss)
    data = {"action": "export_csv", "_selected_action": list(Customer.objects.values_list("pk", flat=True))}
    answer = client.post(reverse("admin:customers_customer_changelist"), data)
    file = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "'=Bu Sri" in file

    Customer.objects.update(number=Concat(Value("old-"), "number"), phone="")  # as in a house that does not have them
    run = bring(boss, file)
    assert (run.status, run.error, run.total, run.problem_count) == (ImportStatus.CHECKED, "", 2, 0)
    import_apply(run, actor=boss)
    import_work(run.pk)
    assert (
        list(Customer.objects.exclude(number__startswith="old-").order_by("number").values(*columns, *more)) == before
    )


def test_active_is_yes_or_no(boss: User) -> None:
    with override("en"):
        run = bring(boss, "name;active\nBu Sri;yes\nPak Budi;tidak\nJoko;perhaps\n")
    assert problems(run) == [(4, [["is_active", "Write yes or no."]])]
