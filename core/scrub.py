"""Take secrets out of text before it reaches a log, an error record, the activity log or Sentry.

Three ways, because each misses something: by the name beside the value, by the shape of the value, and by the exact
value of the secrets this process was started with (`secret_register`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SECRET_KEYS = re.compile(
    r"pass(word|wd|phrase|code)?|secret|token|api[-_]?key|authorization|cookie|private|credential|encryption_key"
    r"|session_?id|^otp|^pwd$|dsn$",
    re.I,
)
REPLACEMENT = "[removed]"
SHORTEST_SECRET = 8  # a shorter value would be cut out of innocent words
_NAMES = (
    r"(?:password|passwd|passphrase|passcode|pwd|secret|token|api[-_]?key|access[-_]?key|encryption[-_]?keys?"
    r"|sessionid|session[-_]?key|private[-_]?key|credentials?)"
)
_PATTERNS = (
    re.compile(r"()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S),
    # RouterOS words: inside quotes (a repr) to the closing quote, as passwords may hold spaces; else to the word's end
    re.compile(r"((?<=')=(?:password|response|secret|otp-secret|passphrase)=)(?:\\.|[^'\\])*", re.I),
    re.compile(r'((?<=")=(?:password|response|secret|otp-secret|passphrase)=)(?:\\.|[^"\\])*', re.I),
    re.compile(r"(=(?:password|response|secret|otp-secret|passphrase)=)[^\s'\"]*", re.I),
    re.compile(r"((?:set-)?cookie[\"']?\s*[:=]\s*)[^\r\n]+", re.I),
    re.compile(r"(authorization[\"']?\s*[:=]\s*[\"']?)(?:(?:bearer|basic|token)\s+)?[^\s\"',}]+", re.I),
    # name and value: quoted values to their closing quote, others to the next separator
    re.compile(rf"({_NAMES}\w*[\"']?\s*[=:]\s*)b?(?:\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')", re.I),
    re.compile(rf"({_NAMES}\w*[\"']?\s*[=:]\s*)(?![\"'\[])[^\s\"',;&}})]+", re.I),
    re.compile(r"(://[^/\s:@'\"]*:)[^\s/'\"]+(?=@)"),  # userinfo in URLs, up to the last @ before the path
    re.compile(r"((?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{6,}", re.I),
    re.compile(r"()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),  # JSON web tokens
    re.compile(r"()\b(?:v1:)?gAAAA[A-Za-z0-9_=-]{20,}"),  # Fernet tokens
    # the link of one bill: who has it sees the bill. Django's own lines about 404, 405 and 500 name the path
    re.compile(r"(/pay/)(?!…|\[removed\])[^/\s\"'?#&<>]+"),
)
_known: set[str] = set()


def secret_register(*values: str | None) -> None:
    """Remember exact secrets of this process; they are cut out wherever they appear. Short ones are ignored."""
    _known.update(value for value in values if value and len(value) >= SHORTEST_SECRET)


def scrub_text(text: str) -> str:
    """The text without anything that looks like a secret. Scrubbing twice changes nothing more."""
    for value in _known:
        if value in text:
            text = text.replace(value, REPLACEMENT)
    for pattern in _PATTERNS:
        text = pattern.sub(_replace, text)
    return text


def scrub(value: Any) -> Any:
    """Scrub strings, and mappings by key, recursively; numbers, None and other objects unchanged."""
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, bytes):
        return scrub_text(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return {
            key: REPLACEMENT if isinstance(key, str) and SECRET_KEYS.search(key) and item else scrub(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [scrub(item) for item in value]
    return value


def _replace(match: re.Match[str]) -> str:
    return match.group(1) + REPLACEMENT
