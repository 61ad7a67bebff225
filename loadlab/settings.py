"""Django's settings; what differs between machines comes from the environment or `.env`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from loadlab.database import database
from loadlab.secret_key import kept_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (BASE_DIR / ".env").exists():
    env.read_env(BASE_DIR / ".env")


def _number(read: Callable[..., Any], name: str, *, default: float) -> Any:
    """A number of the environment; one sentence where what stands there is none."""
    try:
        return read(name, default=default)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {env.str(name)!r}: it must be a number.") from None


VAR_DIR = BASE_DIR / (env.str("LOADLAB_VAR", default="") or "var")

SECRET_KEY = env.str("SECRET_KEY", default="") or kept_secret_key(VAR_DIR)
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "loadlab.admin_config.LoadLabAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "runs",
]
MIDDLEWARE = [
    "runs.api.middleware.ErrorShapeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "loadlab.content_security.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "loadlab.urls"
WSGI_APPLICATION = "loadlab.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"loadlab": "runs.admin.tags"},
        },
    },
]
DATABASES = {
    "default": {
        **database(env.str("DATABASE_URL", default="")),
        # why kept: a connection costs PostgreSQL a process, and a launch a quarter of its time
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Served from where they lie, so that a fresh clone needs no collectstatic; an image may have one
STATIC_ROOT = env.str("STATIC_ROOT", default="") or None
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # why the token first: its challenge makes a missing login 401, not 403
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["runs.api.permissions.RunPermission"],
    "DEFAULT_THROTTLE_CLASSES": ["runs.api.throttling.CallerThrottle"],
    "DEFAULT_PARSER_CLASSES": ["runs.api.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "runs.api.errors.answer_error",
    "URL_FORMAT_OVERRIDE": None,
    "NUM_PROXIES": _number(env.int, "LOADLAB_API_PROXIES", default=0),
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "loadlab",
    "DESCRIPTION": "Load tests for arq queues: launch them, read their reports, compare them.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": ["runs.api.schema.finishing.finish"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

# Off by default, since a checkout serves plain HTTP on localhost; a site behind TLS turns them on
if env.bool("LOADLAB_BEHIND_TLS", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=False)
SECURE_REDIRECT_EXEMPT = ["^(healthz|readyz|metrics)$"]  # why: asked from inside, without TLS
SECURE_HSTS_SECONDS = _number(env.int, "SECURE_HSTS_SECONDS", default=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
SESSION_COOKIE_SECURE = env.bool("SESSION_COOKIE_SECURE", default=False)
CSRF_COOKIE_SECURE = env.bool("CSRF_COOKIE_SECURE", default=False)

# No inline script, no inline style, nothing from another host
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}

# What one caller may ask for
LOADLAB_MAX_TASKS = _number(env.int, "LOADLAB_MAX_TASKS", default=1_000_000)
LOADLAB_MAX_RATE = _number(env.float, "LOADLAB_MAX_RATE", default=100_000.0)
LOADLAB_MAX_WAITING = _number(env.int, "LOADLAB_MAX_WAITING", default=100)

# The API: requests a minute (0: as many as one likes) and bytes in one
LOADLAB_API_RATE = _number(env.int, "LOADLAB_API_RATE", default=600)
LOADLAB_API_ANONYMOUS_RATE = _number(env.int, "LOADLAB_API_ANONYMOUS_RATE", default=60)
LOADLAB_API_MAX_BODY = _number(env.int, "LOADLAB_API_MAX_BODY", default=65_536)
LOADLAB_API_ANONYMOUS = env.bool("LOADLAB_API_ANONYMOUS", default=False)

# Logs are for whoever runs the daemons: one line a state change, none a task
LOADLAB_LOG_LEVEL = env.str("LOADLAB_LOG_LEVEL", default="INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"loadlab": {"handlers": ["stderr"], "level": "WARNING", "propagate": False}},
}
