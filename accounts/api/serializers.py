from __future__ import annotations

from rest_framework import serializers

from accounts.choices import Role
from core.api.serializers import OutSerializer, StrictSerializer, TextField


class CredentialsIn(StrictSerializer):
    username = TextField(max_length=150)
    password = TextField(max_length=128, trim_whitespace=False, write_only=True)


class RefreshIn(StrictSerializer):
    refresh = TextField(max_length=2000, help_text="The refresh token of the last answer; each works once.")


class TokensOut(OutSerializer):
    access = serializers.CharField(help_text="Send as `Authorization: Bearer …`; 15 minutes.")
    refresh = serializers.CharField(help_text="Exchange at auth/refresh/; 30 days, once.")


class MeOut(OutSerializer):
    id = serializers.IntegerField()
    username = serializers.CharField()
    email = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    language = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField(), help_text="What the role may do.")


class SessionOut(OutSerializer):
    csrf_token = serializers.CharField(help_text="Send as X-CSRFToken with every change over a session.")
    user = MeOut(allow_null=True)
