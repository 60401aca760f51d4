"""django-cacheops: query sets kept by script with what they depend on, and forgotten by script when that changes."""

import threading
import time

import django_settings  # First: the next are configured by it.
import cacheops
import redis
from django.db import connection
from harness import HOST, PORT, eq, until

r = redis.Redis(HOST, PORT)
Product = Category = None


def models():
    """Two models with their tables, in a database in memory; after `django.setup()`."""
    global Product, Category
    from django.db import models as m

    class Category(m.Model):
        name = m.CharField(max_length=50)

        class Meta:
            app_label = "cacheops"

    class Product(m.Model):
        name = m.CharField(max_length=50)
        price = m.IntegerField(default=0)
        category = m.ForeignKey(Category, m.CASCADE, related_name="products")

        class Meta:
            app_label = "cacheops"

    with connection.schema_editor() as editor:
        editor.create_model(Category)
        editor.create_model(Product)
    return Category, Product


def queries(body):
    """What a call gives, and how often it asked the database."""
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        return body(), len(captured)


def kept_and_invalidated():
    tea, bread = Category.objects.create(name="차"), Category.objects.create(name="빵")
    green = Product.objects.create(name="녹차", price=100, category=tea)
    Product.objects.create(name="식빵", price=200, category=bread)

    def teas():
        return [product.name for product in Product.objects.filter(category=tea).order_by("name")]

    def breads():
        return [product.name for product in Product.objects.filter(category=bread)]

    eq([queries(teas), queries(teas), queries(breads)], [(["녹차"], 1), (["녹차"], 0), (["식빵"], 1)])
    Product.objects.create(name="홍차", price=300, category=tea)
    eq([queries(teas), queries(breads)], [(["녹차", "홍차"], 1), (["식빵"], 0)])
    green.category = bread
    green.save()
    eq([queries(teas), queries(lambda: sorted(breads()))], [(["홍차"], 1), (["녹차", "식빵"], 1)])
    eq(queries(lambda: Product.objects.filter(price__gt=150).count()), (2, 1))
    eq(queries(lambda: Product.objects.filter(price__gt=150).count()), (2, 0))
    Product.objects.filter(price__gt=250).invalidated_update(price=50)
    eq(queries(lambda: Product.objects.filter(price__gt=150).count()), (1, 1))
    green.delete()
    eq(queries(breads), (["식빵"], 1))
    eq(queries(lambda: Product.objects.filter(name__in=["녹차", "식빵"]).exclude(price=7).exists()), (True, 1))
    cacheops.invalidate_model(Product)
    eq(queries(breads), (["식빵"], 1))


def cached_functions():
    calls = []
    tea = Category.objects.create(name="차")

    @cacheops.cached_as(Product.objects.filter(category=tea), timeout=60)
    def names():
        calls.append("names")
        return [product.name for product in Product.objects.filter(category=tea)]

    @cacheops.cached(timeout=60)
    def plain(x):
        calls.append(x)
        return x * 2

    eq([names(), names()], [[], []])
    Product.objects.create(name="녹차", category=tea)
    eq([names(), names()], [["녹차"], ["녹차"]])
    eq([plain(2), plain(2)], [4, 4])
    plain.invalidate(2)
    eq(plain(2), 4)
    eq(calls, ["names", "names", 2, 2])


def many_keys():
    """More keys depend on one condition than one call of a script could name."""
    tea = Category.objects.create(name="차")
    Product.objects.create(name="우롱차", category=tea)
    for i in range(9_000):
        key = f"made {i}"
        r.set(key, "x")
        r.sadd("conj:cacheops_product:name=우롱차", key)
    list(Product.objects.filter(name="우롱차"))
    before = r.dbsize()
    Product.objects.get(name="우롱차").save()
    until(lambda: r.dbsize() < before - 8_000)


def one_computes():
    """With `lock`, many threads that miss wait for the one that computes."""
    calls = []

    @cacheops.cached_as(Category, timeout=60, lock=True)
    def slow():
        calls.append(1)
        time.sleep(0.05)
        return "값"

    results = []

    def ask():
        results.append(slow())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eq((results, len(calls)), (["값"] * 8, 1))


def families():
    global Category, Product
    Category, Product = models()
    bodies = [kept_and_invalidated, cached_functions, one_computes, many_keys]
    return {"django-cacheops": [(body.__name__.replace("_", " "), body) for body in bodies]}
