"""Every setting, read from the environment; ``docs/settings.md`` lists them.

Each has a default that lets a fresh checkout run on SQLite with the simulated phone network.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from csp.constants import NONE, SELF

from temphone.lib import catalogs
from temphone.lib import environment as env
from temphone.telephony.signing import secret_in

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("TEMPHONE_DATA_DIR", str(BASE_DIR / "var"))).absolute()


def _secret(variable: str, name: str) -> str:
    """The secret in the environment, else the one kept in the data folder and made there once."""
    given = env.text(variable, "")
    if given:
        return given
    try:
        return secret_in(DATA_DIR / "secrets" / name)
    except OSError as error:
        raise env.BadSetting(f"TEMPHONE_DATA_DIR: cannot write {DATA_DIR} ({error.strerror}).") from error


DEBUG = env.switch("DEBUG", default=False)
SECRET_KEY = _secret("SECRET_KEY", "django")
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000, least=1, most=65535)
# The gateway and whoever asks after our health come by the loopback names.
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", HOST, *env.words("ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    # Without its autodiscovery, which temphone.urls does: only web needs the back office, and pays for it.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_htmx",
    "django_q",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "lucide",
    "rest_framework",
    "template_partials",
    "temphone",
    "temphone.accounts",
    "temphone.doorbell",
    "temphone.webhooks",
    "contacts",
    "campaigns",
    "calls",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "temphone.pages.not_stored",
    "django.middleware.common.CommonMiddleware",
    "temphone.api.middleware.straight",  # what follows is for pages
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "temphone.accounts.middleware.as_they_read",
    "temphone.accounts.middleware.require_two_steps",
    "temphone.api.middleware.views",  # the last
]
ROOT_URLCONF = "temphone.urls"
WSGI_APPLICATION = "temphone.wsgi.application"
APPEND_SLASH = False
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
            ]
        },
    }
]

DATABASES = {
    "default": env.database(env.text("DATABASE_URL", f"sqlite:///{quote(str(DATA_DIR / 'db.sqlite3'))}"))
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
# The first only refuses; the second asks for the password.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "temphone.accounts.backends.Passwords",
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"

# Failed logins, per address: as many in 15 minutes, then none until the oldest are that old.
AXES_FAILURE_LIMIT = env.number("TEMPHONE_LOGIN_FAILURES", 10, least=1)
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = ["ip_address"]
AXES_CLIENT_IP_CALLABLE = "temphone.accounts.logins.address_of"
# No name is kept: people type their password there.
AXES_USERNAME_CALLABLE = "temphone.accounts.logins.nobody"
# Of what was sent, beside "password".
AXES_SENSITIVE_PARAMETERS = [
    "username",
    "ip_address",
    "code",
    "old_password",
    "new_password1",
    "new_password2",
]
AXES_LOCKOUT_CALLABLE = "temphone.accounts.logins.locked_out"
# A success must not wipe the slate: whoever has one password would guess all others between two logins.
AXES_RESET_ON_SUCCESS = False
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# Who must type a code after the password; everybody may.
REQUIRE_TWO_STEPS = env.choice("TEMPHONE_REQUIRE_TWO_STEPS", "", ("admins", "everyone"))

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALES = BASE_DIR / "locale"  # the sources
LOCALE_PATHS = [catalogs.folder_of(LOCALES, DATA_DIR / "locale")]  # made of them by who shows pages
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

# Per process: what the overview counted of each day; with many zones among staff there are many.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

# Behind a TLS proxy: HTTPS=1 makes cookies secure, sends HSTS and redirects plain requests.
HTTPS = env.switch("HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_ENGINE = "temphone.accounts.sessions"
SESSION_COOKIE_AGE = 43_200  # 12 h: a working day, then the password again
CSRF_COOKIE_HTTPONLY = True
if HTTPS:
    # No other host of our domain can set a cookie of such a name.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^carriers/"]  # asked from inside, by plain HTTP
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
# To believe X-Forwarded-For: what such a proxy writes is the address that a login comes from.
TRUSTED_PROXIES = env.networks("TEMPHONE_TRUSTED_PROXIES", "127.0.0.1, ::1" if HTTPS else "")
FILE_UPLOAD_HANDLERS = [
    "temphone.uploads.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # the largest agent that may be saved has some 6,500
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "media-src": [SELF, "blob:"],  # blob: what was spoken for a preview
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# Recordings are private: no address leads to the storage, only our views read it.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "recordings": {
        "BACKEND": env.text("TEMPHONE_RECORDING_STORAGE", "django.core.files.storage.FileSystemStorage"),
        "OPTIONS": env.options(
            "TEMPHONE_RECORDING_STORAGE_OPTIONS",
            {
                "location": str(DATA_DIR / "recordings-store"),
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        ),
    },
}
# Files of people are private, too; web puts them there, and the worker reads them.
STORAGES["imports"] = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {
        "location": str(DATA_DIR / "imports"),
        "file_permissions_mode": 0o600,
        "directory_permissions_mode": 0o700,
    },
}
IMPORT_DAYS = env.number("TEMPHONE_IMPORT_DAYS", 30, least=1)
RECORDING_DAYS = env.number("TEMPHONE_RECORDING_DAYS", 0)  # 0: for ever

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["temphone.accounts.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["temphone.api.envelope.EnvelopeRenderer"],
    "DEFAULT_PARSER_CLASSES": ["temphone.api.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "temphone.api.envelope.AlwaysJSON",
    "EXCEPTION_HANDLER": "temphone.api.envelope.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "TemPhone",
    "DESCRIPTION": "Schedule AI phone calls as one schedules mail.",
    "VERSION": "1",
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["temphone.api.document.envelope"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

QUEUE_REDIS_URL = env.text("QUEUE_REDIS_URL", "")
Q_CLUSTER = {
    "name": "temphone",
    **({"redis": QUEUE_REDIS_URL} if QUEUE_REDIS_URL else {"orm": "default"}),
    # Two: one may wait for slow webhook receivers while the other dials.
    "workers": env.number("WORKERS", 2, least=1, most=64),
    "poll": 0.05,
    "bulk": 1,
    "queue_limit": 2,
    "timeout": 120,
    "retry": 300,  # well above timeout and the queue, else a task that only waits is started twice
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "recycle": 100_000,
    "save_limit": -1,  # django-q2 is a doorbell; what happened is in our own tables
    "scheduler": False,
}

DEMO = env.switch("TEMPHONE_DEMO", default=True)  # whether `manage.py dev` seeds demo data

# What TemPhone does, as the organisation wants it.
GATEWAY_SECRET = _secret("TEMPHONE_GATEWAY_SECRET", "gateway")
WEBHOOK_SECRET = env.signing_secret("TEMPHONE_WEBHOOK_SECRET", _secret("TEMPHONE_WEBHOOK_SECRET", "webhooks"))
# While receivers change over, messages carry a signature by the secret before as well.
WEBHOOK_SECRET_OLD = env.signing_secret("TEMPHONE_WEBHOOK_SECRET_OLD", "")
WEBHOOK_ALLOW = env.hosts_with_ports("TEMPHONE_WEBHOOK_ALLOW")
ORGANISATION = env.text("TEMPHONE_ORGANISATION", "TemPhone")
CURRENCY = env.currency("TEMPHONE_CURRENCY", "USD")
DEFAULT_CALLER_ID = env.phone_number("TEMPHONE_CALLER_ID", "+14155550199")
REQUESTS_PER_MINUTE = env.number("TEMPHONE_REQUESTS_PER_MINUTE", 120, least=1)
CALLING_HOURS = env.hours("TEMPHONE_CALLING_HOURS", "08:00-21:00")
POLICIES = {
    mode: {
        "consent": env.choice(f"TEMPHONE_CONSENT_{mode.upper()}", consent, ("off", "warn", "require")),
        "hours": env.choice(f"TEMPHONE_HOURS_{mode.upper()}", hours, ("reject", "defer", "warn")),
    }
    for mode, consent, hours in (("test", "warn", "warn"), ("live", "require", "reject"))
}
CALLS_PER_NUMBER_PER_DAY = env.number("TEMPHONE_CALLS_PER_NUMBER_PER_DAY", 0)  # 0: no cap
CALLS_PER_SECOND = env.number("TEMPHONE_CALLS_PER_SECOND", 0)  # per carrier; 0: no limit

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        # A load balancer asks /readyz every few seconds; its 503 tells it all.
        "no_503": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(record, "status_code", 0) != 503,
        }
    },
    "formatters": {
        "plain": {"()": "logging.Formatter" if DEBUG else "temphone.telephony.logs.PlainFormatter"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["no_503"]}},
    "root": {
        "handlers": ["stderr"],
        "level": env.choice("LOG_LEVEL", "WARNING", ("DEBUG", "INFO", "WARNING")),
    },
}
