"""Error tracking, off unless SENTRY_DSN is set. Nothing personal and no secret leaves the machine."""

from __future__ import annotations

from typing import Any

from core.scrub import scrub

DROPPED = ("cookies", "data", "env", "query_string")
"""Parts of a request that hold forms, codes and phone numbers; path, method and headers (scrubbed) remain."""


def sentry_start(dsn: str, *, release: str = "", environment: str = "production") -> bool:
    """Start the client; False when there is no DSN."""
    if not dsn:
        return False
    import sentry_sdk

    sentry_sdk.init(
        dsn=dsn, release=release or None, environment=environment, send_default_pii=False, traces_sample_rate=0.0,
        include_local_variables=False, max_request_body_size="never", before_send=before_send,
        before_breadcrumb=before_breadcrumb,
    )  # fmt: skip
    return True


def before_send(event: Any, _hint: Any) -> Any:
    """The event without request bodies, cookies and people, and with every text scrubbed."""
    request = event.get("request")
    if isinstance(request, dict):
        for part in DROPPED:
            request.pop(part, None)
    event.pop("user", None)
    event.pop("server_name", None)
    return scrub(event)


def before_breadcrumb(crumb: Any, _hint: Any) -> Any:
    """Queries carry codes and names in their text: only log lines stay, scrubbed."""
    return None if crumb.get("category") in {"query", "httplib", "redis"} else scrub(crumb)
