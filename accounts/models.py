"""Staff and what they did."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.choices import Role


class User(AbstractUser):
    """A staff member [admin_users]. The role decides group and rights: `accounts.services.user_set_role`."""

    email = models.EmailField(_("e-mail address"), blank=True)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.OPERATOR)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, blank=True)

    class Meta:
        verbose_name = _("staff member")
        verbose_name_plural = _("staff")
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="accounts_user_role"),
        ]


class ActivityLog(models.Model):
    """Who changed what, from where [activity_logs: user, action, details, ip_address, created_at]. Append-only."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("who"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    action = models.CharField(_("what"), max_length=100)
    details = models.JSONField(_("details"), default=dict)
    ip_address = models.GenericIPAddressField(_("address"), null=True)
    created_at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activity log")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user", "-id"], name="accounts_log_user"),
            models.Index(fields=["action", "-id"], name="accounts_log_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.created_at:%Y-%m-%d %H:%M}"
