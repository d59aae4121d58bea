"""Pages for customers. The address of a bill is all the key there is, so it is long and random."""

from __future__ import annotations

from django.urls import path

from portal.views import pay_page, pay_pdf

app_name = "portal"
urlpatterns = [
    path("pay/<str:token>/", pay_page, name="pay"),
    path("pay/<str:token>/pdf/", pay_pdf, name="pay_pdf"),
]
