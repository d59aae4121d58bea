"""States of vouchers and batches, and the legal moves between them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class VoucherStatus(models.TextChoices):
    NEW = "new", _("new")
    SOLD = "sold", _("sold")
    ACTIVE = "active", _("active")
    EXPIRED = "expired", _("expired")
    VOID = "void", _("void")


# new -> active: a guest may log in with a printed code before anyone pressed "sell"; the router let him in.
VOUCHER_MOVES: dict[str, set[str]] = {
    VoucherStatus.NEW: {VoucherStatus.SOLD, VoucherStatus.ACTIVE, VoucherStatus.VOID},
    VoucherStatus.SOLD: {VoucherStatus.NEW, VoucherStatus.ACTIVE, VoucherStatus.EXPIRED, VoucherStatus.VOID},
    VoucherStatus.ACTIVE: {VoucherStatus.EXPIRED, VoucherStatus.VOID},
    # extending revives: active when it was used, sold when its time ran from the sale and nobody ever logged in
    VoucherStatus.EXPIRED: {VoucherStatus.ACTIVE, VoucherStatus.SOLD},
    VoucherStatus.VOID: set(),
}


class BatchStatus(models.TextChoices):
    QUEUED = "queued", _("waiting to start")
    GENERATING = "generating", _("being generated")
    READY = "ready", _("ready")
    CANCELLED = "cancelled", _("cancelled")
    FAILED = "failed", _("failed")


BATCH_MOVES: dict[str, set[str]] = {
    BatchStatus.QUEUED: {BatchStatus.GENERATING, BatchStatus.CANCELLED, BatchStatus.FAILED},
    BatchStatus.GENERATING: {BatchStatus.QUEUED, BatchStatus.READY, BatchStatus.CANCELLED, BatchStatus.FAILED},
    BatchStatus.READY: set(),
    BatchStatus.CANCELLED: set(),
    BatchStatus.FAILED: {BatchStatus.QUEUED},
}


class CodeMode(models.TextChoices):
    SAME = "same", _("code is also the password")
    SEPARATE = "separate", _("code and separate password")


class PushAt(models.TextChoices):
    CREATION = "creation", _("when created")
    SALE = "sale", _("when sold")


class CharacterSet(models.TextChoices):
    """All sets are upper or lower case letters and digits that a router and a phone keyboard agree on."""

    UNAMBIGUOUS = "unambiguous", _("letters and digits, without 0 O 1 I L")
    DIGITS = "digits", _("digits")
    LETTERS = "letters", _("letters without I L O")


CHARACTERS: dict[str, str] = {
    CharacterSet.UNAMBIGUOUS: "23456789ABCDEFGHJKMNPQRSTUVWXYZ",
    CharacterSet.DIGITS: "0123456789",
    CharacterSet.LETTERS: "ABCDEFGHJKMNPQRSTUVWXYZ",
}
