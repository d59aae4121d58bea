"""Take secrets out of text before it reaches a log, an error record or Sentry."""

from __future__ import annotations

import re
from typing import Any

SECRET_KEYS = re.compile(r"pass(word|wd|phrase)?|secret|token|api[-_]?key|authorization|cookie|private", re.I)
REPLACEMENT = "[removed]"
_PATTERNS = (
    re.compile(r"(=(?:password|response|secret|otp-secret)=)[^\s'\"]*", re.I),  # RouterOS words
    re.compile(r"((?:password|passwd|secret|token|api_?key)[\"']?\s*[=:]\s*[\"']?)[^\s\"',}&]+", re.I),
    re.compile(r"(://[^/\s:@]+:)[^@\s/]+(?=@)"),  # userinfo in URLs
    re.compile(r"((?:Bearer|Basic|Token)\s+)[A-Za-z0-9._~+/=-]+", re.I),
    re.compile(r"()\bgAAAA[A-Za-z0-9_=-]{20,}"),  # Fernet tokens
)


def scrub_text(text: str) -> str:
    """The text without anything that looks like a secret."""
    for pattern in _PATTERNS:
        text = pattern.sub(lambda match: match.group(1) + REPLACEMENT, text)
    return text


def scrub(value: Any) -> Any:
    """Scrub strings, and dictionaries by key, recursively; other values unchanged."""
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, dict):
        return {
            key: REPLACEMENT if isinstance(key, str) and SECRET_KEYS.search(key) else scrub(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return type(value)(scrub(item) for item in value)
    return value
