"""Tunnels to routers behind NAT: the router dials this server, and is reached at an address of its own."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from locations.choices import TunnelKind
from locations.models.places import Location


class TunnelServer(models.Model):
    """The one key pair of this server's WireGuard. The private half leaves only by `manage.py tunnel_config`."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    private_key = EncryptedTextField()
    public_key = models.CharField(max_length=44)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="locations_tunnel_server_single")]

    def __str__(self) -> str:
        return self.public_key


class RouterTunnel(models.Model):
    """One router's tunnel: its address, alone in the tunnel network, and its secrets.

    `secret` is the WireGuard preshared key or the SSTP password; empty until the commands were printed. The router
    makes its own WireGuard key; we only ever know `public_key`.
    """

    location = models.OneToOneField(Location, primary_key=True, on_delete=models.CASCADE, related_name="tunnel")
    kind = models.CharField(_("kind of tunnel"), max_length=9, choices=TunnelKind.choices)
    address = models.GenericIPAddressField(_("address in the tunnel"), protocol="IPv4", unique=True)
    secret = EncryptedTextField(blank=True)
    public_key = models.CharField(_("public key of the router"), max_length=44, blank=True)
    issued_at = models.DateTimeField(_("commands printed"), null=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("tunnel")
        verbose_name_plural = _("tunnels")
        constraints = [
            models.UniqueConstraint(
                fields=["public_key"], condition=~Q(public_key=""), name="locations_tunnel_key_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.location_id}: {self.address}"
