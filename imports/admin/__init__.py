"""Imports in the admin."""

from imports.admin.router import RouterImportAdmin
from imports.admin.run import ImportRunAdmin
from imports.admin.sales import ImportedSaleAdmin

__all__ = ["ImportRunAdmin", "ImportedSaleAdmin", "RouterImportAdmin"]
