// Limiters of rates: never more than the limit in its window, however many ask at once, and again as many in the next.

import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { createRequire } from 'node:module';
import { RedisStore } from 'rate-limit-redis';
import {
  BurstyRateLimiter,
  RateLimiterMemory,
  RateLimiterQueue,
  RateLimiterRedis,
  RateLimiterRedisNonAtomic,
  RateLimiterUnion,
  RLWrapperBlackAndWhite,
} from 'rate-limiter-flexible';
import { createClient } from 'redis';
import { eq, host, port, range, refused, sleep, until } from '../harness.mjs';

const require = createRequire(import.meta.url);
const Bottleneck = require('bottleneck');

/// How many of these promises are kept, and what the first refused one says.
async function outcomes(promises) {
  const settled = await Promise.allSettled(promises);
  const refused = settled.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
  return { allowed: settled.length - refused.length, refused };
}

function flexibleFamilies(Limiter, connected) {
  const create = async (connect, options) => new Limiter({ ...(await connected(connect)), keyPrefix: 'limit', ...options });

  async function consume(r, connect) {
    const limiters = [await create(connect, { points: 7, duration: 60 }), await create(connect, { points: 7, duration: 60 })];
    const { allowed, refused } = await outcomes(range(40).map((i) => limiters[i % 2].consume('u1')));
    eq(allowed, 7);
    for (const { remainingPoints, msBeforeNext, isFirstInDuration } of refused) {
      eq([remainingPoints, isFirstInDuration, msBeforeNext > 50_000 && msBeforeNext <= 60_000], [0, false, true]);
    }
    eq(refused.map(({ consumedPoints }) => consumedPoints).sort((a, b) => a - b), range(33).map((i) => i + 8));
    eq(await r.get('limit:u1'), '40');
    eq((await limiters[0].consume('u2', 3)).remainingPoints, 4);
    eq((await limiters[0].get('u2')).consumedPoints, 3);
    eq(await limiters[0].get('nobody'), null);
  }

  async function windowsEnd(r, connect) {
    const limiter = await create(connect, { points: 2, duration: 1 });
    eq((await outcomes(range(3).map(() => limiter.consume('u1')))).allowed, 2);
    await until(() => limiter.consume('u1').then(() => true, () => false));
    eq((await limiter.get('u1')).consumedPoints, 1);
  }

  async function penaltyAndReward(r, connect) {
    const limiter = await create(connect, { points: 5, duration: 60 });
    eq((await limiter.penalty('u1', 4)).consumedPoints, 4);
    eq((await limiter.reward('u1', 2)).consumedPoints, 2);
    eq((await limiter.consume('u1', 3)).remainingPoints, 0);
    eq((await outcomes([limiter.consume('u1')])).allowed, 0);
    eq(await limiter.delete('u1'), true);
    eq(await limiter.get('u1'), null);
    eq((await limiter.set('u1', 5, 100)).consumedPoints, 5);
    eq((await outcomes([limiter.consume('u1')])).allowed, 0);
    const left = await r.ttl('limit:u1');
    eq(left > 90 && left <= 100, true);
  }

  async function blocked(r, connect) {
    const limiter = await create(connect, { points: 2, duration: 10, blockDuration: 200 });
    const { refused } = await outcomes(range(3).map(() => limiter.consume('u1')));
    eq(refused.length, 1);
    eq(refused[0].msBeforeNext > 150_000, true);
    eq((await r.ttl('limit:u1')) > 150, true);
    await limiter.block('u2', 300);
    const [error] = (await outcomes([limiter.consume('u2')])).refused;
    eq(error.msBeforeNext > 250_000, true);
    const shielded = await create(connect, { points: 1, duration: 60, inMemoryBlockOnConsumed: 3 });
    await outcomes(range(10).map(() => shielded.consume('u3')));
    await outcomes(range(10).map(() => shielded.consume('u3')));
    eq(Number(await r.get('limit:u3')), 10);
  }

  async function insured(r, connect) {
    const insurance = new RateLimiterMemory({ points: 1, duration: 60 });
    const options = await connected(connect);
    const limiter = new Limiter({ ...options, keyPrefix: 'limit', points: 3, duration: 60, insuranceLimiter: insurance });
    eq((await limiter.consume('u1')).remainingPoints, 2);
    options.storeClient.disconnect ? options.storeClient.disconnect() : options.storeClient.destroy();
    eq((await limiter.consume('u1')).remainingPoints, 0);
    eq((await outcomes([limiter.consume('u1')])).allowed, 0);
    eq(await r.get('limit:u1'), '1');
  }

  async function combined(r, connect) {
    const short = await create(connect, { points: 2, duration: 1, keyPrefix: 'short' });
    const long = await create(connect, { points: 3, duration: 60, keyPrefix: 'long' });
    const union = new RateLimiterUnion(short, long);
    eq((await outcomes(range(3).map(() => union.consume('u1')))).allowed, 2);
    eq([await r.get('short:u1'), await r.get('long:u1')], ['3', '3']);
    const burst = await create(connect, { points: 2, duration: 60, keyPrefix: 'burst' });
    const bursty = new BurstyRateLimiter(await create(connect, { points: 1, duration: 1, keyPrefix: 'calm' }), burst);
    eq((await outcomes(range(6).map(() => bursty.consume('u1')))).allowed, 3);
    const limiter = await create(connect, { points: 1, duration: 60, keyPrefix: 'listed' });
    const listed = new RLWrapperBlackAndWhite({ limiter, whiteList: ['friend'], blackList: ['foe'] });
    eq((await outcomes(range(5).map(() => listed.consume('friend')))).allowed, 5);
    eq((await outcomes([listed.consume('foe')])).allowed, 0);
    eq(await r.exists('listed:friend', 'listed:foe'), 0);
  }

  async function queued(r, connect) {
    const queue = new RateLimiterQueue(await create(connect, { points: 2, duration: 1 }), { maxQueueSize: 3 });
    const began = Date.now();
    eq((await outcomes(range(8).map(() => queue.removeTokens(1, 'u1')))).allowed, 5);
    eq(Date.now() - began > 900, true);
  }

  return [consume, windowsEnd, penaltyAndReward, blocked, insured, combined, queued];
}

const overIoredis = (connect) => ({ storeClient: connect({ enableOfflineQueue: false, lazyConnect: true }) });
async function ioredisReady(connect) {
  const options = overIoredis(connect);
  await options.storeClient.connect();
  return options;
}
async function nodeRedisReady() {
  const storeClient = await createClient({ socket: { host, port } }).connect();
  storeClient.on('error', () => {});
  return { storeClient, useRedisPackage: true };
}
const flexible = flexibleFamilies(RateLimiterRedis, ioredisReady);

/// An Express application that counts its callers over this store; resolves to a function that asks it.
async function application(options) {
  const app = express();
  app.use(rateLimit({ windowMs: 60_000, legacyHeaders: false, standardHeaders: 'draft-6', keyGenerator: (request) => request.get('x-user'), ...options }));
  app.get('/', (_, response) => response.send('안녕하세요'));
  const server = await new Promise((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  const ask = async (user) => {
    const response = await fetch(`http://127.0.0.1:${server.address().port}/`, { headers: { 'x-user': user } });
    await response.text();
    return [response.status, Number(response.headers.get('ratelimit-remaining'))];
  };
  return { ask, close: () => server.close() };
}

function expressFamilies(store) {
  async function concurrentRequests(r, connect) {
    const apps = [];
    for (const _ of range(2)) apps.push(await application({ limit: 10, store: await store(connect, 'rl:') }));
    const answers = await Promise.all(range(30).map((i) => apps[i % 2].ask('u1')));
    eq(answers.filter(([status]) => status === 200).length, 10);
    eq(answers.filter(([status]) => status === 429).length, 20);
    eq(answers.filter(([status]) => status === 200).map(([, left]) => left).sort((a, b) => a - b), range(10));
    eq(await apps[0].ask('u2'), [200, 9]);
    eq(await r.get('rl:u1'), '30');
    eq((await r.pttl('rl:u1')) > 50_000, true);
    apps.forEach((app) => app.close());
  }

  async function windowsEnd(r, connect) {
    const app = await application({ limit: 1, windowMs: 300, store: await store(connect, 'short:') });
    eq((await app.ask('u1'))[0], 200);
    eq((await app.ask('u1'))[0], 429);
    await until(async () => (await app.ask('u1'))[0] === 200);
    app.close();
  }

  async function storeInterface(r, connect) {
    const counts = await store(connect, 'own:');
    counts.init({ windowMs: 60_000 });
    eq((await counts.increment('u1')).totalHits, 1);
    eq((await counts.increment('u1')).totalHits, 2);
    await counts.decrement('u1');
    const { totalHits, resetTime } = await counts.get('u1');
    eq(totalHits, 1);
    eq(Math.abs(resetTime - Date.now() - 60_000) < 5_000, true);
    await r.script('FLUSH');
    eq((await counts.increment('u1')).totalHits, 2);
    await counts.resetKey('u1');
    eq(await r.exists('own:u1'), 0);
  }

  return [concurrentRequests, windowsEnd, storeInterface];
}

const expressOverIoredis = async (connect, prefix) => {
  const client = connect();
  return new RedisStore({ prefix, sendCommand: (command, ...args) => client.call(command, ...args) });
};
const expressOverNodeRedis = async (connect, prefix) => {
  const client = await createClient({ socket: { host, port } }).connect();
  return new RedisStore({ prefix, sendCommand: (...args) => client.sendCommand(args) });
};

/// A limiter that shares its counts with all that bear its id.
function clustered(connect, options) {
  const connection = new Bottleneck.IORedisConnection({ client: connect({ protocol: 2 }), Redis: connect.Redis });
  const limiter = new Bottleneck({ id: 'cluster', connection, ...options });
  limiter.on('error', () => {});
  return limiter;
}

async function concurrency(r, connect) {
  const limiters = range(3).map(() => clustered(connect, { maxConcurrent: 4, clearDatastore: false }));
  await Promise.all(limiters.map((limiter) => limiter.ready()));
  let inside = 0;
  let most = 0;
  const results = await Promise.all(
    range(40).map((i) =>
      limiters[i % 3].schedule({ id: `job ${i}` }, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await sleep(5);
        inside -= 1;
        return i;
      }),
    ),
  );
  eq(results, range(40));
  eq(most, 4);
  eq(await limiters[0].done(), 40);
  eq(await limiters[1].running(), 0);
  eq(await limiters[0].clusterQueued(), 0);
  for (const limiter of limiters) await limiter.disconnect(true);
}

async function spacing(r, connect) {
  const limiters = range(2).map(() => clustered(connect, { minTime: 40 }));
  const times = await Promise.all(range(10).map((i) => limiters[i % 2].schedule(async () => performance.now())));
  times.sort((a, b) => a - b);
  eq(times.at(-1) - times[0] >= 9 * 40 - 25, true);
  for (const limiter of limiters) await limiter.disconnect(true);
}

async function reservoir(r, connect) {
  const limiters = range(2).map(() => clustered(connect, { reservoir: 5 }));
  await Promise.all(limiters.map((limiter) => limiter.ready()));
  let done = 0;
  const jobs = range(9).map((i) => limiters[i % 2].schedule({ weight: 1 }, async () => (done += 1)));
  await until(() => done === 5);
  eq(await limiters[0].currentReservoir(), 0);
  eq(await limiters[1].incrementReservoir(4), 4);
  await Promise.all(jobs);
  eq(done, 9);
  await limiters[0].updateSettings({ reservoir: 2, maxConcurrent: 1 });
  eq(await limiters[1].currentReservoir(), 2);
  await refused(limiters[1].schedule({ weight: 3 }, async () => 'never'), 'ERR OVERWEIGHT:3:1');
  for (const limiter of limiters) await limiter.disconnect(true);
}

async function strategyAndPriority(r, connect) {
  const limiter = clustered(connect, { maxConcurrent: 1, highWater: 2, strategy: Bottleneck.strategy.OVERFLOW });
  await limiter.ready();
  const order = [];
  const first = limiter.schedule(async () => {
    // The third of the others finds the queue full: nothing leaves it before.
    await until(() => order.length === 1);
    order.push('first');
  });
  await until(() => limiter.counts().EXECUTING === 1);
  const rest = [5, 1, 9].map((priority) => limiter.schedule({ priority }, async () => order.push(priority)).catch((error) => order.push(error.message)));
  await Promise.all([first, ...rest]);
  eq(order[0], 'This job has been dropped by Bottleneck');
  eq(order.indexOf(1) < order.length && order.indexOf('first') < order.indexOf(1), true);
  await limiter.disconnect(true);
}

async function groups(r, connect) {
  const connection = new Bottleneck.IORedisConnection({ client: connect({ protocol: 2 }), Redis: connect.Redis });
  const group = new Bottleneck.Group({ id: 'group', connection, maxConcurrent: 1, timeout: 60_000 });
  const results = await Promise.all(range(20).map((i) => group.key(`user ${i % 4}`).schedule(async () => i)));
  eq(results, range(20));
  eq((await group.clusterKeys()).sort(), range(4).map((i) => `user ${i}`));
  eq(await group.deleteKey('user 1'), true);
  eq((await group.clusterKeys()).length, 3);
  await group.disconnect(true);
}

/// By package; the second name tells the client.
export const families = {
  'rate-limiter-flexible': flexible,
  'rate-limiter-flexible (node-redis)': flexibleFamilies(RateLimiterRedis, nodeRedisReady),
  'rate-limiter-flexible (non-atomic)': flexibleFamilies(RateLimiterRedisNonAtomic, ioredisReady).slice(2, 3),
  'rate-limit-redis': expressFamilies(expressOverIoredis),
  'rate-limit-redis (node-redis)': expressFamilies(expressOverNodeRedis),
  bottleneck: [concurrency, spacing, reservoir, strategyAndPriority, groups],
};
