"""Bringing customers in from a file: read, check, apply as a whole."""

from __future__ import annotations

from imports.services.runs import import_apply, import_cancel, import_start, import_work, imports_resume

__all__ = ["import_apply", "import_cancel", "import_start", "import_work", "imports_resume"]
