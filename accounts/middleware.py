from __future__ import annotations

from core.middleware import _Pass


class UserLanguage(_Pass):
    pass
