// BullMQ: jobs reach one worker each, in the order of their priority and not before their time; what fails is tried
// again, what stalls is taken over, parents wait for their children, and everybody hears of it.

import {
  DelayedError,
  FlowProducer,
  Job,
  Queue,
  QueueEvents,
  RateLimitError,
  Relay,
  UnrecoverableError,
  Worker,
} from 'bullmq';
import { createClient } from 'redis';
import { eq, host, port, range, refused, sleep, until } from '../harness.mjs';

// Clients get it into their names, which are ASCII.
const prefix = 'jobs';

/// Makes the library's objects over one client, and closes them when the family is over.
function workshop(connection) {
  const made = [];
  const keep = (one) => {
    one.on?.('error', () => {});
    made.push(one);
    return one;
  };
  return {
    queue: (name = 'q', options = {}) => keep(new Queue(name, { connection, prefix, ...options })),
    worker: (processor, options = {}, name = 'q') => keep(new Worker(name, processor, { connection, prefix, drainDelay: 1, ...options })),
    flows: () => keep(new FlowProducer({ connection, prefix })),
    events: async (name = 'q') => {
      const events = keep(new QueueEvents(name, { connection, prefix, lastEventId: '0-0' }));
      await events.waitUntilReady();
      return events;
    },
    relay: (options = {}) => keep(new Relay({ connection, prefix, ...options })),
    close: () => Promise.all(made.map((one) => one.close())),
  };
}

async function workers({ queue, worker, events }) {
  const jobs = queue();
  const heard = await events();
  const added = await jobs.addBulk(range(200).map((i) => ({ name: '메일', data: { to: `${i}@example.com`, i } })));
  const seen = [];
  const finished = new Set();
  heard.on('completed', ({ jobId }) => finished.add(jobId));
  const processor = async (job) => {
    seen.push(job.data.i);
    await job.updateProgress(50);
    return { 두배: job.data.i * 2 };
  };
  range(4).forEach(() => worker(processor, { concurrency: 5 }));
  eq(await added[7].waitUntilFinished(heard), { 두배: 14 });
  await until(() => finished.size === 200);
  eq(seen.sort((a, b) => a - b), range(200));
  const { completed, ...others } = await jobs.getJobCounts();
  eq(completed, 200);
  eq(new Set(Object.values(others)), new Set([0]));
  const again = await Job.fromId(jobs, added[9].id);
  eq([again.returnvalue, again.progress, again.attemptsMade, await again.getState()], [{ 두배: 18 }, 50, 1, 'completed']);
  eq((await jobs.getCompleted(0, 4)).length, 5);
}

async function priorities({ queue, worker }) {
  const jobs = queue();
  const wanted = [5, 1, 3, 0, 2_097_151, 3, 1];
  for (const [i, priority] of wanted.entries()) await jobs.add('j', { i, priority }, { priority });
  await jobs.add('j', { i: 7, priority: 0 }, { lifo: true });
  eq(await jobs.getCountsPerPriority([0, 1, 3, 5]), { 0: 2, 1: 2, 3: 2, 5: 1 });
  const last = (await jobs.getPrioritized()).at(-1);
  await last.changePriority({ priority: 2 });
  const order = [];
  worker(async ({ data }) => order.push(data.i));
  await until(() => order.length === 8);
  eq(order, [7, 3, 1, 6, 4, 2, 5, 0]);
}

async function delays({ queue, worker, events }) {
  const jobs = queue();
  const heard = await events();
  const delayed = [];
  heard.on('delayed', ({ jobId }) => delayed.push(jobId));
  const done = [];
  worker(async ({ name, timestamp }) => done.push([name, Date.now() - timestamp]));
  const first = await jobs.add('300 ms', {}, { delay: 300 });
  await jobs.add('100 ms', {}, { delay: 100 });
  const far = await jobs.add('promoted', {}, { delay: 60_000 });
  const changed = await jobs.add('changed', {}, { delay: 60_000 });
  eq(await first.getState(), 'delayed');
  eq(await jobs.getDelayedCount(), 4);
  await far.promote();
  await changed.changeDelay(500);
  await until(() => done.length === 4);
  eq(done.map(([name]) => name), ['promoted', '100 ms', '300 ms', 'changed']);
  eq(done[1][1] >= 100 && done[2][1] >= 300, true);
  await until(() => delayed.length >= 4);
}

async function retries({ queue, worker, events }) {
  const jobs = queue();
  const heard = await events();
  const exhausted = [];
  heard.on('retries-exhausted', ({ jobId }) => exhausted.push(jobId));
  const processor = worker(async (job, token) => {
    if (job.name === 'hopeless') throw new UnrecoverableError('hopeless');
    if (job.name === 'later' && job.attemptsStarted === 1) {
      await job.moveToDelayed(Date.now() + 50, token);
      throw new DelayedError();
    }
    if (job.name === 'third' && job.attemptsMade < 2) throw new Error(`attempt ${job.attemptsMade}`);
    if (job.name === 'never') throw new Error('거절');
    return job.attemptsStarted;
  });
  eq(await (await jobs.add('third', {}, { attempts: 5, backoff: { type: 'exponential', delay: 10 } })).waitUntilFinished(heard), 3);
  eq(await (await jobs.add('later', {})).waitUntilFinished(heard), 2);
  const never = await jobs.add('never', {}, { attempts: 2, backoff: 5 });
  await refused(never.waitUntilFinished(heard), '거절');
  await until(() => exhausted.includes(never.id));
  const hopeless = await jobs.add('hopeless', {}, { attempts: 5 });
  await refused(hopeless.waitUntilFinished(heard), 'hopeless');
  const failed = await jobs.getFailed();
  eq(failed.map(({ name, attemptsMade, failedReason }) => [name, attemptsMade, failedReason]), [
    ['hopeless', 1, 'hopeless'],
    ['never', 2, '거절'],
  ]);
  eq(failed[1].stacktrace.length, 2);
  await processor.pause();
  await failed[1].retry();
  eq(await never.getState(), 'waiting');
  await jobs.retryJobs({ count: 1 });
  eq(await jobs.getFailedCount(), 0);
  eq(await jobs.getWaitingCount(), 2);
}

async function schedulers({ queue, worker }) {
  const jobs = queue();
  const done = [];
  worker(async ({ name }) => done.push(name));
  await jobs.upsertJobScheduler('often', { every: 60 }, { name: 'tick', data: { 몇: 1 }, opts: { removeOnComplete: 10 } });
  await jobs.upsertJobScheduler('twice', { every: 50, limit: 2 }, { name: 'two' });
  await jobs.upsertJobScheduler('yearly', { pattern: '0 0 1 1 *', tz: 'Asia/Seoul' }, { name: 'year' });
  await until(() => done.filter((name) => name === 'tick').length >= 4);
  eq(done.filter((name) => name === 'two').length, 2);
  const yearly = await jobs.getJobScheduler('yearly');
  eq([yearly.pattern, yearly.tz, yearly.next > Date.now()], ['0 0 1 1 *', 'Asia/Seoul', true]);
  eq((await jobs.getJobSchedulers(0, -1, true)).map(({ key }) => key).includes('often'), true);
  await jobs.upsertJobScheduler('often', { every: 3_600_000 }, { name: 'tick' });
  eq((await jobs.getJobScheduler('often')).every, 3_600_000);
  eq(await jobs.removeJobScheduler('often'), true);
  eq(await jobs.removeJobScheduler('yearly'), true);
  eq(await jobs.removeJobScheduler('nothing'), false);
  await until(async () => (await jobs.getDelayedCount()) === 0);
}

async function flows({ queue, worker, flows: producer, events }) {
  const jobs = queue('parents');
  queue('children');
  const heard = await events('parents');
  const order = [];
  worker(async ({ data }) => (order.push(data.i), data.i * 10), { concurrency: 3 }, 'children');
  worker(async (job) => {
    order.push(job.name);
    return Object.values(await job.getChildrenValues()).sort((a, b) => a - b);
  }, {}, 'parents');
  const child = (i, children) => ({ name: 'child', queueName: 'children', data: { i }, children });
  const flow = await producer().add({ name: 'report', queueName: 'parents', children: [child(1), child(2, [child(3), child(4)])] });
  eq(await flow.job.waitUntilFinished(heard), [10, 20]);
  eq(order.at(-1), 'report');
  eq(order.indexOf(2) > Math.max(order.indexOf(3), order.indexOf(4)), true);
  const { processed, unprocessed } = await flow.job.getDependenciesCount();
  eq([processed, unprocessed], [2, 0]);
  const tree = await producer().getFlow({ id: flow.job.id, queueName: 'parents', prefix });
  eq(tree.children.length, 2);
  eq(await jobs.getCompletedCount(), 1);
}

async function flowsThatFail({ queue, worker, flows: producer, events }) {
  const jobs = queue('parents');
  const heard = await events('parents');
  worker(async ({ name }) => {
    if (name === 'bad') throw new Error('나쁜 아이');
    return name;
  }, {}, 'children');
  worker(async (job) => Object.values(await job.getIgnoredChildrenFailures()), {}, 'parents');
  const add = (name, opts) =>
    producer().add({ name, queueName: 'parents', children: [{ name: 'good', queueName: 'children' }, { name: 'bad', queueName: 'children', opts }] });
  const failing = await add('fails', { failParentOnFailure: true });
  await refused(failing.job.waitUntilFinished(heard), 'child ');
  eq(await failing.job.getState(), 'failed');
  const ignoring = await add('ignores', { ignoreDependencyOnFailure: true });
  eq(await ignoring.job.waitUntilFinished(heard), ['나쁜 아이']);
  const waiting = await add('waits', {});
  await until(async () => (await waiting.job.getDependenciesCount()).failed === 1 || (await waiting.children[1].job.getState()) === 'failed');
  eq(await waiting.job.getState(), 'waiting-children');
  await waiting.job.remove();
  eq(await jobs.getWaitingChildrenCount(), 0);
}

async function rateLimiting({ queue, worker }) {
  const jobs = queue();
  const times = [];
  const limiter = { max: 3, duration: 300 };
  range(2).forEach(() => worker(async () => times.push(performance.now()), { limiter, concurrency: 10 }));
  await jobs.addBulk(range(9).map(() => ({ name: 'j', data: {} })));
  await until(async () => (await jobs.getRateLimitTtl(3)) > 0);
  await until(() => times.length === 9);
  eq(times[8] - times[0] >= 560, true);
  const manual = queue('manual');
  let asked = 0;
  const own = worker(async () => {
    asked += 1;
    if (asked === 1) {
      await own.rateLimit(200);
      throw new RateLimitError();
    }
    return asked;
  }, { limiter: { max: 1, duration: 1 } }, 'manual');
  const began = performance.now();
  const job = await manual.add('j', {});
  await until(() => job.isCompleted());
  eq(performance.now() - began >= 195, true);
}

async function stalledJobs({ queue, worker, events }) {
  const jobs = queue();
  const heard = await events();
  const stalled = [];
  heard.on('stalled', ({ jobId }) => stalled.push(jobId));
  const job = await jobs.add('j', { i: 1 });
  const dead = worker(null, { lockDuration: 100, autorun: false });
  eq((await dead.getNextJob('the token of the dead')).id, job.id);
  eq(await job.getState(), 'active');
  worker(async ({ data }) => data.i + 1, { stalledInterval: 100, lockDuration: 1_000 });
  eq(await job.waitUntilFinished(heard), 2);
  await until(() => stalled.includes(job.id));
  await refused((await Job.fromId(jobs, job.id)).moveToCompleted(0, 'the token of the dead'), 'Missing lock for job');
  const twice = await jobs.add('j', {}, { delay: 60_000 });
  eq(await twice.getState(), 'delayed');
}

async function locksOfLongJobs({ queue, worker }) {
  const jobs = queue();
  let runs = 0;
  range(2).forEach(() =>
    worker(async (job) => {
      runs += 1;
      await sleep(600);
      return job.id;
    }, { lockDuration: 200, stalledInterval: 60 }));
  const job = await jobs.add('long', {});
  await until(() => job.isCompleted());
  eq(runs, 1);
}

async function deduplication({ queue, worker }) {
  const jobs = queue();
  const first = await jobs.add('j', { i: 1 }, { deduplication: { id: '하나' } });
  eq((await jobs.add('j', { i: 2 }, { deduplication: { id: '하나' } })).id, first.id);
  eq(await jobs.getDeduplicationJobId('하나'), first.id);
  eq((await jobs.add('j', { i: 3 }, { jobId: 'own' })).id, 'own');
  eq((await jobs.add('j', { i: 4 }, { jobId: 'own' })).id, 'own');
  await jobs.add('j', { i: 5 }, { delay: 60_000, deduplication: { id: '둘', ttl: 60_000, extend: true, replace: true } });
  await jobs.add('j', { i: 6 }, { delay: 60_000, deduplication: { id: '둘', ttl: 60_000, extend: true, replace: true } });
  eq((await jobs.getDelayed()).map(({ data }) => data.i), [6]);
  const seen = [];
  worker(async ({ data }) => seen.push(data.i));
  await until(() => seen.length === 2);
  eq(seen, [1, 3]);
  await until(async () => (await jobs.getDeduplicationJobId('하나')) === null);
  const next = await jobs.add('j', { i: 7 }, { deduplication: { id: '하나' } });
  eq(next.id !== first.id, true);
}

async function management({ queue, worker, events }, r) {
  const jobs = queue('q', { defaultJobOptions: { removeOnComplete: { count: 3 }, removeOnFail: true } });
  const heard = await events();
  const names = [];
  for (const name of ['paused', 'resumed', 'drained', 'cleaned']) heard.on(name, () => names.push(name));
  await jobs.pause();
  eq(await jobs.isPaused(), true);
  const seen = [];
  const one = worker(async (job) => {
    await job.log(`처리: ${job.data.i}`);
    await job.updateData({ ...job.data, 처리: true });
    if (job.data.i === 8) throw new Error('removed');
    seen.push(job.data.i);
  });
  const added = await jobs.addBulk(range(9).map((i) => ({ name: 'j', data: { i } })));
  eq(await jobs.getJobCountByTypes('waiting', 'paused'), 9);
  eq(seen, []);
  await jobs.resume();
  await until(async () => seen.length === 8 && (await jobs.getActiveCount()) === 0 && (await jobs.getWaitingCount()) === 0);
  eq(await jobs.getCompletedCount(), 3);
  eq(await jobs.getFailedCount(), 0);
  eq(await jobs.getJob(added[0].id), undefined);
  const last = await jobs.getJob(added[7].id);
  eq(last.data, { i: 7, 처리: true });
  eq((await jobs.getJobLogs(last.id)).logs, ['처리: 7']);
  await until(() => names.includes('drained'));
  await one.close();
  await jobs.addBulk(range(1_500).map((i) => ({ name: 'j', data: { i }, opts: i % 2 ? { delay: 60_000 } : { priority: (i % 5) + 1 } })));
  eq((await jobs.clean(0, 100, 'completed')).length, 3);
  eq((await jobs.clean(0, 200, 'delayed')).length, 200);
  await jobs.promoteJobs({ count: 100 });
  await until(async () => (await jobs.getDelayedCount()) === 0);
  await jobs.drain();
  eq(await jobs.count(), 0);
  await jobs.add('j', {});
  await jobs.pause();
  await jobs.obliterate({ force: true });
  eq((await r.keys('*')).filter((key) => !/:(events|meta)$/.test(key)), []);
}

async function globalLimits({ queue, worker }) {
  const jobs = queue();
  await jobs.setGlobalConcurrency(2);
  eq(await jobs.getGlobalConcurrency(), 2);
  let inside = 0;
  let most = 0;
  let done = 0;
  range(3).forEach(() =>
    worker(async () => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(5);
      inside -= 1;
      done += 1;
    }, { concurrency: 5 }));
  await jobs.addBulk(range(40).map(() => ({ name: 'j', data: {} })));
  await until(() => done === 40);
  eq(most, 2);
}

async function relays({ relay }) {
  const [one, other] = [relay(), relay()];
  const heard = [];
  const subscription = await other.subscribe('queues.*.done', ({ topic, data }) => heard.push([topic, data]));
  const all = await one.subscribe('queues.>', ({ data }) => heard.push(['all', data]));
  await one.publish('queues.mail.done', '끝');
  await one.publish('queues.mail.begun.now', '시작');
  await until(() => heard.length === 3);
  eq(heard.filter(([topic]) => topic !== 'all'), [['queues.mail.done', '끝']]);
  eq(heard.filter(([topic]) => topic === 'all').map(([, data]) => data), ['끝', '시작']);
  await subscription.unsubscribe();
  await all.unsubscribe();
}

/// Runs a family over a client of ioredis, or over node-redis.
const over = (connected, families) =>
  families.map((family) => {
    const body = async (r, connect) => {
      const shop = workshop(await connected(connect));
      try {
        await family(shop, r);
      } finally {
        await Promise.race([shop.close(), sleep(5_000)]);
      }
    };
    Object.defineProperty(body, 'name', { value: family.name });
    return body;
  });

const nodeRedis = async () => createClient({ socket: { host, port } }).connect();
const everything = [
  workers,
  priorities,
  delays,
  retries,
  schedulers,
  flows,
  flowsThatFail,
  rateLimiting,
  stalledJobs,
  locksOfLongJobs,
  deduplication,
  management,
  globalLimits,
  relays,
];

/// By package; the second over another client.
export const families = {
  bullmq: over(() => ({ host, port }), everything),
  'bullmq (node-redis)': over(nodeRedis, [workers, priorities, delays, retries, flows, stalledJobs]),
};
