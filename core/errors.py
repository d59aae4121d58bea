"""One exception for everything a user can do wrong, rendered in three places: admin message, API body, page.

Services raise DomainError; `core.api.errors` renders it as `{code, message, fields}`,
`core.admin` as a message, `core.middleware.DomainErrorPage` as a page.
"""

from __future__ import annotations

from collections.abc import Mapping


class DomainError(Exception):
    """A refusal in the user's words. `code` is stable (`voucher.not_sellable`); `fields` maps field to message."""

    def __init__(self, code: str, message: str, fields: Mapping[str, str] | None = None, status: int = 400):
        super().__init__(str(message))
        self.code = code
        self.message = message
        self.fields = dict(fields or {})
        self.status = status

    def as_dict(self) -> dict[str, object]:
        """The body every API error has."""
        return {"code": self.code, "message": str(self.message), "fields": {k: str(v) for k, v in self.fields.items()}}


class TransitionError(DomainError):
    """A state change that is not legal from where the row is now, or that somebody else made first."""

    def __init__(self, message: str, code: str = "state.conflict"):
        super().__init__(code, message, status=409)
