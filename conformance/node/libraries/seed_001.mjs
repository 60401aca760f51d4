// The lock and the job queue of the second requirement document once more, with scripts of node-redis where the document
// asks and then acts: what is decided and what is done are one step.

import { randomUUID } from 'node:crypto';
import { createClient, defineScript } from 'redis';
import { eq, host, port, range, refused, until } from '../harness.mjs';

/// A script over these keys, whose arguments are texts.
const script = (keys, text) =>
  defineScript({
    SCRIPT: text,
    NUMBER_OF_KEYS: keys,
    parseCommand(parser, ...values) {
      values.slice(0, keys).forEach((key) => parser.pushKey(key));
      parser.push(...values.slice(keys).map(String));
    },
    transformReply: undefined,
  });

const scripts = {
  /// As in the document.
  releaseLock: script(1, `
      if redis.call("get", KEYS[1]) == ARGV[1] then
        return redis.call("del", KEYS[1])
      else
        return 0
      end
    `),
  /// Lock and fencing token in one step: the token, or nil when somebody else holds the lock.
  takeLock: script(2, `
      if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return nil end
      return redis.call('INCR', KEYS[2])
    `),
  addJob: script(2, `
      local id = redis.call('INCR', KEYS[1] .. ':id')
      redis.call('HSET', KEYS[1] .. ':job:' .. id, 'data', ARGV[1], 'priority', ARGV[2], 'attempts', 0, 'status', 'pending')
      redis.call('ZADD', KEYS[2], ARGV[3], id)
      return id
    `),
  /// Makes ready what is due, gives up leases that are over, and takes the most urgent job.
  claimJob: script(3, `
      local now = redis.call('TIME')
      now = now[1] * 1000 + math.floor(now[2] / 1000)
      for _, set in ipairs({KEYS[1], KEYS[3]}) do
        for _, id in ipairs(redis.call('ZRANGEBYSCORE', set, '-inf', now)) do
          redis.call('ZREM', set, id)
          local priority = tonumber(redis.call('HGET', ARGV[1] .. ':job:' .. id, 'priority'))
          redis.call('ZADD', KEYS[2], -priority * 2 ^ 32 + id, id)
        end
      end
      local popped = redis.call('ZPOPMIN', KEYS[2])
      if #popped == 0 then return false end
      local job = ARGV[1] .. ':job:' .. popped[1]
      redis.call('ZADD', KEYS[3], now + ARGV[2], popped[1])
      redis.call('HSET', job, 'status', 'processing', 'token', ARGV[3])
      return cjson.encode({
        id = popped[1],
        attempts = redis.call('HINCRBY', job, 'attempts', 1),
        data = cjson.decode(redis.call('HGET', job, 'data'))
      })
    `),
  /// Who lost the lease has no say any more.
  finishJob: script(3, `
      if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] or redis.call('HGET', KEYS[1], 'status') ~= 'processing' then
        return redis.error_reply('LOST the lease is over')
      end
      local id = string.match(KEYS[1], '(%d+)$')
      redis.call('ZREM', KEYS[2], id)
      local result = cjson.decode(ARGV[2])
      if not result.error then
        return {'completed', redis.call('HSET', KEYS[1], 'status', 'completed', 'result', cjson.encode(result.value))}
      end
      local attempts = tonumber(redis.call('HGET', KEYS[1], 'attempts'))
      local dead = attempts >= tonumber(ARGV[3])
      redis.call('HSET', KEYS[1], 'status', dead and 'failed' or 'retrying', 'error', result.error)
      if dead then return {'failed', attempts} end
      local now = redis.call('TIME')
      redis.call('ZADD', KEYS[3], now[1] * 1000 + now[2] / 1000 + 2 ^ attempts, id)
      return {'retrying', attempts}
    `),
};

const connected = async () => {
  const client = await createClient({ socket: { host, port }, scripts }).connect();
  client.on('error', () => {});
  return client;
};

async function lockService(r) {
  const clients = await Promise.all(range(4).map(connected));
  const fences = [];
  let inside = 0;
  await Promise.all(
    range(20).map(async (i) => {
      const client = clients[i % 4];
      const mine = randomUUID();
      const fence = await until(() => client.takeLock('lock:db_creation:p1', 'lock:fence', mine, 30_000));
      inside += 1;
      eq(inside, 1);
      fences.push(fence);
      inside -= 1;
      eq(await client.releaseLock('lock:db_creation:p1', 'somebody else'), 0);
      eq(await client.releaseLock('lock:db_creation:p1', mine), 1);
    }),
  );
  eq(fences, range(20).map((i) => i + 1));
  const document = { keys: ['lock:x'], arguments: ['mine'] };
  await r.set('lock:x', 'mine');
  await r.script('FLUSH');
  await refused(clients[0].evalSha(scripts.releaseLock.SHA1, document), 'NOSCRIPT No matching script. Please use EVAL.');
  eq(await clients[0].eval(scripts.releaseLock.SCRIPT, document), 1);
  eq(await clients[0].evalSha(scripts.releaseLock.SHA1, document), 0);
  clients.forEach((client) => client.destroy());
}

/// The document's queue over these scripts.
class Jobs {
  constructor(client, name) {
    Object.assign(this, { client, name, lease_ms: 30_000 });
  }

  add(data, { priority = 0, delay_ms = 0 } = {}) {
    return this.client.addJob(this.name, `${this.name}:later`, JSON.stringify(data), priority, Date.now() + delay_ms);
  }

  async claim(token) {
    const { name, lease_ms } = this;
    const job = await this.client.claimJob(`${name}:later`, `${name}:ready`, `${name}:active`, name, lease_ms, token);
    return job && JSON.parse(job);
  }

  finish(id, token, result, attempts_max = 3) {
    const { name } = this;
    return this.client.finishJob(`${name}:job:${id}`, `${name}:active`, `${name}:later`, token, JSON.stringify(result), attempts_max);
  }
}

async function jobQueue(r) {
  const clients = await Promise.all(range(4).map(connected));
  const jobs = new Jobs(clients[0], 'email');
  for (const i of range(40)) await jobs.add({ to: `${i}@example.com`, 이름: '김하나', 긴급: i === 33 }, { priority: i === 33 ? 10 : 0 });
  const first = await jobs.claim('a');
  eq([first.data, first.attempts], [{ to: '33@example.com', 이름: '김하나', 긴급: true }, 1]);
  eq(await jobs.finish(first.id, 'a', { value: { 보냄: true } }), ['completed', 1]);
  const sent = [];
  const worker = async (client, token) => {
    const mine = new Jobs(client, 'email');
    for (let job; (job = await mine.claim(token)); ) {
      sent.push(job.data.to);
      await mine.finish(job.id, token, { value: job.data.to });
    }
  };
  await Promise.all(clients.map((client, i) => worker(client, `worker ${i}`)));
  eq(sent.length, 39);
  eq(new Set(sent).size, 39);
  eq(await r.hget('email:job:34', 'result'), '{"보냄":true}');
  clients.forEach((client) => client.destroy());
}

async function failuresAndLeases(r) {
  const client = await connected();
  const jobs = new Jobs(client, 'deployment');
  const poison = await jobs.add('poison');
  const outcomes = [];
  while (outcomes.at(-1) !== 'failed') {
    const job = await until(() => jobs.claim('w'));
    outcomes.push((await jobs.finish(job.id, 'w', { error: '거절' }))[0]);
  }
  eq(outcomes, ['retrying', 'retrying', 'failed']);
  eq((await r.hmget(`deployment:job:${poison}`, 'status', 'attempts', 'error')), ['failed', '3', '거절']);
  const later = await jobs.add({ i: 1 }, { delay_ms: 150 });
  eq(await jobs.claim('w'), null);
  jobs.lease_ms = 20;
  eq((await until(() => jobs.claim('the dead'))).id, `${later}`);
  jobs.lease_ms = 30_000;
  const again = await until(() => jobs.claim('heir'));
  eq([again.id, again.attempts], [`${later}`, 2]);
  await refused(jobs.finish(later, 'the dead', { value: 1 }), 'LOST the lease is over');
  eq(await jobs.finish(later, 'heir', { value: 1 }), ['completed', 1]);
  client.destroy();
}

/// Over node-redis.
export const families = { 'redis (seed 001)': [lockService, jobQueue, failuresAndLeases] };
