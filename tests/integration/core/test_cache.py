"""The cache on PostgreSQL keeps Django's contract, and counts right when many count at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from core.cache import PostgresCache, prune
from core.models import CacheEntry

MOMENT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def cache() -> PostgresCache:
    return PostgresCache("core_cache", {})


@pytest.mark.django_db
@pytest.mark.parametrize(
    "value", [0, -5, 2**63 - 1, 2**70, True, False, None, "text", "1", 1.5, [1, "a", None], {"a": {"b": [2]}}]
)
def test_gives_back_what_was_put_in_with_its_type(cache: PostgresCache, value: object) -> None:
    cache.set("k", value)
    found = cache.get("k", "missing")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.django_db
def test_what_is_no_json_is_refused_and_never_pickled(cache: PostgresCache) -> None:
    with pytest.raises(TypeError):
        cache.set("k", object())
    assert cache.get("k") is None


@pytest.mark.django_db
def test_add_only_adds(cache: PostgresCache) -> None:
    assert cache.add("k", 1) is True
    assert cache.add("k", 2) is False
    assert cache.get("k") == 1


@pytest.mark.django_db
def test_add_takes_the_place_of_an_expired_value(cache: PostgresCache) -> None:
    with time_machine.travel(MOMENT, tick=False) as clock:
        cache.add("k", 1, timeout=10)
        clock.shift(timedelta(seconds=9))
        assert cache.add("k", 2, timeout=10) is False
        clock.shift(timedelta(seconds=1))
        assert cache.get("k") is None
        assert cache.add("k", 3, timeout=10) is True
        assert cache.get("k") == 3


@pytest.mark.django_db
def test_incr_wants_a_living_number(cache: PostgresCache) -> None:
    with pytest.raises(ValueError, match="not found"):
        cache.incr("k")
    cache.set("k", "text")
    with pytest.raises(ValueError, match="not found"):
        cache.incr("k")
    with time_machine.travel(MOMENT, tick=False) as clock:
        cache.set("k", 5, timeout=10)
        assert (cache.incr("k"), cache.incr("k", 10), cache.decr("k", 3)) == (6, 16, 13)
        clock.shift(timedelta(seconds=11))
        with pytest.raises(ValueError, match="not found"):
            cache.incr("k")


@pytest.mark.django_db
def test_incr_leaves_the_expiry_alone(cache: PostgresCache) -> None:
    with time_machine.travel(MOMENT, tick=False) as clock:
        cache.set("k", 1, timeout=10)
        clock.shift(timedelta(seconds=9))
        cache.incr("k")
        clock.shift(timedelta(seconds=2))
        assert cache.get("k") is None


@pytest.mark.django_db
def test_touch_delete_clear_has_many(cache: PostgresCache) -> None:
    with time_machine.travel(MOMENT, tick=False) as clock:
        cache.set_many({"a": 1, "b": 2, "c": 3}, timeout=10)
        assert cache.touch("a", 100) is True
        assert cache.touch("nothing", 100) is False
        assert cache.get_many(["a", "b", "x"]) == {"a": 1, "b": 2}
        assert cache.delete("b") is True
        assert cache.delete("b") is False
        clock.shift(timedelta(seconds=11))
        assert cache.get_many(["a", "b", "c"]) == {"a": 1}
        assert (cache.has_key("a"), "c" in cache) == (True, False)
        cache.delete_many(["a", "c"])
        assert CacheEntry.objects.count() == 0
        cache.set("z", 1, timeout=None)
        clock.shift(timedelta(days=4000))
        assert cache.get("z") == 1
        cache.clear()
        assert cache.get("z") is None


@pytest.mark.django_db
@pytest.mark.parametrize("timeout", [0, -1])
def test_a_timeout_of_zero_keeps_nothing(cache: PostgresCache, timeout: int) -> None:
    cache.set("k", 1)
    cache.set("k", 2, timeout=timeout)
    assert cache.get("k") is None
    assert cache.add("other", 1, timeout=timeout) is True
    assert cache.get("other") is None


@pytest.mark.django_db
def test_versions_prefixes_and_long_keys_do_not_meet(cache: PostgresCache) -> None:
    other = PostgresCache("core_cache", {"KEY_PREFIX": "x"})
    cache.set("k", 1)
    cache.set("k", 2, version=2)
    other.set("k", 3)
    long = "k" * 4000
    cache.set(long, 4)
    cache.set(long + "x", 5)
    assert [cache.get("k"), cache.get("k", version=2), other.get("k"), cache.get(long), cache.get(long + "x")] == [
        1, 2, 3, 4, 5,
    ]  # fmt: skip


@pytest.mark.django_db
def test_prune_takes_only_the_expired(cache: PostgresCache) -> None:
    with time_machine.travel(MOMENT, tick=False) as clock:
        cache.set("old", 1, timeout=10)
        cache.set("young", 1, timeout=100)
        cache.set("ever", 1, timeout=None)
        clock.shift(timedelta(seconds=11))
        assert prune() == 1
        assert set(CacheEntry.objects.values_list("key", flat=True)) == {":1:young", ":1:ever"}


@pytest.mark.django_db(transaction=True)
def test_threads_lose_no_count_and_only_one_adds(cache: PostgresCache) -> None:
    threads, each = 8, 50
    start, added, seen = threading.Barrier(threads), [], []

    def count() -> None:
        try:
            start.wait(timeout=20)
            added.append(cache.add("k", 0, timeout=60))
            seen.extend(cache.incr("k") for _n in range(each))
        finally:
            connection.close()

    workers = [threading.Thread(target=count) for _n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert added.count(True) == 1
    assert sorted(seen) == list(range(1, threads * each + 1))
    assert cache.get("k") == threads * each
