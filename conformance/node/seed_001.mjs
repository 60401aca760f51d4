// The six services of the second requirement document, in the form that works with today's node-redis and without the
// races of the document. Locks are released by the document's script.

import express from 'express';
import { randomBytes } from 'node:crypto';
import { eq, range, sleep, until } from './harness.mjs';
import { connectedPool, optimistic } from './optimistic.mjs';

const week_s = 7 * 24 * 3600;
const ex = (value) => ({ expiration: { type: 'EX', value } });

/// 1. Sessions: ids that nobody guesses, and no revival of a session that was just ended.
class Sessions {
  constructor(client) {
    this.client = client;
  }

  async create(user, data) {
    const id = randomBytes(16).toString('hex');
    const kept = JSON.stringify({ user, ...data, lastActivity: Date.now() });
    await this.client.multi().set(`user_session:${id}`, kept, ex(week_s)).sAdd(`user_sessions:${user}`, id).exec();
    return id;
  }

  async get(id) {
    const kept = await this.client.get(`user_session:${id}`);
    if (!kept) return null;
    const session = { ...JSON.parse(kept), lastActivity: Date.now() };
    const alive = await this.client.set(`user_session:${id}`, JSON.stringify(session), { condition: 'XX', ...ex(week_s) });
    return alive && session;
  }

  async endAll(user) {
    const ids = await this.client.sMembers(`user_sessions:${user}`);
    const keys = ids.map((id) => `user_session:${id}`);
    await this.client.multi().del([`user_sessions:${user}`, ...keys]).exec();
    return ids.length;
  }
}

async function sessionService(client) {
  const sessions = new Sessions(client);
  const ids = await Promise.all(range(50).map(() => sessions.create('u1', { email: '하나@example.com', roles: ['admin'] })));
  eq(new Set(ids).size, 50);
  eq((await sessions.get(ids[0])).email, '하나@example.com');
  await client.expire(`user_session:${ids[0]}`, 10);
  await sessions.get(ids[0]);
  eq(await client.ttl(`user_session:${ids[0]}`), week_s);
  eq(await sessions.get('none'), null);
  const reads = ids.map((id) => sessions.get(id));
  eq(await sessions.endAll('u1'), 50);
  await Promise.all(reads);
  eq(await client.keys('user_session*'), []);
  await client.setEx('permissions:u1:p1', 3600, JSON.stringify(['read', 'write']));
  eq(JSON.parse(await client.get('permissions:u1:p1')), ['read', 'write']);
}

/// 2. Responses kept: the state goes into a header, the body stays what it was; patterns without KEYS.
function caching(client, ttl_s) {
  return async (request, response, next) => {
    const query = new URLSearchParams([...Object.entries(request.query)].sort());
    const key = `api_cache:${request.method}:${request.path}:${request.get('x-user') ?? 'anonymous'}:${query}`;
    const kept = await client.get(key);
    if (kept) return response.set('X-Cache', 'HIT').type('json').send(kept);
    const send = response.json.bind(response);
    response.json = (body) => {
      const done = response.statusCode === 200 ? client.setEx(key, ttl_s, JSON.stringify(body)) : Promise.resolve();
      return done.then(() => send(body));
    };
    response.set('X-Cache', 'MISS');
    next();
  };
}

async function invalidate(client, pattern) {
  let gone = 0;
  for await (const keys of client.scanIterator({ MATCH: pattern, COUNT: 100 })) {
    if (keys.length) gone += await client.unlink(keys);
  }
  return gone;
}

async function responseCache(client) {
  const app = express();
  let computed = 0;
  app.get('/api/projects', caching(client, 600), (_, response) => {
    computed += 1;
    response.json(['가', '나']);
  });
  const server = await new Promise((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  const ask = async (path, user = 'u1') => {
    const response = await fetch(`http://127.0.0.1:${server.address().port}${path}`, { headers: { 'x-user': user } });
    return [response.headers.get('x-cache'), await response.json()];
  };
  eq(await ask('/api/projects?a=1&b=2'), ['MISS', ['가', '나']]);
  eq(await ask('/api/projects?b=2&a=1'), ['HIT', ['가', '나']]);
  eq((await ask('/api/projects?a=1&b=2', 'u2'))[0], 'MISS');
  eq(computed, 2);
  eq(await client.ttl('api_cache:GET:/api/projects:u1:a=1&b=2'), 600);
  for (const i of range(500)) await client.set(`api_cache:GET:/other/${i}`, '');
  eq(await invalidate(client, 'api_cache:GET:/api/projects:*'), 2);
  eq((await ask('/api/projects?a=1&b=2'))[0], 'MISS');
  eq(await client.dbSize(), 501);
  server.close();
}

/// 3. Notifications: the history first, then the message, in one step; the server's fields win over the message's.
async function notify(client, channel, message) {
  const text = JSON.stringify({ ...message, id: randomBytes(8).toString('hex'), channel });
  const key = `notifications:${channel}`;
  return (await client.multi().lPush(key, text).lTrim(key, 0, 99).publish(channel, text).exec())[2];
}

async function notificationService(client, connect) {
  const subscriber = await connect();
  const heard = [];
  for (const channel of ['project:created', 'deployment:status', 'system:alert']) {
    await subscriber.subscribe(channel, (text) => {
      try {
        heard.push(JSON.parse(text));
      } catch {
        heard.push(null);
      }
    });
  }
  for (const i of range(120)) eq(await notify(client, 'deployment:status', { projectId: i, status: '배포', channel: 'x' }), 1);
  eq(await client.publish('system:alert', 'not JSON'), 1);
  eq(await notify(client, 'project:created', { projectName: '새 프로젝트' }), 1);
  await until(() => heard.length === 122);
  eq(heard.slice(0, 120).map(({ projectId, channel }) => [projectId, channel]), range(120).map((i) => [i, 'deployment:status']));
  eq(heard[120], null);
  eq(await client.lLen('notifications:deployment:status'), 100);
  eq(JSON.parse(await client.lIndex('notifications:deployment:status', 0)).projectId, 119);
  await subscriber.unsubscribe('project:created');
  eq(await notify(client, 'project:created', {}), 0);
  subscriber.destroy();
}

/// 4. Rate limits: a counter always has a time to live; a sliding window admits exactly its limit under concurrency.
async function fixedWindow(client, id, limit, window_s) {
  const key = `rate_limit:${id}`;
  const [current, , reset] = await client.multi().incr(key).expire(key, window_s, 'NX').ttl(key).exec();
  return { allowed: current <= limit, remaining: Math.max(0, limit - current), reset };
}

async function slidingWindow(pool, id, limit, window_ms) {
  const key = `sliding_limit:${id}`;
  const now = Date.now();
  const outcome = await optimistic(pool, key, async (client) => {
    const current = await client.zCount(key, `(${now - window_ms}`, '+inf');
    if (current >= limit) return { allowed: false };
    const request = { score: now, value: `${now}-${randomBytes(8).toString('hex')}` };
    return client.multi().zRemRangeByScore(key, '-inf', now - window_ms).zAdd(key, request).pExpire(key, window_ms);
  });
  return outcome.allowed ?? true;
}

async function rateLimiter(client) {
  const answers = await Promise.all(range(20).map(() => fixedWindow(client, 'ip:1.2.3.4', 7, 60)));
  eq(answers.filter(({ allowed }) => allowed).length, 7);
  eq(answers.at(-1), { allowed: false, remaining: 0, reset: 60 });
  await client.persist('rate_limit:ip:1.2.3.4');
  await fixedWindow(client, 'ip:1.2.3.4', 7, 60);
  eq(await client.ttl('rate_limit:ip:1.2.3.4'), 60);
  const pool = await connectedPool();
  const admitted = await Promise.all(range(40).map(() => slidingWindow(pool, 'u1', 10, 60_000)));
  eq(admitted.filter(Boolean).length, 10);
  eq(await client.zCard('sliding_limit:u1'), 10);
  eq(await slidingWindow(pool, 'u2', 1, 300), true);
  eq(await slidingWindow(pool, 'u2', 1, 300), false);
  await until(() => slidingWindow(pool, 'u2', 1, 300));
  pool.destroy();
}

/// 5. Locks: taken by one only, released by its holder only, with a fencing token that grows.
class Locks {
  constructor(client) {
    this.client = client;
  }

  async acquire(name, { ttl_s = 30, retries = 500, delay_ms = 5 } = {}) {
    const token = randomBytes(16).toString('hex');
    for (const _ of range(retries)) {
      if (await this.client.set(`lock:${name}`, token, { condition: 'NX', ...ex(ttl_s) })) {
        return { token, fence: await this.client.incr('lock:fence'), release: () => this.release(name, token) };
      }
      await sleep(delay_ms);
    }
    return null;
  }

  async release(name, token) {
    const script = `
      if redis.call("get", KEYS[1]) == ARGV[1] then
        return redis.call("del", KEYS[1])
      else
        return 0
      end
    `;
    return (await this.client.eval(script, { keys: [`lock:${name}`], arguments: [token] })) === 1;
  }
}

async function lockService(client) {
  const locks = new Locks(client);
  let inside = 0;
  const fences = await Promise.all(
    range(8).map(async () => {
      const lock = await locks.acquire('db_creation:p1');
      inside += 1;
      eq(inside, 1);
      await sleep(3);
      inside -= 1;
      eq(await lock.release(), true);
      return lock.fence;
    }),
  );
  eq(fences.sort((a, b) => a - b), range(8).map((i) => i + 1));
  const mine = await locks.acquire('x');
  eq(await locks.acquire('x', { retries: 2, delay_ms: 1 }), null);
  eq(await locks.release('x', 'somebody else'), false);
  await client.set('lock:x', 'a later holder');
  eq(await mine.release(), false);
  eq(await client.get('lock:x'), 'a later holder');
}

/// 6. Jobs: priority apart from time, claimed by one worker, attempts counted before the work, back-off, a dead set.
class Jobs {
  constructor(client, pool, name) {
    Object.assign(this, { client, pool, key: `queue:${name}` });
  }

  async add(data, { priority = 0, delay_ms = 0 } = {}) {
    const id = randomBytes(8).toString('hex');
    await this.client
      .multi()
      .hSet(`job:${id}`, { status: 'pending', data: JSON.stringify(data), attempts: 0, priority })
      .zAdd(this.key, { score: Date.now() + delay_ms, value: id })
      .exec();
    return id;
  }

  /// Makes what is due ready, in the order of its priority.
  async promote() {
    for (const id of await this.client.zRangeByScore(this.key, '-inf', Date.now())) {
      const priority = Number(await this.client.hGet(`job:${id}`, 'priority'));
      await optimistic(this.pool, this.key, async (client) =>
        (await client.zScore(this.key, id)) !== null &&
        client.multi().zRem(this.key, id).zAdd(`${this.key}:ready`, { score: -priority, value: id }));
    }
  }

  async claim() {
    let id;
    const replies = await optimistic(this.pool, `${this.key}:ready`, async (client) => {
      [id] = await client.zRange(`${this.key}:ready`, 0, 0);
      if (!id) return null;
      const lease = { score: Date.now() + 30_000, value: id };
      const job = client.multi().zRem(`${this.key}:ready`, id).zAdd(`${this.key}:active`, lease);
      return job.hIncrBy(`job:${id}`, 'attempts', 1).hSet(`job:${id}`, 'status', 'processing');
    });
    return replies && { id, attempts: replies[2], data: JSON.parse(await this.client.hGet(`job:${id}`, 'data')) };
  }

  async work(processor, attempts_max = 3) {
    await this.promote();
    const job = await this.claim();
    if (!job) return false;
    const done = this.client.multi().zRem(`${this.key}:active`, job.id);
    try {
      done.hSet(`job:${job.id}`, { status: 'completed', result: JSON.stringify(await processor(job.data)) });
    } catch (error) {
      const dead = job.attempts >= attempts_max;
      done.hSet(`job:${job.id}`, { status: dead ? 'failed' : 'retrying', error: error.message });
      if (dead) done.zAdd(`${this.key}:dead`, { score: Date.now(), value: job.id });
      else done.zAdd(this.key, { score: Date.now() + 2 ** job.attempts, value: job.id });
    }
    await done.exec();
    return true;
  }
}

async function jobQueue(client) {
  const pool = await connectedPool();
  const jobs = new Jobs(client, pool, 'deployment');
  for (const i of range(5)) await jobs.add({ order: i }, { priority: i === 3 ? 10 : 0 });
  await jobs.promote();
  eq((await jobs.claim()).data, { order: 3 });
  const many = new Jobs(client, pool, 'email');
  await Promise.all(range(40).map((i) => many.add({ to: `${i}@example.com`, 이름: '김하나' })));
  const sent = [];
  const worker = async () => {
    while (await many.work(({ to }) => sent.push(to)));
  };
  await Promise.all(range(4).map(worker));
  eq(sent.length, 40);
  eq(new Set(sent).size, 40);
  const poison = await many.add('poison');
  const failing = () => Promise.reject(new Error('refused'));
  await until(async () => {
    await many.work(failing);
    return (await client.zScore('queue:email:dead', poison)) !== null;
  });
  const { status, attempts, error } = await client.hGetAll(`job:${poison}`);
  eq({ status, attempts, error }, { status: 'failed', attempts: '3', error: 'refused' });
  const later = await many.add('later', { delay_ms: 60_000 });
  eq(await many.work(failing), false);
  eq((await client.hGet(`job:${later}`, 'status')), 'pending');
  eq(await client.zCard('queue:email:active'), 0);
  pool.destroy();
}

export const families = [sessionService, responseCache, notificationService, rateLimiter, lockService, jobQueue];
