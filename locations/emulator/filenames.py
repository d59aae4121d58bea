"""What kind of file a name stands for."""

from __future__ import annotations


def file_type(name: str) -> str:
    """What the router calls a file of that name."""
    ending = name.rpartition(".")[2] if "." in name else ""
    return {"rsc": "script", "backup": "backup", "npk": "package"}.get(ending, f".{ending} file" if ending else "file")
