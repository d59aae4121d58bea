"""The OpenAPI document: error answers of every operation, request keys, and stable names."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from core.api.serializers import ErrorOut

IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key", {"type": "string", "minLength": 8, "maxLength": 40, "pattern": "^[A-Za-z0-9._:-]+$"},
    OpenApiParameter.HEADER, required=True,
    description="A random text per command. The same key again answers with the first command's result.",
)  # fmt: skip

ERRORS = {
    "400": "Something sent is not right; `fields` says what.",
    "401": "Nobody is logged in, or the token is no longer valid.",
    "403": "The role may not do this.",
    "404": "Not there, or outside the caller's locations.",
    "409": "The present state does not allow it.",
    "429": "Too many requests; see Retry-After.",
}


class HouseSchema(AutoSchema):
    """Adds the errors an operation can answer, so that no view has to repeat them."""

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for code in self._errors():
            error = OpenApiResponse(ErrorOut, description=ERRORS[code])
            describe: Any = self._get_response_for_code  # untyped library
            bodies.setdefault(code, describe(error, code, direction=direction))
        return bodies

    def _errors(self) -> list[str]:
        is_read = self.method == "GET"
        has_object = "{" in self.path
        is_list = is_read and not has_object
        return [
            code
            for code, applies in {
                "400": not is_read or is_list, "401": True, "403": True, "404": has_object,
                "409": not is_read, "429": True,
            }.items()
            if applies
        ]  # fmt: skip
