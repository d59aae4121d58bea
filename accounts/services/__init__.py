"""What is done to staff members. Every function runs in the caller's transaction or opens its own."""

from __future__ import annotations

from accounts.services.activity import activity_forget, activity_write
from accounts.services.passwords import user_sessions_end, user_set_password
from accounts.services.roles import roles_sync, user_set_role
from accounts.services.users import user_change, user_create, user_unlock

__all__ = [
    "activity_forget",
    "activity_write",
    "roles_sync",
    "user_change",
    "user_create",
    "user_sessions_end",
    "user_set_password",
    "user_set_role",
    "user_unlock",
]
