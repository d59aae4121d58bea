"""Who pays. Money is never written here: `balance` and `debt` are kept by a trigger on the ledger's postings."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from core.fields import AmountField
from customers.choices import Channel, ConsentKind, ContactRole, DocumentKind
from locations.models import Location

# PostgreSQL reads "H.Ahmad" as the name of a host and "Siti/Budi" as a file, each one word: names are cut at these first
CUTS = "./-_@:,;&+=#!?*()[]<>|\\\"'"
_NAME = Func(
    F("name"), Value(CUTS), Value(" " * len(CUTS)), function="translate", output_field=models.TextField()
)  # fmt: skip


class Customer(models.Model):
    """A person or company that owes or is owed [customers].

    `balance` is money of theirs that we hold (wallet), `debt` what they owe (open receivables); both are sums of postings,
    cached by the database itself (billing migration `0004_ledger_guards`), and refuse any other writer. `phone` is E.164, empty
    when unknown; `phone_typed` what was written. `email` is kept in lower case. `request_key` makes a form that was sent
    twice one customer. `merged_into` makes this row a pointer to the one that stays.
    """

    number = models.CharField(_("customer number"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=120)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    phone_typed = models.CharField(_("phone as written"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    address = models.TextField(_("address"), blank=True, max_length=500)
    location = models.ForeignKey(
        Location, verbose_name=_("location"), null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    latitude = models.DecimalField(
        _("latitude"), max_digits=9, decimal_places=6, null=True, blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )  # fmt: skip
    longitude = models.DecimalField(
        _("longitude"), max_digits=9, decimal_places=6, null=True, blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )  # fmt: skip
    area = models.CharField(_("area or ODP"), max_length=120, blank=True)
    tags = ArrayField(models.CharField(max_length=30), verbose_name=_("tags"), default=list, blank=True, size=20)
    notes = models.TextField(_("notes"), blank=True, max_length=5000)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, blank=True)
    balance = AmountField(_("balance"), default=0, editable=False)
    debt = AmountField(_("debt"), default=0, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="merged"
    )
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)
    request_key = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001  # NULLs are distinct
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    search = models.GeneratedField(
        expression=SearchVector(_NAME, config="simple"), output_field=SearchVectorField(), db_persist=True
    )

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(phone="") | Q(phone__startswith="+"), name="customers_customer_phone"),
            models.CheckConstraint(condition=~Q(merged_into=models.F("id")), name="customers_customer_not_into_itself"),
            # nobody spends a balance twice, and nobody owes less than nothing, whatever races with what
            models.CheckConstraint(condition=Q(balance__gte=0), name="customers_customer_balance"),
            models.CheckConstraint(condition=Q(debt__gte=0), name="customers_customer_debt"),
        ]
        indexes = [
            GinIndex(fields=["search"], name="customers_customer_words"),
            GinIndex(fields=["tags"], name="customers_customer_tags"),
            # for equality and for beginnings, whatever the database's collation is
            models.Index(fields=["phone"], name="customers_customer_phones", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["email"], name="customers_customer_emails", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["location", "-id"], name="customers_customer_place"),
            models.Index(fields=["-debt", "-id"], name="customers_customer_owing", condition=Q(debt__gt=0)),
            models.Index(fields=["-id"], name="customers_customer_credit", condition=Q(balance__gt=0)),
            models.Index(fields=["-id"], name="customers_customer_closed", condition=Q(is_active=False)),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"


class Contact(models.Model):
    """Somebody else to reach for a customer."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="contacts")
    role = models.CharField(_("role"), max_length=10, choices=ContactRole.choices, default=ContactRole.OTHER)
    name = models.CharField(_("name"), max_length=120)
    phone = models.CharField(_("phone"), max_length=20, blank=True, db_index=True)
    phone_typed = models.CharField(_("phone as written"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class Consent(models.Model):
    """One yes or no of a customer to being told things; only grows, the newest of a channel and kind holds."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="consents")
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    kind = models.CharField(_("about"), max_length=10, choices=ConsentKind.choices)
    is_granted = models.BooleanField(_("agreed"))
    source = models.CharField(_("how we know"), max_length=120)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-id"]
        indexes = [models.Index(fields=["customer", "channel", "kind", "-id"], name="customers_consent_newest")]

    def __str__(self) -> str:
        return f"{self.channel} {self.kind}: {self.is_granted}"


class CustomerDocument(models.Model):
    """A file kept for a customer. The file is written before the row and deleted after it, never inside a transaction."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(_("kind"), max_length=10, choices=DocumentKind.choices, default=DocumentKind.OTHER)
    title = models.CharField(_("title"), max_length=120)
    file = models.CharField(max_length=200, unique=True, help_text="name in the default storage")
    content_type = models.CharField(max_length=60)
    size = models.PositiveIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(_("uploaded"))

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.title


class CustomerMerge(models.Model):
    """Two rows that were one person: what moved, so that it can be undone for 24 hours."""

    winner = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    loser = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    moved = models.JSONField(default=dict, help_text="model label to ids, written by each room that moved something")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["loser"], condition=Q(undone_at=None), name="customers_merge_once"),
        ]

    def __str__(self) -> str:
        return f"{self.loser_id} into {self.winner_id}"


class CustomerEvent(models.Model):
    """One line of a customer's own history: changed, merged, erased, noted. Only grows."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="events", db_index=False)
    kind = models.CharField(max_length=30)
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["customer", "-id"], name="customers_event_newest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.customer_id}"
