"""What a comparison of a router with our wishes found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LISTED_NAMES = 50


@dataclass
class Drift:
    """Counts, and the first names of each."""

    missing: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    extra_entries: list[str] = field(default_factory=list)  # nameless rows with our tag that nobody knows
    others: int = 0  # logins and queues that are none of our accounts, extra ones included

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"others": self.others, "foreign": self.others - len(self.extra)}
        for key in ("missing", "different", "conflicts"):
            names: list[str] = getattr(self, key)
            found[key] = len(names)
            found[f"{key}_names"] = names[:LISTED_NAMES]
        extra = self.extra + self.extra_entries
        return {**found, "extra": len(extra), "extra_names": extra[:LISTED_NAMES]}
