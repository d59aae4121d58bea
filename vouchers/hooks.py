from __future__ import annotations


def subscribe_all() -> None:
    pass
