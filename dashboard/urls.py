from __future__ import annotations

from django.urls import path

from dashboard.views import customer, home, sessions, watching

app_name = "dashboard"
urlpatterns = [
    path("", home.home, name="home"),
    path("sessions/", sessions.sessions, name="sessions"),
    path("sessions/end/", sessions.sessions_end, name="sessions_end"),
    path("traffic/<int:pk>/", sessions.traffic, name="traffic"),
    path("traffic/<int:pk>/now/", watching.interface_now, name="interface_now"),
    path("logins/<int:pk>/now/", watching.account_now, name="account_now"),
    path("talkers/", sessions.talkers, name="talkers"),
    path("customers/", home.customers, name="customers"),
    path("customers/<int:pk>/", customer.customer, name="customer"),
    path("customers/<int:pk>/services/", customer.services, name="services"),
    path("customers/<int:pk>/timeline/", customer.timeline, name="timeline"),
]
