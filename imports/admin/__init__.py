"""Imports in the admin."""

from imports.admin.run import ImportRunAdmin

__all__ = ["ImportRunAdmin"]
