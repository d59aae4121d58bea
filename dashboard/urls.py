from __future__ import annotations

from django.urls import path

from dashboard.views import customer, home

app_name = "dashboard"
urlpatterns = [
    path("", home.home, name="home"),
    path("customers/", home.customers, name="customers"),
    path("customers/<int:pk>/", customer.customer, name="customer"),
    path("customers/<int:pk>/services/", customer.services, name="services"),
    path("customers/<int:pk>/timeline/", customer.timeline, name="timeline"),
]
