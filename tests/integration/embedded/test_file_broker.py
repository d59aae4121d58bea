"""The filesystem broker between processes: every message once, whole, and none taken for another queue."""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection
from kombu.transport import TRANSPORT_ALIASES

from config.embedded.broker import prepare_broker
from config.embedded.file_broker import Channel, use_whole_messages

MESSAGES, WRITERS, READERS = 300, 2, 2


def options(folder: Path) -> dict[str, str]:
    queue = str(folder / "queue")
    return {"data_folder_in": queue, "data_folder_out": queue, "control_folder": str(folder / "control")}


def channel(folder: Path) -> Channel:
    use_whole_messages()
    connection = Connection("filesystem://", transport_options=options(folder)).connection
    made = connection.Channel(connection)
    assert isinstance(made, Channel)
    return made


def write(folder: Path, writer: int) -> None:
    broker = channel(folder)
    for number in range(MESSAGES):
        broker._put("celery", {"id": writer * MESSAGES + number, "body": "x" * 5000})


def read(folder: Path, results: multiprocessing.Queue[list[int]], done: Event) -> None:
    broker = channel(folder)
    got: list[int] = []
    while True:
        last_look = done.is_set()
        try:
            got.append(broker._get("celery")["id"])
        except Empty:
            if last_look:
                break
            done.wait(0.01)
    results.put(got)


def test_the_alias_leads_here() -> None:
    use_whole_messages()
    assert TRANSPORT_ALIASES["filesystem"] == "config.embedded.file_broker:Transport"
    assert Connection("filesystem://").transport_cls == "filesystem"


def test_many_processes_get_every_message_once_and_whole(tmp_path: Path) -> None:
    folder = prepare_broker(tmp_path)
    context = multiprocessing.get_context("spawn")
    results, done = context.Queue(), context.Event()
    readers = [context.Process(target=read, args=(folder, results, done)) for _ in range(READERS)]
    writers = [context.Process(target=write, args=(folder, number)) for number in range(WRITERS)]
    for process in readers + writers:
        process.start()
    for process in writers:
        process.join(60)
    done.set()
    got = [number for _ in readers for number in results.get(timeout=60)]
    for process in readers:
        process.join(60)
    # A reader that met a half-written message would have ended with an error and without its result.
    assert [process.exitcode for process in readers + writers] == [0] * (READERS + WRITERS)
    assert sorted(got) == list(range(MESSAGES * WRITERS))
    assert list((folder / "queue").iterdir()) == []


def test_a_message_is_never_seen_before_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = channel(prepare_broker(tmp_path))
    seen: list[str] = []
    original = Path.write_bytes

    def look_while_writing(path: Path, data: bytes) -> int:
        path.touch()
        try:
            broker._get("celery")
        except Empty:
            seen.append("nothing yet")
        return original(path, data)

    monkeypatch.setattr(Path, "write_bytes", look_while_writing)
    broker._put("celery", {"id": 1})
    assert seen == ["nothing yet"]
    assert broker._get("celery") == {"id": 1}


def test_queues_do_not_take_each_others_messages_and_keep_their_order(tmp_path: Path) -> None:
    broker = channel(prepare_broker(tmp_path))
    for number in range(3):
        broker._put("routers", {"id": number})
        broker._put("routers_slow", {"id": 10 + number})
    assert (broker._size("routers"), broker._size("routers_slow"), broker._size("celery")) == (3, 3, 0)
    assert [broker._get("routers")["id"] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Empty):
        broker._get("routers")
    assert broker._purge("routers_slow") == 3


def test_bound_queues_are_remembered_once_and_forgotten(tmp_path: Path) -> None:
    broker = channel(prepare_broker(tmp_path))
    for queue in ("one", "two", "one"):
        broker._queue_bind("pidbox", "", "", queue)
    assert [row.queue for row in broker.get_table("pidbox")] == ["two", "one"]
    broker._put_fanout("pidbox", {"id": 1}, "")
    assert (broker._size("one"), broker._size("two")) == (1, 1)
    broker._delete("two", "pidbox", "", "")
    assert [row.queue for row in broker.get_table("pidbox")] == ["one"]
    assert broker._size("two") == 0


def test_the_broker_is_private_and_begins_empty(tmp_path: Path) -> None:
    folder = prepare_broker(tmp_path)
    (folder / "queue" / "1_a.celery.msg").write_text("{}")
    assert prepare_broker(tmp_path) == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in folder.rglob("*")) == ["control", "queue"]
