"""The review-analysis platform of the first requirement document, through redis-py, with its races closed.

Locks are taken with NX and keep their time to live when they change; what belongs together is one transaction;
queues hand over instead of losing; channels by pattern are subscribed to as patterns.
"""

import json
import secrets
import threading

from harness import eq, until


class Platform:
    """The document's operations, over one client."""

    def __init__(self, r):
        self.r = r

    def start_session(self, user, token_hash):
        session = secrets.token_urlsafe(16)
        with self.r.pipeline() as pipe:
            pipe.set(f"user_session:{user}:{session}", token_hash, ex=604_800)
            pipe.set(f"user_online:{user}", "true", ex=3600).execute()
        return session

    def failed_login(self, email):
        with self.r.pipeline() as pipe:
            return pipe.incr(f"login_attempts:{email}").expire(f"login_attempts:{email}", 900, nx=True).execute()[0]

    def request_analysis(self, product, user, kind):
        """`started` for the first, `queued` with a position for the others."""
        task = {"task_id": f"task-{secrets.token_hex(4)}", "user_id": user, "type": kind, "status": "processing"}
        if self.r.set(f"analysis_lock:{product}", json.dumps(task), nx=True, ex=3600):
            return "started", task["task_id"]
        return "queued", self.r.lpush(f"analysis_queue:{product}", json.dumps({"user": user, "type": kind}))

    def update_lock(self, product, **changes):
        """Changes the lock's notes if it is still held; it expires when it would have."""
        key = f"analysis_lock:{product}"

        def change(pipe):
            held = pipe.get(key)
            pipe.multi()
            if held:
                pipe.set(key, json.dumps(json.loads(held) | changes), keepttl=True, xx=True)

        return self.r.transaction(change, key) == [True]

    def take_next(self, product):
        """The oldest request, kept aside until it is done."""
        return self.r.lmove(f"analysis_queue:{product}", f"analysis_queue:{product}:active", "RIGHT", "LEFT")

    def progress(self, task, message, **fields):
        with self.r.pipeline() as pipe:
            pipe.hset(f"analysis_progress:{task}", mapping=fields)
            pipe.expire(f"analysis_progress:{task}", 7200)
            pipe.publish(f"analysis_updates:{task}", json.dumps(message, ensure_ascii=False))
            return pipe.execute()[-1]

    def searched(self, user, words):
        recent = f"user_recent_searches:{user}"
        with self.r.pipeline() as pipe:
            pipe.zincrby("popular_searches", 1, words)
            pipe.lrem(recent, 0, words).lpush(recent, words).ltrim(recent, 0, 9).execute()

    def cache_product(self, product, **fields):
        key = f"product_cache:{product}"
        with self.r.pipeline() as pipe:
            pipe.delete(key).hset(key, mapping=fields).expire(key, 3600).execute()

    def count_request(self, date, endpoint, user):
        with self.r.pipeline() as pipe:
            pipe.incr(f"api_requests:{date}:{endpoint}").expire(f"api_requests:{date}:{endpoint}", 86_400, nx=True)
            pipe.pfadd(f"active_users:{date}", user).expire(f"active_users:{date}", 90 * 86_400)
            return pipe.execute()[0]

    def allowed(self, user, endpoint, limit):
        key = f"rate_limit:{user}:{endpoint}"
        with self.r.pipeline() as pipe:
            return pipe.incr(key).expire(key, 60, nx=True).execute()[0] <= limit


def sessions(r, connect):
    platform = Platform(r)
    session = platform.start_session("user123", "hash")
    eq(r.get(f"user_session:user123:{session}"), "hash")
    eq(r.ttl(f"user_session:user123:{session}"), 604_800)
    eq(r.ttl("user_online:user123"), 3600)
    eq([platform.failed_login("user@example.com") for _ in range(3)], [1, 2, 3])
    eq(r.ttl("login_attempts:user@example.com"), 900)


def analysis_lock_and_queue(r, connect):
    outcomes = []

    def ask(user):
        outcomes.append(Platform(connect()).request_analysis("prod-123", user, "batch"))

    threads = [threading.Thread(target=ask, args=(f"user-{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eq(sorted(kind for kind, _ in outcomes), ["queued"] * 7 + ["started"])
    eq(sorted(position for kind, position in outcomes if kind == "queued"), list(range(1, 8)))
    platform = Platform(r)
    r.expire("analysis_lock:prod-123", 100)
    eq(platform.update_lock("prod-123", status="finishing"), True)
    eq(json.loads(r.get("analysis_lock:prod-123"))["status"], "finishing")
    eq(r.ttl("analysis_lock:prod-123"), 100)
    eq(platform.update_lock("prod-404", status="finishing"), False)
    oldest = r.lindex("analysis_queue:prod-123", -1)
    eq(platform.take_next("prod-123"), oldest)
    eq(r.llen("analysis_queue:prod-123"), 6)
    eq(r.lrange("analysis_queue:prod-123:active", 0, -1), [oldest])
    eq(r.lrem("analysis_queue:prod-123:active", 1, oldest), 1)


def live_progress(r, connect):
    platform = Platform(r)
    listener = connect().pubsub(ignore_subscribe_messages=True)
    listener.psubscribe("analysis_updates:*")
    until(lambda: r.pubsub_numpat() == 1)
    # An id may contain a colon: what follows the first one is the id.
    for task, step in [("task-1", "sentiment_analysis"), ("shop:task-2", "키워드 추출")]:
        eq(platform.progress(task, {"progress": 47, "step": step}, progress=47, current_step=step), 1)
        message = until(lambda: listener.get_message(timeout=0.1))
        eq(message["channel"].split(":", 1)[1], task)
        eq(json.loads(message["data"]), {"progress": 47, "step": step})
        eq(r.hgetall(f"analysis_progress:{task}"), {"progress": "47", "current_step": step})
        eq(r.ttl(f"analysis_progress:{task}"), 7200)
    listener.close()


def searches_and_products(r, connect):
    platform = Platform(r)
    for words in ["아이폰 15", "갤럭시 S24", "아이폰 15", "맥북 프로", *(f"검색 {i}" for i in range(9))]:
        platform.searched("user123", words)
    recent = r.lrange("user_recent_searches:user123", 0, -1)
    eq(recent, [f"검색 {i}" for i in reversed(range(9))] + ["맥북 프로"])
    eq(r.zrevrange("popular_searches", 0, 0, withscores=True), [["아이폰 15", 2.0]])
    platform.cache_product("prod123", name="아이폰 15 Pro 128GB", price=1290000, rating=4.5, old="field")
    platform.cache_product("prod123", name="아이폰 15 Pro 128GB", price=1190000)
    eq(r.hgetall("product_cache:prod123"), {"name": "아이폰 15 Pro 128GB", "price": "1190000"})
    eq(r.ttl("product_cache:prod123"), 3600)
    r.zadd("price_alert_queue", {"user1:prod1:900000": 1_736_000_000_000, "user2:prod1:800000": 1_736_000_060_000})
    eq(r.zrangebyscore("price_alert_queue", "-inf", 1_736_000_030_000), ["user1:prod1:900000"])


def counters_and_limits(r, connect):
    platform = Platform(r)
    for i in range(5):
        eq(platform.count_request("2025-01-08", "/products/:id", f"user-{i % 3}"), i + 1)
    eq(r.ttl("api_requests:2025-01-08:/products/:id"), 86_400)
    eq(r.pfcount("active_users:2025-01-08"), 3)
    r.pfadd("active_users:2025-01-09", "user-2", "user-9")
    eq(r.pfmerge("active_users:week", "active_users:2025-01-08", "active_users:2025-01-09"), True)
    eq(r.pfcount("active_users:week"), 4)
    eq([platform.allowed("user1", "/analyse", 3) for _ in range(5)], [True, True, True, False, False])
    eq(r.ttl("rate_limit:user1:/analyse"), 60)
    # A counter that lost its time to live gets one again.
    r.persist("rate_limit:user1:/analyse")
    platform.allowed("user1", "/analyse", 3)
    eq(r.ttl("rate_limit:user1:/analyse"), 60)
    eq(r.hset("system_status", mapping={"total_users": 1250, "active_analyses": 15, "queue_size": 45}), 3)


FAMILIES = [sessions, analysis_lock_and_queue, live_progress, searches_and_products, counters_and_limits]
