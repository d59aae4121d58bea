"""Rows the kernel itself needs: the installation, system settings, recorded errors, job runs."""

from __future__ import annotations

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _


def new_installation_tag() -> str:
    """Six characters that mark router entries as ours (`mb:<tag>:…`); unambiguous when read aloud."""
    return "".join(secrets.choice("23456789abcdefghjkmnpqrstuvwxyz") for _i in range(6))


class Installation(models.Model):
    """The one row that says who we are, in which epoch, and whether a restored copy is still in quarantine."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    tag = models.CharField(max_length=12, default=new_installation_tag)
    epoch = models.PositiveIntegerField(default=1)
    is_quarantined = models.BooleanField(default=False)
    first_location_at = models.DateTimeField(null=True)  # when MIKROTIK_* was used; never again after that
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="core_installation_single")]

    def __str__(self) -> str:
        return f"{self.tag} (epoch {self.epoch})"


class Setting(models.Model):
    """A system setting changed from its default [settings: key, value, description, category, updated_at].

    What exists, its type and its default are declared in `core.settings_registry`.
    """

    key = models.CharField(_("key"), max_length=80, primary_key=True)
    value = models.TextField(_("value"))
    description = models.TextField(_("description"), editable=False)
    category = models.CharField(_("category"), max_length=40, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("system setting")
        verbose_name_plural = _("system settings")
        ordering = ["category", "key"]

    def __str__(self) -> str:
        return self.key


class ErrorRecord(models.Model):
    """An error nobody was there to see, folded by fingerprint; its text is scrubbed of secrets before it is stored."""

    fingerprint = models.CharField(max_length=64, unique=True)
    source = models.CharField(_("where"), max_length=200)
    kind = models.CharField(_("kind"), max_length=120)
    message = models.TextField(_("message"))
    traceback = models.TextField(_("traceback"), blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    count = models.PositiveIntegerField(_("times"), default=1)
    first_at = models.DateTimeField(_("first"), auto_now_add=True)
    last_at = models.DateTimeField(_("last"))

    class Meta:
        verbose_name = _("error")
        verbose_name_plural = _("errors")
        ordering = ["-last_at"]
        indexes = [models.Index(fields=["-last_at"])]

    def __str__(self) -> str:
        return f"{self.kind} in {self.source}"


class JobRun(models.Model):
    """The last run of a periodic job declared with `core.periodic`; the health page reads it."""

    name = models.CharField(_("job"), max_length=120, primary_key=True)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    is_ok = models.BooleanField(_("went well"), null=True)
    outcome = models.TextField(_("outcome"), blank=True)

    class Meta:
        verbose_name = _("periodic job")
        verbose_name_plural = _("periodic jobs")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SlowQuery(models.Model):
    """A database query over 100 ms, folded by view and statement shape; values are never stored."""

    fingerprint = models.CharField(max_length=64, unique=True)
    view = models.CharField(_("view"), max_length=200)
    statement = models.TextField(_("statement"))
    count = models.PositiveIntegerField(_("times"), default=1)
    worst_ms = models.PositiveIntegerField(_("worst (ms)"))
    last_at = models.DateTimeField(_("last"))

    class Meta:
        verbose_name = _("slow query")
        verbose_name_plural = _("slow queries")
        ordering = ["-last_at"]
        indexes = [models.Index(fields=["-last_at"], name="core_slowquery_last")]

    def __str__(self) -> str:
        return f"{self.worst_ms} ms in {self.view}"


class CacheEntry(models.Model):
    """The embedded default's small cache (`core.cache`): counters of rate limits. With REDIS_URL it stays empty."""

    key = models.CharField(max_length=250, primary_key=True)
    value = models.BinaryField(null=True)
    number = models.BigIntegerField(null=True)
    expires_at = models.DateTimeField(null=True, db_index=True)

    def __str__(self) -> str:
        return self.key


class NumberSequence(models.Model):
    """A counter without gaps: its row is locked by the transaction that takes a number (`core.db.numbers`)."""

    key = models.CharField(max_length=80, primary_key=True)
    value = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.key}: {self.value}"
