"""What staff do with vouchers and batches in the admin."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import ActivityLog, User
from billing.models import Plan
from billing.services import plan_change, plan_create, plan_publish
from core.clock import now
from locations.models import AccessAccount, Location
from tests.integration.admin.world import World
from vouchers.forms import BatchForm
from vouchers.models import Voucher, VoucherBatch, VoucherSale

Login = Callable[[User], Client]
LIST = "admin:vouchers_voucher_changelist"


def fresh(world: World) -> Voucher:
    return Voucher.objects.filter(batch=world.batch, status="new").order_by("pk")[0]


def act(client: Client, row: Any, name: str, **data: Any) -> Any:
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk])
    return client.post(url, data)


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_selling_asks_first_and_sells_once(world: World, login: Login) -> None:
    client, row = login(world.operator), fresh(world)
    asked = client.get(reverse("admin:vouchers_voucher_sell", args=[row.pk]))
    assert asked.status_code == 200
    assert Voucher.objects.get(pk=row.pk).status == "new"
    key = asked.context["form"].initial["request_key"]
    first = act(client, row, "sell", amount="4500", request_key=key)
    act(client, row, "sell", amount="4500", request_key=key)
    assert first.status_code == 302
    assert said(first) == [f"Voucher {row.code} sold for IDR 4,500. You can undo this for 60 seconds."]
    sales = VoucherSale.objects.filter(voucher=row)
    assert [(sale.amount, sale.seller_id) for sale in sales] == [(Decimal(4500), world.operator.pk)]
    assert Voucher.objects.get(pk=row.pk).status == "sold"


def test_a_sale_can_be_undone_for_a_minute_and_not_after(world: World, login: Login) -> None:
    client, row = login(world.operator), fresh(world)
    act(client, row, "sell", amount="5000", request_key="k1")
    page = client.get(reverse("admin:vouchers_voucher_change", args=[row.pk])).content.decode()
    assert f'action="/admin/vouchers/voucher/{row.pk}/undo-sale/" data-mb-expires="' in page
    assert act(client, row, "undo_sale").status_code == 302
    assert Voucher.objects.get(pk=row.pk).status == "new"
    assert sum(sale.amount for sale in VoucherSale.objects.filter(voucher=row)) == 0


def test_a_refusal_is_a_sentence_and_changes_nothing(world: World, login: Login) -> None:
    client, row = login(world.operator), fresh(world)
    response = act(client, row, "sell", amount="-1", request_key="k2")
    assert response.status_code == 422
    assert VoucherSale.objects.filter(voucher=row).count() == 0
    assert Voucher.objects.get(pk=row.pk).status == "new"


def test_an_operator_may_not_extend_void_or_move(world: World, login: Login) -> None:
    client, row = login(world.operator), fresh(world)
    for name, data in (
        ("extend", {"seconds_0": "2", "seconds_1": "h"}),
        ("void", {"reason": "typo"}),
        ("move", {"location": str(world.far.pk)}),
    ):
        assert act(client, row, name, **data).status_code == 403, name
    page = client.get(reverse("admin:vouchers_voucher_change", args=[row.pk])).content.decode()
    assert "/void/" not in page
    assert Voucher.objects.get(pk=row.pk).status == "new"


def test_an_admin_extends_and_voids_with_a_reason(world: World, login: Login) -> None:
    client = login(world.admin)
    active = Voucher.objects.get(batch=world.batch, status="active")
    before = active.valid_until
    assert act(client, active, "extend", seconds_0="2", seconds_1="h").status_code == 302
    active.refresh_from_db()
    assert (active.valid_until - before).total_seconds() == 7200
    assert act(client, active, "void", reason="").status_code == 422
    assert act(client, active, "void", reason="lost").status_code == 302
    assert Voucher.objects.get(pk=active.pk).status == "void"
    assert ActivityLog.objects.filter(action="voucher.voided", user=world.admin).count() == 1


def test_the_page_says_who_made_a_voucher(world: World, login: Login) -> None:
    row = fresh(world)
    url = reverse("admin:vouchers_voucher_change", args=[row.pk])
    assert [(line["what"], line["who"]) for line in login(world.boss).get(url).context["timeline"]] == [
        ("Made", str(world.boss))
    ]
    VoucherBatch.objects.filter(pk=row.batch_id).update(created_by=None)
    assert [line["who"] for line in login(world.boss).get(url).context["timeline"]] == ["the system"]


def test_codes_are_found_by_themselves_and_by_their_beginning(world: World, login: Login) -> None:
    client, row = login(world.boss), fresh(world)
    exact = client.get(reverse(LIST), {"q": row.code.lower()})
    assert [found.pk for found in exact.context["cl"].result_list] == [row.pk]
    prefix = client.get(reverse(LIST), {"q": "pos2-"})
    assert prefix.context["cl"].result_count == 40
    assert client.get(reverse(LIST), {"q": row.code[1:]}).context["cl"].result_count == 0


def test_an_operator_sees_only_the_vouchers_of_his_locations(world: World, login: Login) -> None:
    VoucherBatch.objects.filter(pk=world.waiting.pk).update(name="elsewhere")
    from vouchers.models import BatchLocation

    BatchLocation.objects.filter(batch=world.waiting, location=world.near).delete()
    client = login(world.operator)
    assert client.get(reverse(LIST)).context["cl"].result_count == 40
    hidden = Voucher.objects.filter(batch=world.waiting).first()
    assert hidden is not None
    page = client.get(reverse("admin:vouchers_voucher_change", args=[hidden.pk]))
    assert page.status_code in {302, 404}
    assert act(client, hidden, "sell", amount="1", request_key="x").status_code == 404
    assert client.get(reverse("admin:vouchers_voucher_live", args=[hidden.pk])).status_code == 404


def test_paging_by_key_walks_the_whole_list_and_back(world: World, login: Login) -> None:
    client = login(world.boss)
    url, seen = reverse(LIST), []
    older: str | None = ""
    while older is not None:
        changelist = client.get(url + older).context["cl"]
        seen += [row.pk for row in changelist.result_list]
        last, older = changelist, changelist.older
    assert seen == sorted(Voucher.objects.values_list("pk", flat=True), reverse=True)
    back = client.get(url + last.newer).context["cl"]
    assert [row.pk for row in back.result_list] == seen[25:50]


@pytest.mark.parametrize("query", ["before=x", "before=-1", "after=9999999999999999999999", "before=%00"])
def test_a_bad_key_is_not_an_error_page(world: World, login: Login, query: str) -> None:
    assert login(world.boss).get(f"{reverse(LIST)}?{query}").status_code == 302


def test_several_vouchers_are_sold_after_one_question(world: World, login: Login) -> None:
    client = login(world.operator)
    rows = list(Voucher.objects.filter(batch=world.batch, status="new").order_by("pk")[:3])
    data: dict[str, Any] = {"action": "sell_chosen", "_selected_action": [str(row.pk) for row in rows]}
    asked = client.post(reverse(LIST), data)
    assert b"Sell 3 vouchers for IDR 15,000?" in asked.content
    assert VoucherSale.objects.filter(voucher__in=rows).count() == 0
    data |= {"confirmed": "1", "request_key": asked.context["request_key"]}
    done = client.post(reverse(LIST), data)
    assert said(done) == ["3 vouchers sold for IDR 15,000."]
    client.post(reverse(LIST), data)
    assert VoucherSale.objects.filter(voucher__in=rows).count() == 3


def test_the_chosen_rows_become_a_csv_without_secrets(world: World, login: Login) -> None:
    rows = list(Voucher.objects.filter(batch=world.batch).order_by("-pk")[:2])
    data = {"action": "export_csv", "_selected_action": [str(row.pk) for row in rows]}
    response = login(world.boss).post(reverse(LIST), data)
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert lines[0] == ["code", "status", "plan", "batch", "sold", "first login", "valid until"]
    assert [line[0] for line in lines[1:]] == [row.code for row in rows]


def order(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "plan": world.plan.pk, "places": [world.near.pk], "quantity": "7", "prefix": "", "length": "8",
        "charset": "unambiguous", "mode": "same", "push_at": "creation", "price": "", "price_cost": "", "name": "",
        "note": "", "request_key": "order-1", **changes,
    }  # fmt: skip


def test_a_batch_is_ordered_once_even_when_sent_twice(world: World, login: Login) -> None:
    client, url = login(world.operator), reverse("admin:vouchers_voucherbatch_add")
    first, second = client.post(url, order(world)), client.post(url, order(world))
    made = VoucherBatch.objects.get(request_key="order-1")
    page = reverse("admin:vouchers_voucherbatch_change", args=[made.pk])
    assert (first.status_code, first["Location"]) == (302, page)
    assert (second.status_code, second["Location"]) == (302, page)
    assert (made.quantity, made.price, made.created_by_id) == (7, Decimal(5000), world.operator.pk)
    assert ActivityLog.objects.filter(action="batch.created", user=world.operator).count() == 1


def test_a_refused_order_keeps_what_was_typed_and_makes_nothing(world: World, login: Login) -> None:
    client, url = login(world.operator), reverse("admin:vouchers_voucherbatch_add")
    before = VoucherBatch.objects.count()
    response = client.post(url, order(world, quantity="100000", length="4", charset="digits", note="keep me"))
    assert response.status_code == 200
    form = response.context["adminform"].form
    assert form.errors
    assert form["note"].value() == "keep me"
    assert VoucherBatch.objects.count() == before


def test_an_operator_cannot_order_for_another_location(world: World, login: Login) -> None:
    client, url = login(world.operator), reverse("admin:vouchers_voucherbatch_add")
    response = client.post(url, order(world, places=[world.far.pk]))
    assert "places" in response.context["adminform"].form.errors
    assert not VoucherBatch.objects.filter(request_key="order-1").exists()


def test_the_form_offers_the_plans_this_person_may_sell_with_their_price(world: World, login: Login) -> None:
    def plan(name: str, place: Location, **terms: Any) -> Plan:
        made = plan_create(actor=world.boss, name=name, price_sell=20_000, price_cost=0, **terms)
        plan_publish(made, [place], actor=world.boss)
        return made

    week = plan("Mingguan", world.near, duration_seconds=604_800, data_limit_bytes=2 * 1024**3)
    away, ended = plan("Di sana", world.far), plan("Lama", world.near)
    plan_change(ended, actor=world.boss, is_active=False)
    plan("Rumah", world.near, type="pppoe")
    client, url = login(world.operator), reverse("admin:vouchers_voucherbatch_add")
    form = client.get(url).context["adminform"].form
    assert [(str(value), label) for value, label in form.fields["plan"].choices] == [
        ("", "Choose a plan"),
        (str(week.pk), "Mingguan · IDR 20,000 · 7 days from first login · 2 GB"),
        (str(world.plan.pk), f"{world.plan.name} · IDR 5,000 · 1 day from first login · 2 devices"),
    ]
    assert not BatchForm.base_fields["plan"].queryset.exists()  # type: ignore[attr-defined]
    for refused in (away.pk, ended.pk, "", "999999", "x"):
        response = client.post(url, order(world, plan=refused))
        assert "plan" in response.context["adminform"].form.errors
    assert not VoucherBatch.objects.filter(request_key="order-1").exists()
    assert client.post(url, order(world, plan=week.pk)).status_code == 302
    made = VoucherBatch.objects.get(request_key="order-1")
    assert (made.plan_id, made.price, made.duration_seconds) == (week.pk, Decimal(20_000), 604_800)


def test_a_warning_is_shown_before_a_small_router_is_filled(world: World, login: Login) -> None:
    from locations.models import RouterState

    RouterState.objects.filter(location=world.near).update(model="hAP lite")
    client, url = login(world.boss), reverse("admin:vouchers_voucherbatch_add")
    warned = client.post(url, order(world, quantity="3000"))
    assert b"hAP lite" in warned.content
    assert not VoucherBatch.objects.filter(request_key="order-1").exists()
    assert client.post(url, order(world, quantity="3000", is_warned="on")).status_code == 302
    assert VoucherBatch.objects.get(request_key="order-1").quantity == 3000


def test_a_running_batch_shows_its_progress_and_can_be_cancelled(world: World, login: Login) -> None:
    running = VoucherBatch.objects.get(status="queued")
    VoucherBatch.objects.filter(pk=running.pk).update(status="generating", progress=4, heartbeat_at=now())
    client = login(world.boss)
    live = client.get(reverse("admin:vouchers_voucherbatch_live", args=[running.pk])).content.decode()
    assert "4 of 10" in live
    assert 'aria-valuenow="40"' in live
    assert "every 2s [document.visibilityState==" in live
    assert act(login(world.operator), running, "cancel").status_code == 403
    assert act(client, running, "cancel").status_code == 302
    assert VoucherBatch.objects.get(pk=running.pk).is_cancel_requested is True


def test_the_page_of_a_batch_counts_what_routers_confirmed(world: World, login: Login) -> None:
    page = login(world.boss).get(reverse("admin:vouchers_voucherbatch_change", args=[world.waiting.pk]))
    numbers = [count for _label, count, _url, _tone in page.context["counts"]]
    assert numbers == [30, 60, 0, 57, 3]
    listed = login(world.boss).get(page.context["counts"][4][2])
    assert listed.context["cl"].result_count == 3
    assert AccessAccount.objects.exclude(hold="").count() == 3


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "en",
            "When more devices than the plan allows use one code at different locations at once, the newer session "
            "is ended within about a minute; later while a router is offline.",
        ),
        (
            "id",
            "Kalau satu kode dipakai di beberapa lokasi sekaligus oleh lebih banyak perangkat daripada yang "
            "diperbolehkan paket, sesi yang lebih baru diputus dalam sekitar satu menit; lebih lama selama router "
            "offline.",
        ),
    ],
)
def test_the_delay_of_a_session_too_many_stands_where_codes_are_good_at_several_locations(
    world: World, login: Login, language: str, sentence: str
) -> None:
    User.objects.filter(pk=world.boss.pk).update(language=language)
    client = login(world.boss)
    roaming = Voucher.objects.filter(batch=world.waiting)[0]
    rows: list[tuple[Any, bool]] = [
        (world.waiting, True), (roaming, True), (world.batch, False), (fresh(world), False),
    ]  # fmt: skip
    urls = [(reverse(f"admin:vouchers_{row._meta.model_name}_change", args=[row.pk]), said) for row, said in rows]
    with translation.override("en"):  # a page leaves its language behind
        for url, is_said in [*urls, (reverse("admin:vouchers_voucherbatch_add"), True)]:
            assert (sentence in client.get(url).content.decode()) == is_said, url
