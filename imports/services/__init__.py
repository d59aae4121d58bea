"""Bringing in what comes from elsewhere: customers from a file, and routers that ran before."""

from __future__ import annotations

from imports.services.routers.runs import (
    router_import_again,
    router_import_apply,
    router_import_cancel,
    router_import_choose,
    router_import_start,
    router_import_undo,
    router_import_work,
    router_imports_resume,
)
from imports.services.routers.scripts import router_scripts_give_back, router_scripts_retire
from imports.services.runs import import_apply, import_cancel, import_start, import_work, imports_resume

__all__ = [
    "import_apply",
    "import_cancel",
    "import_start",
    "import_work",
    "imports_resume",
    "router_import_again",
    "router_import_apply",
    "router_import_cancel",
    "router_import_choose",
    "router_import_start",
    "router_import_undo",
    "router_import_work",
    "router_imports_resume",
    "router_scripts_give_back",
    "router_scripts_retire",
]
