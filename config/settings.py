"""Django settings. Everything that differs between machines comes from the environment (`config.env`)."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config import env as _env
from config.logging import logging_config

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent


def _environment() -> dict[str, Any]:
    try:
        return _env.read(_env.layers(BASE_DIR, os.environ))
    except _env.EnvError as error:
        raise ImproperlyConfigured(str(error)) from None


ENV = _environment()

SECRET_KEY = ENV["SESSION_SECRET"]
FIELD_ENCRYPTION_KEYS = ENV["FIELD_ENCRYPTION_KEYS"]
DEBUG = False
DEMO_MODE = ENV["DEMO_MODE"]
ALLOWED_HOSTS = ENV["ALLOWED_HOSTS"]
PUBLIC_URL = ENV["PUBLIC_URL"]
IS_HTTPS = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "core.error_pages.form_stale"
TRUSTED_PROXIES = ENV["TRUSTED_PROXIES"]
VAR_DIR = ENV["VAR_DIR"] if ENV["VAR_DIR"].is_absolute() else BASE_DIR / ENV["VAR_DIR"]
LOG_DIR = ENV["LOG_DIR"] if ENV["LOG_DIR"].is_absolute() else BASE_DIR / ENV["LOG_DIR"]
BACKUP_STORAGE_PATH = ENV["BACKUP_STORAGE_PATH"]
METRICS_HOST, METRICS_PORT = ENV["METRICS_HOST"], ENV["METRICS_PORT"]
KICKS_ENABLED = ENV["KICKS_ENABLED"]

INSTALLED_APPS = [
    "config.apps.ProjectConfig",
    "core",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "django_prometheus",
    "django_celery_beat",
    "django_filters",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
    "locations",
    "customers",
    "billing",
    "payments",
    "vouchers",
    "imports",
    "dashboard",
    "portal",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "core.middleware.RequestContext",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.UserLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "core.middleware.SlowQueries",
    "core.middleware.DomainErrorPage",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "core" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Database -----------------------------------------------------------------------------------------------------


def _database(url: _env.Database) -> dict[str, Any]:
    options: dict[str, Any] = dict(url.options)
    if ENV["DATABASE_POOL_MAX"]:
        options["pool"] = {"min_size": 1, "max_size": ENV["DATABASE_POOL_MAX"], "timeout": 20}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.name,
        "USER": url.user,
        "PASSWORD": url.password,
        "HOST": url.host,
        "PORT": url.port,
        "OPTIONS": options,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }


DATABASES = {"default": _database(ENV["DATABASE_URL"])}
DATABASE_APP_USER = ENV["DATABASE_URL"].user
_owner = ENV["DATABASE_OWNER_URL"]
DATABASE_OWNER = {"USER": _owner.user, "PASSWORD": _owner.password} if _owner else {}
# which of the two roles' links goes to another host, and how it is checked there
DATABASE_SSLMODES = {
    name: ENV[name].options["sslmode"]
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL")
    if ENV[name] is not None and ENV[name].is_remote
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis, cache, sessions, Celery -------------------------------------------------------------------------------

REDIS_URL = ENV["REDIS_URL"]
if REDIS_URL:
    CACHES: dict[str, Any] = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "mb",
        }  # fmt: skip
    }
    SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://")
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"visibility_timeout": 3600}
else:
    CACHES = {"default": {"BACKEND": "core.cache.PostgresCache", "LOCATION": "core_cache"}}
    SESSION_ENGINE = "django.contrib.sessions.backends.db"
    _broker = VAR_DIR / "broker"
    CELERY_BROKER_URL = "filesystem://"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_broker / "queue"),
        "data_folder_out": str(_broker / "queue"),
        "control_folder": str(_broker / "control"),
        "store_processed": False,
        "polling_interval": 0.1,
    }

CELERY_WORKER_ENABLE_REMOTE_CONTROL = bool(REDIS_URL)  # on files it would only poll
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 1500
CELERY_TASK_TIME_LIMIT = 1800
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5

# --- People -------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PasswordBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# unfold's Alpine needs unsafe-eval and inline style (research: unfold has no CSP build); pages of our own get a strict policy.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
SILENCED_SYSTEM_CHECKS = [
    "django_ratelimit.E003",  # our PostgreSQL cache increments atomically (core.cache), which the check cannot see
    "django_ratelimit.W001",
    "security.W005",  # HSTS for subdomains and preload is the domain owner's decision, not a default
    "security.W021",
]

# --- Language, time, money ----------------------------------------------------------------------------------------

USE_TZ = True
TIME_ZONE = ENV["TIME_ZONE"]
LANGUAGE_CODE = ENV["LANGUAGE_CODE"]
LANGUAGES = [("id", _("Indonesian")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
CURRENCY = ENV["CURRENCY"]
PHONE_REGION = ENV["PHONE_REGION"]

# --- Static files -------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "core" / "static_overrides"]  # wins over the files of installed apps
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = VAR_DIR / "media"

# --- API ----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["core.api.permissions.StaffModelPermissions"],
    "DEFAULT_PAGINATION_CLASS": "core.api.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["core.api.throttling.UserOrAddressThrottle"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.api.errors.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "NUM_PROXIES": TRUSTED_PROXIES,
}
API_RATE_WINDOW_SECONDS = ENV["RATE_LIMIT_WINDOW"] / 1000
API_RATE_MAX = ENV["RATE_LIMIT_MAX"]
SIMPLE_JWT = {
    "SIGNING_KEY": ENV["JWT_SECRET"],
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "CHECK_REVOKE_TOKEN": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "MikroTik Billing API",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "VoucherStatusEnum": "vouchers.choices.VoucherStatus",
        "BatchStatusEnum": "vouchers.choices.BatchStatus",
        "ConsentKindEnum": "customers.choices.ConsentKind",
        "DocumentKindEnum": "customers.choices.DocumentKind",
        "ContactRoleEnum": "customers.choices.ContactRole",
        "KindEnum": "locations.choices.Kind",
        "EntryKindEnum": "billing.choices.EntryKind",
        "AdjustmentStatusEnum": "billing.choices.AdjustmentStatus",
        "InvoiceStatusEnum": "billing.choices.InvoiceStatus",
        "InvoiceKindEnum": "billing.choices.InvoiceKind",
        "LineKindEnum": "billing.choices.LineKind",
        "SubscriptionStatusEnum": "billing.choices.SubscriptionStatus",
        "PaymentStatusEnum": "payments.choices.PaymentStatus",
        "CodeModeEnum": "vouchers.choices.CodeMode",
        "RolloutModeEnum": "locations.choices.RolloutMode",
        "RolloutStatusEnum": "locations.choices.RolloutStatus",
        "TunnelKindEnum": "locations.choices.TunnelKind",
        "ReachEnum": "locations.choices.Reach",
        "AlertKindEnum": "locations.choices.AlertKind",
        "RebootStatusEnum": "locations.choices.RebootStatus",
        "QuarterStateEnum": "locations.selectors_health.Cell",
        "LastSessionEndEnum": "locations.choices.SessionEnd",
        "UsagePeriodEnum": "locations.choices.UsagePeriod",
        "PresenceEnum": "locations.choices.Presence",
        "RouterImportStatusEnum": "imports.choices.RouterImportStatus",
        "RouterRowSubjectEnum": "imports.choices.Subject",
        "SubjectEnum": "locations.choices.DriftSubject",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Routers, messages, backups -----------------------------------------------------------------------------------

ROUTER_TIMEOUT_SECONDS = ENV["MIKROTIK_TIMEOUT"] / 1000
# the demo's routers are emulated here; elsewhere a location must not reach this server's own services
ROUTER_CA_FILE = ENV["MIKROTIK_CA_FILE"]
ROUTER_LOOPBACK_ALLOWED = DEMO_MODE or ENV["MIKROTIK_ALLOW_LOOPBACK"]
FIRST_LOCATION = {key: ENV[f"MIKROTIK_{key}"] for key in ("HOST", "PORT", "USERNAME", "PASSWORD")}
WHATSAPP_WEB_HOOK_URL = ENV["WHATSAPP_WEB_HOOK_URL"]
WHATSAPP_SESSION_TIMEOUT_SECONDS = ENV["WHATSAPP_SESSION_TIMEOUT"] / 1000
FIRST_SFTP_STORAGE = {key: ENV[f"SFTP_{key}"] for key in ("HOST", "PORT", "USERNAME", "PRIVATE_KEY_PATH")}

# --- Logs and errors ----------------------------------------------------------------------------------------------

LOGGING = logging_config(ENV["LOG_LEVEL"], LOG_DIR)
SENTRY_DSN = ENV["SENTRY_DSN"]
