"""The back office of customers: list, page, forms, merge with preview, papers, export; hostile text stays text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.urls.exceptions import NoReverseMatch
from pytest_django import Settings

from accounts.choices import Role
from accounts.models import ActivityLog, User
from accounts.services import roles_sync, user_set_role
from core import panels
from customers.models import Contact, Customer, CustomerDocument, CustomerMerge
from customers.services import contact_add, customer_create, customers_merge, document_add
from locations.models import Location
from tests.integration.customers.test_documents import PDF
from tests.integration.customers.world import NOW, everything_written, kinds, make_customer, make_location, make_user

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/customers/customer/"
HOSTILE = "<script>alert('x')</script> \u202eevil"


@pytest.fixture
def here(settings: Settings, tmp_path: Path) -> Location:
    settings.MEDIA_ROOT = tmp_path
    roles_sync()
    return make_location("Pos 1")


@pytest.fixture
def boss(here: Location) -> User:
    return _person("ani", Role.ADMIN)


@pytest.fixture
def budi(here: Location) -> User:
    return _person("budi", Role.OPERATOR, here)


def _person(name: str, role: Role, *places: Location) -> User:
    user = make_user(name, role, *places)
    user_set_role(user, role, actor=None)
    return user


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    def login(user: User) -> Client:
        client = Client(headers={"accept-language": "en"})
        client.force_login(user)
        return client

    return login


Login = Callable[[User], Client]


def page(row: Customer) -> str:
    return reverse("admin:customers_customer_change", args=[row.pk])


def act(row: Customer, name: str) -> str:
    return reverse(f"admin:customers_customer_{name}", args=[row.pk])


def form_of(client: Client, url: str) -> dict[str, Any]:
    """What a browser would send back of the page's form."""
    context = client.get(url).context
    form = context["adminform"].form
    data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    for formset in context["inline_admin_formsets"]:
        for entry in [*formset.formset.forms, formset.formset.management_form]:
            data |= {entry.add_prefix(name): entry.get_initial_for_field(f, name) for name, f in entry.fields.items()}
    return {name: value for name, value in data.items() if value not in (None, False)}


def test_a_customer_is_added_and_a_second_press_is_the_same_one(budi: User, here: Location, client_of: Login) -> None:
    client = client_of(budi)
    data = form_of(client, LIST + "add/")
    data |= {"name": "Bu Sri", "phone": "0812-3456-7890", "tags": "Lunas, rumah", "email": "SRI@example.com"}
    answers = [client.post(LIST + "add/", data) for _i in range(2)]
    row = Customer.objects.get()
    assert [answer.headers["Location"] for answer in answers] == [page(row)] * 2
    assert (row.number, row.phone, row.phone_typed, row.tags, row.location, row.email) == (
        "C000001", "+6281234567890", "0812-3456-7890", ["lunas", "rumah"], here, "sri@example.com",
    )  # fmt: skip
    assert ActivityLog.objects.filter(action__startswith="customer").count() == 1


def test_wrong_fields_are_named_beside_them_and_what_was_typed_stays(budi: User, client_of: Login) -> None:
    data = {"name": "x" * 121, "phone": "12", "email": "a@", "tags": "y" * 31, "latitude": "100", "request_key": "k"}
    html = client_of(budi).post(LIST + "add/", data).content.decode()
    for sentence in (
        "is not a phone number. Write it like 0812-345-678", "Enter a valid email address.", "At most 30 characters",
        "at most 120 characters", "less than or equal to 90", 'value="12"',
    ):  # fmt: skip
        assert sentence in html, sentence
    assert not Customer.objects.exists()
    html = client_of(budi).post(LIST + "add/", {"name": "Sri", "latitude": "1", "request_key": "k"}).content.decode()
    assert "Write both coordinates, or none." in html


def test_changes_go_through_the_service_and_the_phone_is_shown_as_written(boss: User, client_of: Login) -> None:
    client, row = client_of(boss), make_customer("Bu Sri", phone="0812-3456-7890", tags="a")
    kept = contact_add(row, actor=None, name="Adik", phone="0813-0000-1111")
    gone = contact_add(row, actor=None, name="Paman")
    data = form_of(client, page(row))
    assert (data["phone"], data["tags"], data["contacts-0-phone"]) == ("0812-3456-7890", "a", "0813-0000-1111")
    assert client.post(page(row), data).status_code == 302
    assert kinds(row) == ["created", "contact_added", "contact_added"]  # nothing changed, nothing written
    data |= {"notes": "galak", "contacts-0-name": "Kakak", "contacts-1-DELETE": "on", "contacts-TOTAL_FORMS": "3"}
    data |= {"contacts-2-name": "Bibi", "contacts-2-role": "other", "contacts-2-phone": "0813 0000 2222"}
    assert client.post(page(row), data).status_code == 302
    assert list(row.contacts.order_by("pk").values_list("name", "phone")) == [
        ("Kakak", "+6281300001111"), ("Bibi", "+6281300002222"),
    ]  # fmt: skip
    assert not Contact.objects.filter(pk=gone.pk).exists()
    assert row.contacts.get(name="Kakak") == kept
    assert row.events.get(kind="changed").details["fields"] == ["notes"]
    assert "Kakak" not in everything_written()
    data["contacts-0-phone"] = "12"
    data["contacts-0-id"] = kept.pk
    data["contacts-INITIAL_FORMS"] = "1"
    data["contacts-TOTAL_FORMS"] = "1"
    assert b"is not a phone number" in client.post(page(row), data).content


def test_the_list_says_the_balance_in_words_and_is_found_filtered_and_scoped(
    boss: User, budi: User, here: Location, client_of: Login
) -> None:
    make_customer("Bu Sri", location=here, phone="0812-3456-7890", tags="lunas")
    make_customer("Pak Joko", location=make_location("Pos 2"), is_active=False)
    admin, operator = client_of(boss), client_of(budi)

    def shown(client: Client, query: str = "") -> list[str]:
        return [row.name for row in client.get(LIST + query).context["cl"].result_list]

    assert (shown(admin), shown(operator)) == (["Pak Joko", "Bu Sri"], ["Bu Sri"])
    for query in (
        "?q=sri",
        "?q=62812+3456",
        "?q=C000001",
        "?tag=lunas",
        "?state=active",
        f"?location__id__exact={here.pk}",
    ):
        assert shown(admin, query) == ["Bu Sri"], query
    assert (shown(admin, "?money=owing"), shown(admin, "?money=credit"), shown(operator, "?q=joko")) == ([], [], [])
    assert b"Nothing owed" in admin.get(LIST).content
    other = Customer.objects.get(name="Pak Joko")
    assert operator.get(page(other)).status_code == 302
    found = operator.get(
        reverse("admin:autocomplete"),
        {"app_label": "billing", "model_name": "subscription", "field_name": "customer", "term": "o"},
    )
    assert found.status_code in {200, 403}  # whether subscriptions may be made is theirs to say
    assert "Joko" not in found.content.decode()


def test_merge_shows_first_what_it_would_do(boss: User, client_of: Login) -> None:
    client, winner, loser = client_of(boss), make_customer("Bu Sri", phone="0812-3456-7890"), make_customer("Sri R")
    contact_add(loser, actor=None, name="Adik")
    twin = make_customer("Sri", phone="0812 3456 7890")
    assert twin.number in client.get(page(winner)).content.decode()
    html = client.get(act(winner, "merge")).content.decode()
    assert f"Looks like the same person: {twin.number}" in html
    assert client.post(act(winner, "merge"), {"number": "C999999"}).status_code == 422
    preview = client.post(act(winner, "merge"), {"number": loser.number.lower()}).headers["Location"]
    html = client.get(preview).content.decode()
    assert "Merge Sri R (C000002) into Bu Sri (C000001)?" in html
    assert "1 contact" in html
    assert not CustomerMerge.objects.exists()
    assert client.post(preview.split("?")[0], {"loser": loser.pk}).headers["Location"] == page(winner)
    loser.refresh_from_db()
    assert loser.merged_into == winner
    # the row that went says where it is, cannot be changed, and can be taken out again
    html = client.get(page(loser)).content.decode()
    assert "was merged into Bu Sri (C000001)" in html
    assert 'name="phone"' not in html
    assert client.post(act(loser, "undo_merge"), {}).status_code == 302
    loser.refresh_from_db()
    assert loser.merged_into is None
    for query in ("", "?loser=x", "?loser=99999", "?loser=" + "9" * 30):
        assert client.get(act(winner, "merge_preview") + query).headers["Location"] == act(winner, "merge")
    answer = client.get(act(winner, "merge_preview") + f"?loser={winner.pk}", follow=True)
    assert b"Choose another customer: this is the same one." in answer.content


def test_an_operator_sees_no_customer_of_another_place_in_the_merge(here: Location, client_of: Login) -> None:
    other = _person("dewi", Role.ADMIN)
    budi = _person("budi", Role.OPERATOR, here)
    winner, loser = make_customer("a", location=here), make_customer("b")
    for url in (act(winner, "merge"), act(winner, "merge_preview") + f"?loser={loser.pk}", act(winner, "erase")):
        assert client_of(budi).get(url).status_code == 403, url
        assert client_of(other).get(url).status_code == 200, url
        assert client_of(budi).get(url.replace(f"/{winner.pk}/", f"/{loser.pk}/")).status_code in {302, 404}


def test_a_person_is_erased_after_his_number_was_typed(boss: User, client_of: Login) -> None:
    client, row = client_of(boss), make_customer("Rahasia", phone="0812-3456-7890")
    assert client.post(act(row, "erase"), {"number": "C1"}).status_code == 422
    row.refresh_from_db()
    assert row.erased_at is None
    assert client.post(act(row, "erase"), {"number": "c000001"}).status_code == 302
    html = client.get(page(row)).content.decode()
    assert "Erased person" in html
    assert "Rahasia" not in html
    assert b"Erased person" in client.get(LIST).content


def test_notes_consents_and_their_errors(budi: User, here: Location, client_of: Login) -> None:
    client, row = client_of(budi), make_customer("Bu Sri", location=here)
    assert client.post(act(row, "note"), {"text": "anjing galak"}).status_code == 302
    data = {"channel": "whatsapp", "kind": "marketing", "is_granted": "no", "source": "WhatsApp"}
    assert client.post(act(row, "consent"), data).status_code == 302
    html = client.get(page(row)).content.decode()
    assert "budi: anjing galak" in html
    assert "Not by WhatsApp: offers" in html
    assert client.post(act(row, "consent"), {**data, "source": ""}).status_code == 422


def test_papers_are_kept_by_content_and_leave_as_attachments(
    boss: User, budi: User, here: Location, client_of: Login
) -> None:
    client, row = client_of(budi), make_customer("Bu Sri", location=here)
    evil = SimpleUploadedFile("ktp.pdf", b"<html><script>alert(1)</script>", "application/pdf")
    answer = client.post(act(row, "document"), {"file": evil, "title": "KTP", "kind": "identity"})
    assert (answer.status_code, b"Only PDF, JPEG, PNG and WebP" in answer.content) == (422, True)
    good = SimpleUploadedFile("../../x.html", PDF, "text/html")
    title = 'KTP "Sri"\r\nSet-Cookie: x'
    assert client.post(act(row, "document"), {"file": good, "title": title, "kind": "identity"}).status_code == 302
    document = CustomerDocument.objects.get()
    url = reverse("admin:customers_customerdocument_download", args=[document.pk])
    answer = client.get(url)
    assert (b"".join(answer.streaming_content), answer["Content-Type"]) == (PDF, "application/pdf")  # type: ignore[attr-defined]
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert (answer["Content-Security-Policy"], answer["X-Content-Type-Options"]) == (
        "sandbox; default-src 'none'",
        "nosniff",
    )
    log = ActivityLog.objects.get(action="customer.document_read")
    assert (log.user, log.details) == (budi, {"customer": row.pk, "document": document.pk})
    remove = reverse("admin:customers_customerdocument_remove", args=[document.pk])
    assert client.post(remove).status_code == 403
    Customer.objects.filter(pk=row.pk).update(location=None)
    assert client.get(url).status_code == 404
    assert Client().get(url).status_code == 302
    assert client_of(boss).post(remove).status_code == 302
    assert not CustomerDocument.objects.exists()


def test_a_lost_file_is_told(boss: User, client_of: Login, settings: Settings) -> None:
    row = make_customer()
    document = document_add(row, file=io.BytesIO(PDF), title="KTP", actor=None, now=NOW)
    (Path(settings.MEDIA_ROOT) / document.file).unlink()
    answer = client_of(boss).get(reverse("admin:customers_customerdocument_download", args=[document.pk]), follow=True)
    assert b"is not in the storage any more" in answer.content


def test_hostile_text_is_shown_and_exported_as_text(boss: User, budi: User, here: Location, client_of: Login) -> None:
    formula = customer_create(actor=None, name="=HYPERLINK(1)", address="@SUM(1)", location=here, tags=["+x"])
    row = make_customer(HOSTILE, notes=HOSTILE, address=HOSTILE, location=here, area="-2+3", phone="0812-3456-7890")
    contact_add(row, actor=None, name=HOSTILE)
    other = make_customer(HOSTILE, phone="0812-3456-7890")
    client = client_of(boss)
    pages = [LIST, page(row), act(row, "merge"), act(row, "merge_preview") + f"?loser={other.pk}", act(row, "erase")]
    for url in pages:
        html = client.get(url).content.decode()
        assert "&lt;script&gt;alert" in html, url
        assert "<script>alert(" not in html, url
        assert "\u202e" not in html, url
    data = {"action": "export_csv", "_selected_action": [formula.pk, row.pk]}
    answer = client.post(LIST, data)
    lines = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    table = list(csv.reader(io.StringIO(lines)))
    assert table[0][:3] == ["customer number", "name", "phone"]
    assert [line[:3] for line in table[1:]] == [
        ["C000002", "<script>alert('x')</script> evil", "'+62 812-3456-7890"], ["C000001", "'=HYPERLINK(1)", ""],
    ]  # fmt: skip
    assert (table[1][6], table[2][4], table[2][7]) == ("'-2+3", "'@SUM(1)", "'+x")
    assert ActivityLog.objects.filter(action="customer.exported", user=boss).count() == 1
    refused = client_of(budi).post(LIST, data)
    assert not refused.streaming
    assert ActivityLog.objects.filter(action="customer.exported").count() == 1


def test_the_dashboards_page_is_linked_once_it_is_there(
    boss: User, client_of: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, client = make_customer(), client_of(boss)

    def found(name: str, *args: Any, **kwargs: Any) -> str:
        if name == "dashboard:customer":
            return f"/customers/{kwargs['args'][0]}/"
        raise NoReverseMatch

    monkeypatch.setattr(panels, "reverse", found)
    assert f'href="/customers/{row.pk}/"' in client.get(page(row)).content.decode()

    def missing(name: str, *args: Any, **kwargs: Any) -> str:
        raise NoReverseMatch

    monkeypatch.setattr(panels, "reverse", missing)
    html = client.get(page(row)).content.decode()
    assert "Everything about this customer" not in html


def test_merged_rows_are_in_no_list(boss: User, client_of: Login) -> None:
    winner, loser = make_customer("a"), make_customer("b")
    customers_merge(winner, loser, actor=None, now=NOW)
    shown = [row.name for row in client_of(boss).get(LIST).context["cl"].result_list]
    assert shown == ["a"]
