"""A minimal Django project whose caches and sessions are on the server: django-redis and Django's own backend."""

import threading

import django
import django_redis
from django.conf import settings
from django.core.cache import caches
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.cache import cache_page
from harness import HOST, PORT, case, eq, raises, until

CACHES = {
    "django-redis": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": f"redis://{HOST}:{PORT}/1",
        "KEY_PREFIX": "shop",
    },
    "django-redis json zlib": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": f"redis://{HOST}:{PORT}/2?protocol=3",
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "COMPRESSOR": "django_redis.compressors.zlib.ZlibCompressor",
        },
    },
    "built-in": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": f"redis://{HOST}:{PORT}/3",
    },
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": f"redis://{HOST}:{PORT}/4"},
}

# Before the views: their decorators ask for it.
settings.configure(
    ALLOWED_HOSTS=["testserver"],
    CACHES=CACHES,
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of no value",
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    SESSION_CACHE_ALIAS="default",
    USE_TZ=True,
)


def visit(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    request.session["name"] = "김하나"
    return JsonResponse({"visits": request.session["visits"], "key": request.session.session_key})


def login(request):
    request.session.cycle_key()
    request.session["user"] = 7
    request.session.set_expiry(300)
    return JsonResponse({"key": request.session.session_key})


def logout(request):
    request.session.flush()
    return HttpResponse("bye")


rendered = []


@cache_page(60)
def page(request):
    rendered.append(request.GET.get("q"))
    return HttpResponse(f"rendered {len(rendered)} times")


urlpatterns = [path("visit", visit), path("login", login), path("logout", logout), path("page", page)]


def cache_interface(cache):
    """What every Django cache offers."""
    cache.set("k", {"deep": [1, 2, "셋"]})
    eq(cache.get("k"), {"deep": [1, 2, "셋"]})
    eq(cache.get("none", "default"), "default")
    eq(cache.add("k", "other"), False)
    eq(cache.add("new", "first", timeout=100), True)
    cache.set_many({"a": 1, "b": "two", "c": None}, timeout=50)
    eq(cache.get_many(["a", "b", "c", "none"]), {"a": 1, "b": "two", "c": None})
    eq(cache.get_or_set("lazy", lambda: "made", 10), "made")
    eq(cache.get_or_set("lazy", lambda: "again", 10), "made")
    eq("a" in cache, True)
    cache.set("n", 10, timeout=100)
    eq(cache.incr("n"), 11)
    eq(cache.decr("n", 5), 6)
    eq(cache.touch("n", 500), True)
    eq(cache.touch("none", 500), False)
    cache.set("versions", "old", version=1)
    cache.set("versions", "new", version=2)
    eq(cache.get("versions", version=1), "old")
    eq(cache.get("versions", version=2), "new")
    eq(cache.incr_version("a"), 2)
    eq(cache.get("a", version=2), 1)
    cache.set("short", "gone", timeout=1)
    cache.set("never", "there", timeout=0)
    eq(cache.get("never"), None)
    until(lambda: cache.get("short") is None)
    cache.delete_many(["b", "c"])
    eq(cache.delete("k"), True)
    eq(cache.delete("k"), False)
    cache.clear()
    eq(cache.get("new"), None)


def django_redis_only(cache):
    """What django-redis adds; its locks, and `incr`, are scripts."""
    raises(ValueError, "Key ", cache.incr, "none")
    with cache.lock("work", timeout=10):
        eq(cache.lock("work", timeout=10).acquire(blocking=False), False)
    eq(cache.lock("work", timeout=10).acquire(blocking=False), True)
    cache.clear()
    cache.set("k", "v", timeout=100)
    eq(cache.ttl("k"), 100)
    assert 99_000 < cache.pttl("k") <= 100_000
    eq(cache.persist("k"), True)
    eq(cache.ttl("k"), None)
    eq(cache.ttl("none"), 0)
    eq(cache.expire("k", 50), True)
    eq(cache.pexpire("k", 5000), True)
    eq(cache.set("k", "other", nx=True), False)
    eq(cache.set("k", "other", xx=True), True)
    for i in range(2500):
        cache.set(f"item:{i}", i)
    eq(sorted(cache.keys("item:24*")), sorted([f"item:{i}" for i in [24, *range(240, 250), *range(2400, 2500)]]))
    eq(len(set(cache.iter_keys("item:*"))), 2500)
    eq(cache.delete_pattern("item:1*", itersize=100), 1 + 10 + 100 + 1000)
    eq(len(cache.keys("item:*")), 2500 - 1111)
    eq(cache.sadd("s", 1, 2, 3), 3)
    eq(cache.smembers("s"), {1, 2, 3})
    eq(cache.scard("s"), 3)
    eq(cache.hset("h", "f", 5), 1)
    eq(cache.hlen("h"), 1)
    eq(cache.zadd("z", {"a": 1, "b": 2}), 2)
    eq(cache.zscore("z", "b"), 2.0)
    raw = django_redis.get_redis_connection("django-redis")
    eq(raw.exists("shop:1:k"), 1)
    eq(raw.ping(), True)


def sessions(_):
    """Sessions of browsers, through the middleware."""
    from django.test import Client

    cache = caches["default"]
    one, other = Client(), Client()
    eq([one.get("/visit").json()["visits"] for _ in range(3)], [1, 2, 3])
    eq(other.get("/visit").json()["visits"], 1)
    before = one.get("/visit").json()["key"]
    key = one.get("/login").json()["key"]
    assert key != before
    stored = "django.contrib.sessions.cache"
    eq(cache.get(stored + before), None)
    eq(cache.get(stored + key), {"visits": 4, "name": "김하나", "user": 7, "_session_expiry": 300})
    raw = cache._cache.get_client()
    eq(raw.ttl(f":1:{stored}{key}"), 300)
    one.get("/logout")
    eq(cache.get(stored + key), None)
    eq(one.get("/visit").json()["visits"], 1)
    eq(other.get("/visit").json()["visits"], 2)


def cached_views(_):
    """A view's response kept by URL."""
    from django.test import Client

    client = Client()
    eq(client.get("/page?q=1").content, b"rendered 1 times")
    eq(client.get("/page?q=1").content, b"rendered 1 times")
    eq(client.get("/page?q=2").content, b"rendered 2 times")
    eq(rendered, ["1", "2"])


def threads(cache):
    """A cache shared by the threads of a process."""
    cache.set("n", 0)
    workers = [threading.Thread(target=lambda: [cache.incr("n") for _ in range(100)]) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    eq(cache.get("n"), 800)
    raises(ValueError, "Key ':1:none' not found.", cache.incr, "none")


def run(clear):
    """Every family over every backend."""
    django.setup()
    own = f"Django {django.__version__} redis backend"
    theirs = f"django-redis {django_redis.__version__}"
    for client, alias in [(theirs, "django-redis"), (f"{theirs} JSON zlib RESP3", "django-redis json zlib"), (own, "built-in")]:
        clear()
        case(client, "cache interface", cache_interface, caches[alias])
    clear()
    case(theirs, "ttl, patterns, types", django_redis_only, caches["django-redis"])
    clear()
    case(own, "threads", threads, caches["built-in"])
    for family in (sessions, cached_views):
        clear()
        case(own, family.__name__.replace("_", " "), family, None)
