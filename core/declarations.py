"""The system settings the kernel owns."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.settings_registry import Declaration, declare


def declare_all() -> None:
    category = _("Company")
    declare(
        Declaration(
            "company.name", str, "MikroTik Billing", _("Shown to customers and on vouchers."), category, max_length=80
        )
    )
    declare(Declaration("company.phone", str, "", _("Where customers reach you."), category, max_length=40))
    declare(Declaration("company.address", str, "", _("Shown on bills, one line per comma."), category, max_length=200))
    declare(Declaration("company.tax_number", str, "", _("NPWP, shown on bills."), category, max_length=40))
