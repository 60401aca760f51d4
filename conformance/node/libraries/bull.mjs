// Bull: as BullMQ, with its own and older scripts.

import { createRequire } from 'node:module';
import { eq, host, port, range, refused, sleep, until } from '../harness.mjs';

const Bull = createRequire(import.meta.url)('bull');

/// Runs a family with a function that makes queues, and closes them when it is over.
const withQueues = (family) => {
  const body = async (r) => {
    const made = [];
    const queue = (options = {}) => {
      const one = new Bull('q', { redis: { host, port }, ...options });
      one.on('error', () => {});
      made.push(one);
      return one;
    };
    try {
      await family(queue, r);
    } finally {
      await Promise.race([Promise.all(made.map((one) => one.close(true))), sleep(5_000)]);
    }
  };
  Object.defineProperty(body, 'name', { value: family.name });
  return body;
};

async function workers(queue) {
  const jobs = queue();
  const seen = [];
  const completed = new Set();
  jobs.on('global:completed', (id) => completed.add(id));
  await jobs.isReady();
  for (const worker of range(3).map(() => queue())) {
    worker.process(4, async (job) => {
      seen.push(job.data.i);
      await job.progress(50);
      return { 두배: job.data.i * 2 };
    });
  }
  const added = await jobs.addBulk(range(100).map((i) => ({ data: { i, 이름: '김하나' } })));
  eq(await added[7].finished(), { 두배: 14 });
  await until(() => completed.size === 100);
  eq(seen.sort((a, b) => a - b), range(100));
  const counts = await jobs.getJobCounts();
  eq([counts.completed, counts.waiting, counts.active, counts.failed], [100, 0, 0, 0]);
  const again = await jobs.getJob(added[9].id);
  eq([again.returnvalue, again.progress(), await again.getState()], [{ 두배: 18 }, 50, 'completed']);
}

async function prioritiesAndDelays(queue) {
  const jobs = queue();
  await jobs.pause();
  for (const [i, priority] of [5, 1, 3, undefined, 3].entries()) await jobs.add({ i }, { priority });
  await jobs.add({ i: 5 }, { lifo: true });
  const timed = await jobs.add({ i: 6, delayed: true }, { delay: 300 });
  await jobs.add({ i: 7, delayed: true }, { delay: 150 });
  const far = await jobs.add({ i: 8, delayed: true }, { delay: 60_000 });
  eq(await timed.getState(), 'delayed');
  eq(await jobs.getDelayedCount(), 3);
  const order = [];
  jobs.process(async ({ data, timestamp }) => {
    if (data.i === 6) eq(Date.now() - timestamp >= 300, true);
    order.push(data.i);
  });
  await jobs.resume();
  await until(() => order.length === 8);
  eq(order, [5, 1, 2, 4, 0, 3, 7, 6]);
  await far.promote();
  await until(() => order.at(-1) === 8);
}

async function retries(queue) {
  const jobs = queue();
  const failures = [];
  jobs.on('failed', (job, error) => failures.push([job.name, job.attemptsMade, error.message]));
  jobs.process('*', async (job) => {
    if (job.name === 'never' || job.attemptsMade < 2) throw new Error('거절');
    return job.attemptsMade;
  });
  const third = await jobs.add('third', {}, { attempts: 5, backoff: { type: 'exponential', delay: 10 } });
  eq(await third.finished(), 2);
  const never = await jobs.add('never', {}, { attempts: 2, backoff: 5 });
  await refused(never.finished(), '거절');
  eq(failures.filter(([name]) => name === 'never').map(([, attempts]) => attempts), [1, 2]);
  const [failed] = await jobs.getFailed();
  eq([failed.id, failed.failedReason, failed.stacktrace.length], [never.id, '거절', 2]);
  await jobs.pause(true);
  await failed.retry();
  eq(await never.getState(), 'waiting');
}

async function repeatedJobs(queue) {
  const jobs = queue();
  const done = [];
  jobs.process('*', async ({ name }) => done.push(name));
  await jobs.add('tick', {}, { repeat: { every: 60 } });
  await jobs.add('twice', {}, { repeat: { every: 40, limit: 2 } });
  await jobs.add('yearly', {}, { repeat: { cron: '0 0 1 1 *', tz: 'Asia/Seoul' } });
  await until(() => done.filter((name) => name === 'tick').length >= 4);
  eq(done.filter((name) => name === 'twice').length, 2);
  const listed = await jobs.getRepeatableJobs();
  eq(listed.map(({ name }) => name).includes('yearly'), true);
  await jobs.removeRepeatable('tick', { every: 60 });
  for (const { key } of await jobs.getRepeatableJobs()) await jobs.removeRepeatableByKey(key);
  await until(async () => (await jobs.getDelayedCount()) === 0);
}

async function rateLimiter(queue) {
  const limited = { limiter: { max: 3, duration: 300 } };
  const times = [];
  for (const worker of range(2).map(() => queue(limited))) worker.process(5, async () => times.push(performance.now()));
  const jobs = queue(limited);
  await jobs.addBulk(range(9).map(() => ({ data: {} })));
  await until(() => times.length === 9);
  eq(times[8] - times[0] >= 550, true);
  const grouped = [];
  const own = new Bull('grouped', { redis: { host, port }, limiter: { max: 1, duration: 200, groupKey: 'user' } });
  own.process(5, async ({ data }) => grouped.push(data.user));
  await own.addBulk(['a', 'a', 'b', 'c'].map((user) => ({ data: { user } })));
  await until(() => grouped.length === 4);
  eq(grouped.slice(0, 3).sort(), ['a', 'b', 'c']);
  await own.close(true);
}

async function stalledJobs(queue) {
  const settings = { settings: { lockDuration: 100, stalledInterval: 100, lockRenewTime: 10_000, guardInterval: 100 } };
  const dead = queue(settings);
  await dead.isReady();
  const jobs = queue(settings);
  const job = await jobs.add({ i: 1 });
  eq((await dead.getNextJob()).id, job.id);
  eq(await job.getState(), 'active');
  const stalled = [];
  jobs.on('global:stalled', (id) => stalled.push(id));
  jobs.process(async ({ data }) => data.i + 1);
  eq(await job.finished(), 2);
  await until(() => stalled.includes(job.id));
}

async function management(queue, r) {
  const jobs = queue({ defaultJobOptions: { removeOnComplete: 3 } });
  const seen = [];
  const worker = queue();
  await jobs.pause();
  eq(await jobs.isPaused(), true);
  const added = await jobs.addBulk(range(8).map((i) => ({ data: { i } })));
  eq(await jobs.getPausedCount(), 8);
  worker.process(async (job) => {
    await job.log(`처리: ${job.data.i}`);
    await job.update({ ...job.data, 처리: true });
    seen.push(job.data.i);
  });
  await jobs.resume();
  await until(async () => seen.length === 8 && (await jobs.getActiveCount()) === 0);
  eq(seen, range(8));
  eq(await jobs.getCompletedCount(), 3);
  eq(await jobs.getJob(added[0].id), null);
  const last = await jobs.getJob(added[7].id);
  eq(last.data, { i: 7, 처리: true });
  eq((await jobs.getJobLogs(last.id)).logs, ['처리: 7']);
  await worker.close(true);
  await jobs.addBulk(range(500).map((i) => ({ data: { i }, opts: i % 2 ? { delay: 60_000 } : { priority: (i % 5) + 1, jobId: `own ${i}` } })));
  eq((await jobs.add({}, { jobId: 'own 0' })).id, 'own 0');
  eq(await jobs.count(), 500);
  eq((await jobs.clean(0, 'completed')).length, 3);
  await jobs.removeJobs('own 1*');
  eq(await jobs.getWaitingCount(), 195);
  await sleep(2);
  eq((await jobs.clean(0, 'wait', 40)).length, 40);
  eq((await jobs.clean(0, 'delayed')).length, 250);
  eq(await jobs.count(), 155);
  await jobs.empty();
  eq(await jobs.count(), 0);
  await jobs.add({});
  await jobs.obliterate({ force: true });
  eq((await r.keys('*')).filter((key) => !/:(id|limiter)$/.test(key)), []);
}

/// By package.
export const families = {
  bull: [workers, prioritiesAndDelays, retries, repeatedJobs, rateLimiter, stalledJobs, management].map(withQueues),
};
