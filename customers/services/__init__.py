"""Everything that changes customers. Rooms above import from here."""

from customers.services.contacts import consent_record, contact_add, contact_change, contact_remove
from customers.services.customers import customer_change, customer_create, customer_note_add, customers_create

__all__ = [
    "consent_record",
    "contact_add",
    "contact_change",
    "contact_remove",
    "customer_change",
    "customer_create",
    "customer_note_add",
    "customers_create",
]
