from __future__ import annotations

from django.urls import path

from accounts.api.views import LogoutView, MeView, RefreshView, SessionView, TokenView

urlpatterns = [
    path("auth/token/", TokenView.as_view(), name="auth-token"),
    path("auth/refresh/", RefreshView.as_view(), name="auth-refresh"),
    path("auth/logout/", LogoutView.as_view(), name="auth-logout"),
    path("auth/session/", SessionView.as_view(), name="auth-session"),
    path("me/", MeView.as_view(), name="me"),
]
