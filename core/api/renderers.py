from __future__ import annotations

from typing import Any

from rest_framework.renderers import JSONRenderer


class CsvRenderer(JSONRenderer):
    """Lets a caller ask for text/csv. The view streams the file; only errors come here, and they are JSON."""

    media_type = "text/csv"
    format = "csv"
    charset = None

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> Any:
        response = (renderer_context or {}).get("response")
        if response is not None:
            response["Content-Type"] = "application/json"
        return super().render(data, "application/json", renderer_context)
