"""Every script of the installed packages, as its library would send it, compiles, and has the SHA-1 that it should."""

import ast
import hashlib
import pathlib
import re
import sysconfig

import redis
from harness import HOST, PORT, eq

FOLDER = pathlib.Path(sysconfig.get_path("purelib"))
DESCRIBED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
CALL = re.compile(r"redis\.p?call")
# What one package writes into its texts before they are sent.
FILLED_IN = {"self.job_class.redis_job_namespace_prefix": "rq:job:"}


def text_of(node, parts):
    """The text of a string literal, or of an f-string with its names filled in; what is part of one is none of its own."""
    if isinstance(node, ast.JoinedStr):
        parts.update(node.values)
        if not any(isinstance(part, ast.Constant) and CALL.search(part.value) for part in node.values):
            return ""
        return "".join(part.value if isinstance(part, ast.Constant) else FILLED_IN[ast.unparse(part.value)] for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts else ""


def of_modules(package):
    """The texts of a package's modules that call commands, but for what describes its functions."""
    for path in sorted((FOLDER / package).rglob("*.py")):
        tree = ast.parse(path.read_text())
        described = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, DESCRIBED)}
        parts = set()
        texts = [text_of(node, parts) for node in ast.walk(tree)]
        yield from (text for text in texts if CALL.search(text) and text not in described)


def of_files(package):
    """The script files of a package."""
    return [path.read_text() for path in sorted((FOLDER / package).rglob("*.lua"))]


def of_cacheops():
    """cacheops keeps one part of a text for the versions of Redis before 7, and another for those since."""
    kept = [re.sub(r"REDIS_4.*?/REDIS_4", "", text, flags=re.S) for text in of_files("cacheops")]
    return kept + list(of_modules("cacheops"))


def compiles(texts, count):
    with redis.Redis(HOST, PORT, decode_responses=True) as r:
        scripts = list(texts())
        for text in scripts:
            eq(r.script_load(text), hashlib.sha1(text.encode()).hexdigest())
        eq(r.script_exists(*(hashlib.sha1(text.encode()).hexdigest() for text in scripts)), [True] * len(scripts))
        # As many as there are in the pinned version: none is overlooked.
        eq(len(scripts), count)


PACKAGES = {
    "redis": (6, lambda: of_modules("redis")),
    "limits": (6, lambda: of_files("limits")),
    "django-redis": (2, lambda: of_modules("django_redis")),
    "celery": (3, lambda: of_modules("celery")),
    "kombu": (2, lambda: of_modules("kombu")),
    "rq": (5, lambda: of_modules("rq")),
    "dramatiq": (2, lambda: of_files("dramatiq")),
    "huey": (3, lambda: of_modules("huey")),
    "django-cacheops": (6, of_cacheops),
    "pottery": (4, lambda: of_modules("pottery")),
}
FAMILIES = {
    package: [("scripts", lambda count=count, texts=texts: compiles(texts, count))] for package, (count, texts) in PACKAGES.items()
}
