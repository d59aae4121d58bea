"""Whole numbers as people and routers write them. `str.isdigit` also takes `²`, on which `int` raises."""

from __future__ import annotations


def whole_number(text: str, *, digits: int = 18) -> int | None:
    """The number written in at most so many plain digits (18 fit PostgreSQL's bigint); None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def page_number(text: str) -> int:
    """Of a list's `?page=`: the first for whatever is no page."""
    return whole_number(text, digits=6) or 1
