"""Configures Django when it is imported: a cache of django-redis, a database in memory, and cacheops."""

import django
from django.conf import settings
from harness import HOST, PORT

settings.configure(
    CACHES={"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"redis://{HOST}:{PORT}/3"}},
    CACHEOPS={"*.*": {"ops": "all", "timeout": 600}},
    CACHEOPS_REDIS={"host": HOST, "port": PORT},
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "file::memory:?cache=shared"}},
    INSTALLED_APPS=["cacheops"],
    USE_TZ=True,
)
django.setup()
