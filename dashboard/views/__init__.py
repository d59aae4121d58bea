"""Pages for staff on a phone."""
