"""Asking a router while a person waits: at most two at once, bounded in time, the same guards as the writer's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from core.errors import DomainError
from locations.choices import TlsMode
from locations.models import Location, RouterState
from locations.services import AskError, location_test, router_ask
from locations.sync.writer import location_run
from tests.routers import emulated, location_of

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def asking_elsewhere(location: Location) -> Iterator[None]:
    """Somebody else, on a database connection of his own, in the middle of asking."""
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        try:
            with router_ask(location):
                inside.set()
                leave.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(30)
    try:
        yield
    finally:
        leave.set()
        thread.join(30)


def test_two_may_ask_and_a_third_is_told_to_wait() -> None:
    with emulated() as router:
        location = location_of(router)
        location_run(location.pk)
        other = location_of(router, name="Pos 2")
        with asking_elsewhere(location):
            with asking_elsewhere(location):
                for ask in (lambda: router_ask(location).__enter__(), lambda: location_test(location)):
                    with pytest.raises(DomainError) as busy:
                        ask()
                    assert (busy.value.code, busy.value.status) == ("router.busy", 409)
                assert len(router.rows("/user/active")) == 3  # theirs and the writer's kept one
                with router_ask(other) as client:  # another location is another router
                    assert client.print("/system/identity") == [{"name": "MikroTik"}]
            with router_ask(location) as client:
                assert client.print("/system/identity") == [{"name": "MikroTik"}]
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
            assert cursor.fetchone() == (0,)


def test_who_dies_while_asking_gives_his_turn_back() -> None:
    with emulated() as router:
        location = location_of(router)

        def dies() -> None:
            manager = router_ask(location)
            manager.__enter__()
            connection.close()  # as the end of his process does

        threads = [threading.Thread(target=dies) for _n in range(2)]
        for thread in threads:
            thread.start()
            thread.join(30)
        assert location_test(location).ok


def test_a_router_that_says_nothing_is_left_when_the_time_is_over() -> None:
    with emulated() as router:
        location = location_of(router)
        router.set_fault("stall", pattern="/system/identity/print")
        with pytest.raises(AskError) as late, router_ask(location, seconds=0.5) as client:
            client.print("/system/identity")
        assert (late.value.problem, late.value.code) == ("timeout", "router.timeout")
        assert late.value.message == "No answer in time. Check address, firewall and VPN."
        router.clear_fault("stall")
        assert location_test(location).ok


def test_all_questions_together_have_one_time_limit() -> None:
    with emulated() as router:
        location = location_of(router)
        router.set_fault("delay", ms=200)
        with pytest.raises(AskError) as late, router_ask(location, seconds=1) as client:
            list(map(client.print, ["/system/identity"] * 10))
        assert late.value.problem == "timeout"
        assert len(router.op_log("/system/identity/print")) < 6


def test_another_router_is_asked_nothing() -> None:
    with emulated() as router:
        location = location_of(router)
        RouterState.objects.update(serial="OTHER")
        with pytest.raises(AskError) as wrong, router_ask(location):
            pytest.fail("asked another router")
        assert wrong.value.problem == "wrong_router"
        assert router.serial in wrong.value.message
        assert location_test(location).problem == "wrong_router"


def test_errors_are_sentences_without_what_was_sent() -> None:
    with emulated() as router:
        location = location_of(router)
        location.password = "geheim-123"
        with pytest.raises(AskError) as refused, router_ask(location):
            pytest.fail("logged in with a wrong password")
        assert refused.value.problem == "login"
        assert "geheim" not in repr(refused.value) + refused.value.message
        assert refused.value.__cause__ is None
        location.tls_mode, location.password = TlsMode.PINNED, router.password
        with pytest.raises(AskError) as plain, router_ask(location, seconds=2):
            pytest.fail("spoke without encryption")
        assert plain.value.problem == "tls"
        location.tls_mode = TlsMode.NONE
        with pytest.raises(AskError) as trapped, router_ask(location) as client:
            client.print("/no/such/menu")
        assert trapped.value.problem == "trap"
        assert "no such command" in trapped.value.message


def test_not_when_switched_off_and_never_in_a_transaction() -> None:
    with emulated() as router:
        location = location_of(router, is_active=False)
        with pytest.raises(DomainError) as off, router_ask(location):
            pytest.fail("asked a router that is switched off")
        assert off.value.code == "router.switched_off"
        assert location_test(location).ok  # before it is switched on
        with transaction.atomic(), pytest.raises(RuntimeError), router_ask(location):
            pytest.fail("network in a transaction")
