"""Everything that changes customers. Rooms above import from here."""

from customers.services.contacts import consent_record, contact_add, contact_change, contact_remove
from customers.services.customers import (
    customer_change,
    customer_create,
    customer_note_add,
    customers_create,
    customers_exported,
)
from customers.services.documents import document_add, document_open, document_remove, orphans_sweep
from customers.services.erasing import customer_erase
from customers.services.forgetting import customers_forget
from customers.services.merging import (
    MergePreview,
    customers_merge,
    customers_merge_preview,
    customers_merge_undo,
    merge_note,
)

__all__ = [
    "MergePreview",
    "consent_record",
    "contact_add",
    "contact_change",
    "contact_remove",
    "customer_change",
    "customer_create",
    "customer_erase",
    "customer_note_add",
    "customers_create",
    "customers_exported",
    "customers_forget",
    "customers_merge",
    "customers_merge_preview",
    "customers_merge_undo",
    "document_add",
    "document_open",
    "document_remove",
    "merge_note",
    "orphans_sweep",
]
