"""Taking over a router through its pages and over REST."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from imports.choices import RouterImportStatus
from imports.models import RouterImport, RouterImportProfile
from tests.integration.imports.moved import Moved, made
from tests.routers import emulated

pytestmark = pytest.mark.django_db(transaction=True)


def page(name: str, run: RouterImport) -> str:
    return reverse(f"admin:imports_routerimport_{name}", args=[run.pk])


def test_the_pages_from_reading_to_undone(client: Client) -> None:
    with emulated(version="7.16.1") as router:
        moved = Moved(router, "7.16.1")
        client.force_login(moved.boss)
        add = reverse("admin:imports_routerimport_add")
        assert client.get(add).status_code == 200
        answer = client.post(add, {"location": moved.location.pk, "request_key": "form"})
        run = RouterImport.objects.get()
        assert answer.headers["Location"] == page("change", run)
        moved.work(run)
        assert "What becomes of it" in client.get(page("change", run)).content.decode()
        _chosen_on_the_page(client, moved, run)
        html = client.get(page("rows", run), {"q": "run", "verdict": "adopt"}).content.decode()
        assert ("run01" in html, "abc12" in html) == (True, False)
        table = b"".join(client.get(page("csv", run)).streaming_content).decode()  # type: ignore[attr-defined]
        assert ("run01" in table, "rahasia" in table, "s3cret" in table) == (True, False, False)
        for step, status in (("apply", RouterImportStatus.APPLIED), ("undo", RouterImportStatus.UNDONE)):
            assert client.get(page(step, run)).status_code == 200
            assert client.post(page(step, run), {"request_key": step}).status_code == 302
            moved.work(run)
            assert (run.status, run.error) == (status, "")
        assert client.get(reverse("admin:imports_routerimport_changelist")).status_code == 200
        assert moved.is_untouched()
        assert made() == []


def _chosen_on_the_page(client: Client, moved: Moved, run: RouterImport) -> None:
    assert client.get(page("choose", run)).status_code == 200
    data: dict[str, str] = {"billed_from": f"{moved.today():%Y-%m-%d}", "is_sales_wanted": "on"}
    for choice in RouterImportProfile.objects.filter(run=run):
        data |= {
            f"{choice.pk}-use": choice.use, f"{choice.pk}-plan_name": choice.plan_name,
            f"{choice.pk}-price_sell": str(int(choice.price_sell)), f"{choice.pk}-price_cost": "0",
            f"{choice.pk}-duration_seconds_0": "3", f"{choice.pk}-duration_seconds_1": "d",
        }  # fmt: skip
    wrong = client.post(page("choose", run), {**data, "billed_from": "2001-01-01"})
    assert wrong.status_code == 422
    assert "The first day to bill is today or at most a year ahead." in wrong.content.decode()
    answer = client.post(page("choose", run), data)
    assert (answer.status_code, answer.headers.get("Location")) == (302, page("change", run))
    moved.work(run)
    choice = RouterImportProfile.objects.get(run=run, name="1Hari")
    assert (choice.duration_seconds, choice.price_sell, choice.price_cost) == (3 * 86_400, 5000, 0)


def test_over_rest_from_reading_to_undone() -> None:
    with emulated(version="7.16.1") as router:
        moved = Moved(router, "7.16.1")
        client = APIClient()
        client.force_authenticate(moved.boss)
        base = "/api/v1/router-imports/"
        answer = client.post(base, {"location": moved.location.pk}, format="json", HTTP_IDEMPOTENCY_KEY="a" * 16)
        assert answer.status_code == 201, answer.content
        run = moved.work(RouterImport.objects.get())
        one = client.get(f"{base}{run.pk}/").json()
        assert (one["status"], {row["name"] for row in one["profiles"]} >= {"1Hari", "10M"}) == ("checked", True)
        chosen = {"profiles": [{"id": one["profiles"][0]["id"], "use": "leave"}], "billed_from": f"{moved.today()}"}
        answer = client.post(f"{base}{run.pk}/choose/", chosen, format="json")
        assert (answer.status_code, answer.json().get("status")) == (200, "queued"), answer.content
        moved.work(run)
        text = client.get(f"{base}{run.pk}/rows/").content.decode()
        assert ("abc12" in text, "rahasia" in text, "s3cret" in text) == (True, False, False)
        for step, waiting, status in (("apply", "waiting", "applied"), ("undo", "undo_waiting", "undone")):
            assert client.post(f"{base}{run.pk}/{step}/", {}, format="json").json()["status"] == waiting
            assert (moved.work(run).status, run.error) == (status, "")
        refused = client.post(f"{base}{run.pk}/retire-scripts/", {}, format="json")
        assert refused.status_code == 409
        assert moved.is_untouched()
        assert made() == []
