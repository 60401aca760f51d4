// Locks and semaphores: one holder at a time (or as many as there are permits), released and prolonged by their holders
// only, free for others when their time is over.

import { Mutex, MultiSemaphore, RedlockMutex, RedlockSemaphore, Semaphore } from 'redis-semaphore';
import { createRequire } from 'node:module';
import { eq, range, refused, sleep, until } from '../harness.mjs';

const require = createRequire(import.meta.url);
const Redlock4 = require('redlock-4');
const { default: Redlock5 } = require('redlock-5');

/// Enters and leaves a critical section many times at once; tells how many ever were inside together.
async function contend(tasks, enter) {
  let inside = 0;
  let most = 0;
  let entered = 0;
  await Promise.all(
    range(tasks).map((i) =>
      enter(i, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await sleep(2);
        inside -= 1;
        entered += 1;
      }),
    ),
  );
  eq(entered, tasks);
  return most;
}

/// Three databases that Redlock takes for three servers.
const servers = (connect) => [1, 2, 3].map((db) => connect({ db }));

const patient = { retryCount: 2_000, retryDelay: 2, retryJitter: 3 };
const hasty = { retryCount: 0 };

/// The old one: `lock`, `unlock`, `extend`; what the two versions promise alike is asked in the same words.
const redlock4 = (clients, options) => {
  const redlock = new Redlock4(clients, options);
  redlock.on('clientError', () => {});
  return {
    acquire: (resources, ttl) => redlock.lock(resources, ttl),
    extend: (lock, ttl) => lock.extend(ttl),
    release: (lock) => lock.unlock(),
  };
};
const redlock5 = (clients, options) => {
  const redlock = new Redlock5(clients, options);
  redlock.on('error', () => {});
  return {
    acquire: (resources, ttl) => redlock.acquire(resources, ttl),
    extend: (lock, ttl) => lock.extend(ttl),
    release: (lock) => lock.release(),
    using: (...args) => redlock.using(...args),
  };
};

function redlockFamilies(create) {
  async function contention(r, connect) {
    const lockers = range(4).map(() => create([connect()], patient));
    const most = await contend(40, async (i, work) => {
      const locker = lockers[i % 4];
      const lock = await locker.acquire(['the resource'], 10_000);
      await work();
      await locker.release(lock);
    });
    eq(most, 1);
    eq(await r.exists('the resource'), 0);
  }

  async function severalResources(r) {
    const [mine, other] = [create([r], hasty), create([r], hasty)];
    const lock = await mine.acquire(['a', 'b', '자원'], 10_000);
    eq(await r.exists('a', 'b', '자원'), 3);
    await failed(other.acquire(['c', 'b'], 10_000));
    eq(await r.exists('c'), 0);
    await mine.release(lock);
    eq(await r.dbsize(), 0);
    await other.release(await other.acquire(['c', 'b'], 10_000));
  }

  async function extension(r) {
    const [mine, other] = [create([r], hasty), create([r], hasty)];
    let lock = await mine.acquire(['a'], 1_000);
    lock = await mine.extend(lock, 60_000);
    const left = await r.pttl('a');
    eq(left > 50_000 && left <= 60_000, true);
    await r.set('a', 'somebody else', 'PX', 500);
    await failed(mine.extend(lock, 60_000));
    await failed(mine.release(lock));
    eq(await r.get('a'), 'somebody else');
    eq((await r.pttl('a')) <= 500, true);
    await until(async () => !(await r.exists('a')));
    await other.release(await other.acquire(['a'], 1_000));
  }

  async function expiry(r) {
    const [mine, other] = [create([r], hasty), create([r], patient)];
    const lock = await mine.acquire(['a'], 150);
    await failed(create([r], hasty).acquire(['a'], 150));
    const next = await other.acquire(['a'], 60_000);
    await failed(mine.release(lock));
    eq(await r.get('a'), next.value);
    await other.release(next);
  }

  async function quorum(r, connect) {
    const clients = servers(connect);
    const locker = create(clients, hasty);
    await clients[0].set('a', 'taken there');
    const lock = await locker.acquire(['a'], 10_000);
    eq(await Promise.all(clients.map((client) => client.get('a'))), ['taken there', lock.value, lock.value]);
    await locker.release(lock);
    eq(await Promise.all(clients.map((client) => client.exists('a'))), [1, 0, 0]);
    await clients[1].set('a', 'taken there too');
    await failed(locker.acquire(['a'], 10_000));
    eq(await clients[2].exists('a'), 0);
  }

  return [contention, severalResources, extension, expiry, quorum];
}

/// The promise has to be refused, in whatever words.
async function failed(promise) {
  await refused(promise.then(() => Promise.reject(new Error('!no error')), () => Promise.reject(new Error('refused'))), 'refused');
}

async function usingWithExtension(r) {
  const locker = redlock5([r], { ...hasty, automaticExtensionThreshold: 200 });
  const outcome = await locker.using(['a'], 400, async (signal) => {
    for (const end = Date.now() + 1_000; Date.now() < end; await sleep(20)) {
      eq(await r.exists('a'), 1);
      eq(signal.aborted, false);
    }
    return '끝';
  });
  eq(outcome, '끝');
  eq(await r.exists('a'), 0);
  const lost = await locker.using(['a'], 400, async (signal) => {
    await r.set('a', 'somebody else');
    await until(() => signal.aborted);
    return 'told';
  }).catch((error) => error);
  eq(await r.get('a'), 'somebody else');
  eq(lost instanceof Error, true);
}

async function mutex(r, connect) {
  const clients = range(4).map(() => connect());
  const most = await contend(40, async (i, work) => {
    const mine = new Mutex(clients[i % 4], 'm', { retryInterval: 2 });
    await mine.acquire();
    await work();
    await mine.release();
  });
  eq(most, 1);
  eq(await r.exists('mutex:m'), 0);
  const holder = new Mutex(r, 'm', { lockTimeout: 200, refreshInterval: 50 });
  await holder.acquire();
  eq(await new Mutex(r, 'm', { acquireAttemptsLimit: 1 }).tryAcquire(), false);
  await refused(new Mutex(r, 'm', { acquireTimeout: 50 }).acquire(), 'Acquire mutex mutex:m timeout');
  for (const end = Date.now() + 500; Date.now() < end; await sleep(20)) eq(await r.exists('mutex:m'), 1);
  const handler = new Mutex(r, 'm', { identifier: holder.identifier, acquiredExternally: true, lockTimeout: 60_000 });
  holder.stopRefresh();
  await handler.acquire();
  eq((await r.pttl('mutex:m')) > 50_000, true);
  await handler.release();
  eq(await r.exists('mutex:m'), 0);
  let lost;
  const robbed = new Mutex(r, 'm', { lockTimeout: 200, refreshInterval: 20, onLockLost: (error) => (lost = error) });
  await robbed.acquire();
  await r.set('mutex:m', 'somebody else');
  await until(() => lost);
  eq(robbed.isAcquired, false);
  await robbed.release();
  eq(await r.get('mutex:m'), 'somebody else');
}

async function semaphore(r, connect) {
  const clients = range(4).map(() => connect());
  const most = await contend(40, async (i, work) => {
    const mine = new Semaphore(clients[i % 4], 's', 3, { retryInterval: 2 });
    await mine.acquire();
    await work();
    await mine.release();
  });
  eq(most, 3);
  eq(await r.zcard('semaphore:s'), 0);
  const held = range(3).map(() => new Semaphore(r, 's', 3, { lockTimeout: 300, refreshInterval: 0 }));
  for (const one of held) await one.acquire();
  eq(await new Semaphore(r, 's', 3, { acquireAttemptsLimit: 1 }).tryAcquire(), false);
  const kept = new Semaphore(r, 's', 3, { lockTimeout: 300, refreshInterval: 60 });
  await kept.acquire();
  await until(async () => (await r.zrangebyscore('semaphore:s', '-inf', Date.now() - 300)).length >= 2 || (await r.zcard('semaphore:s')) === 1);
  await sleep(350);
  eq(kept.isAcquired, true);
  await kept.release();
  eq(await r.exists('semaphore:s'), 0);
}

async function multiSemaphore(r, connect) {
  const clients = range(4).map(() => connect());
  let permits = 0;
  let most = 0;
  await contend(30, async (i, work) => {
    const wanted = 1 + (i % 3);
    const mine = new MultiSemaphore(clients[i % 4], 's', 5, wanted, { retryInterval: 2 });
    await mine.acquire();
    permits += wanted;
    most = Math.max(most, permits);
    await work();
    permits -= wanted;
    await mine.release();
  });
  eq(most > 1 && most <= 5, true);
  const short = { lockTimeout: 200, refreshInterval: 40, acquireAttemptsLimit: 1 };
  const four = new MultiSemaphore(r, 's', 5, 4, short);
  await four.acquire();
  eq(await new MultiSemaphore(r, 's', 5, 2, { acquireAttemptsLimit: 1 }).tryAcquire(), false);
  const one = new Semaphore(r, 's', 5, short);
  eq(await one.tryAcquire(), true);
  await sleep(300);
  eq(four.isAcquired, true);
  eq(await r.zcard('semaphore:s'), 5);
  await four.release();
  await one.release();
  eq(await r.exists('semaphore:s'), 0);
}

async function overSeveralServers(r, connect) {
  const clients = servers(connect);
  const most = await contend(15, async (i, work) => {
    const mine = new RedlockMutex(clients, 'm', { retryInterval: 3 });
    await mine.acquire();
    await work();
    await mine.release();
  });
  eq(most, 1);
  const together = await contend(15, async (i, work) => {
    const mine = new RedlockSemaphore(clients, 's', 2, { retryInterval: 3 });
    await mine.acquire();
    await work();
    await mine.release();
  });
  eq(together <= 2, true);
  eq(await Promise.all(clients.map((client) => client.dbsize())), [0, 0, 0]);
}

/// By package.
export const families = {
  'redlock-4': redlockFamilies(redlock4),
  'redlock-5': [...redlockFamilies(redlock5), usingWithExtension],
  'redis-semaphore': [mutex, semaphore, multiSemaphore, overSeveralServers],
};
