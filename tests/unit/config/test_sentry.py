from __future__ import annotations

import sentry_sdk

from config.sentry import before_breadcrumb, before_send, sentry_start


def test_off_without_an_address() -> None:
    assert sentry_start("") is False
    assert sentry_sdk.get_client().is_active() is False


def test_an_event_leaves_without_people_bodies_and_secrets() -> None:
    event = {
        "request": {
            "url": "https://a.example.net/x", "method": "POST", "cookies": {"sessionid": "s"}, "data": {"phone": "0812"},
            "query_string": "code=ABCD", "env": {"REMOTE_ADDR": "192.0.2.1"}, "headers": {"Authorization": "Bearer x"},
        },
        "user": {"id": 1, "ip_address": "192.0.2.1"},
        "server_name": "host",
        "logentry": {"message": "=password=hunter2-Xy9"},
        "exception": {"values": [{"value": "postgresql://u:hunter2-Xy9@h/d"}]},
    }  # fmt: skip
    sent = before_send(event, {})
    assert sent == {
        "request": {"url": "https://a.example.net/x", "method": "POST", "headers": {"Authorization": "[removed]"}},
        "logentry": {"message": "=password=[removed]"},
        "exception": {"values": [{"value": "postgresql://u:[removed]@h/d"}]},
    }


def test_breadcrumbs_of_queries_are_dropped() -> None:
    assert before_breadcrumb({"category": "query", "message": "SELECT 'x'"}, {}) is None
    assert before_breadcrumb({"category": "log", "message": "token=abc"}, {}) == {
        "category": "log", "message": "token=[removed]",
    }  # fmt: skip
