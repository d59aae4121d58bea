"""The policy of our own pages: nothing inline, nothing evaluated, nothing from elsewhere. The admin's theme needs more."""

from __future__ import annotations

from typing import Any

STRICT: dict[str, Any] = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "manifest-src": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}
