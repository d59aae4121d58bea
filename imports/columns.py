"""Which columns a customer file may have, under which names people and other programs write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

SYNONYMS: dict[str, tuple[str, ...]] = {
    "number": ("number", "customer number", "nomor", "nomor pelanggan", "no pelanggan", "id pelanggan", "customer id"),
    "name": ("name", "nama", "nama pelanggan", "nama lengkap", "customer", "customer name", "fullname", "full name"),
    "phone": (
        "phone",
        "telepon",
        "telp",
        "no telepon",
        "hp",
        "no hp",
        "nomor hp",
        "whatsapp",
        "no wa",
        "wa",
        "phonenumber",
    ),
    "email": ("email", "e mail", "surel", "e mail address", "alamat email"),
    "address": ("address", "alamat"),
    "location": ("location", "lokasi", "pos", "router"),
    "area": ("area", "odp", "wilayah", "dusun", "area or odp", "area atau odp"),
    "tags": ("tags", "tag", "label"),
    "latitude": ("latitude", "lat", "lintang"),
    "longitude": ("longitude", "lon", "lng", "bujur"),
    "notes": ("notes", "note", "catatan", "keterangan"),
    "language": ("language", "bahasa"),
    "is_active": ("active", "aktif"),
    "balance": ("balance", "saldo"),
    "debt": ("debt", "hutang", "tunggakan", "piutang"),
}
LABELS = {
    "number": _("customer number"), "name": _("name"), "phone": _("phone"), "email": _("e-mail address"),
    "address": _("address"), "location": _("location"), "area": _("area or ODP"), "tags": _("tags"),
    "latitude": _("latitude"), "longitude": _("longitude"), "notes": _("notes"), "language": _("language"),
    "is_active": _("active"), "balance": _("balance"), "debt": _("debt"),
}  # fmt: skip
PASSED_OVER = {"created", "dibuat"}  # in our own files; a customer is new on the day he is brought
_COLUMN = {name: column for column, names in SYNONYMS.items() for name in names}


@dataclass(frozen=True)
class Header:
    """Column of each cell (None: nobody knows it), and what is wrong with the header as a whole."""

    columns: tuple[str | None, ...]
    unknown: tuple[str, ...]
    repeated: tuple[str, ...]

    @property
    def has_name(self) -> bool:
        return "name" in self.columns


def header_read(cells: Sequence[str]) -> Header:
    """`["Nama", "No. HP", "Paket"]` → columns ("name", "phone", None), unknown ("Paket",)."""
    columns = [_COLUMN.get(_plain(cell)) for cell in cells]
    nameless = [cell for cell, column in zip(cells, columns, strict=True) if column is None and cell]
    unknown = tuple(cell for cell in nameless if _plain(cell) not in PASSED_OVER)
    seen = [column for column in columns if column]
    repeated = tuple(sorted({column for column in seen if seen.count(column) > 1}))
    return Header(tuple(columns), unknown, repeated)


def _plain(cell: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", cell.casefold()).strip()
