// Bee-Queue: jobs over lists and sets, delayed ones by script, stalled ones found by script; over the old node_redis.

import { createRequire } from 'node:module';
import { eq, host, port, range, refused, sleep, until } from '../harness.mjs';

const BeeQueue = createRequire(import.meta.url)('bee-queue');

/// Runs a family with a function that makes queues, and closes them when it is over.
const withQueues = (family) => {
  const body = async (r) => {
    const made = [];
    const queue = (options = {}) => {
      const one = new BeeQueue('q', { redis: { host, port }, activateDelayedJobs: true, delayedDebounce: 20, ...options });
      one.on('error', () => {});
      made.push(one);
      return one.ready();
    };
    try {
      await family(queue, r);
    } finally {
      await Promise.race([Promise.all(made.map((one) => one.close(200).catch(() => {}))), sleep(5_000)]);
    }
  };
  Object.defineProperty(body, 'name', { value: family.name });
  return body;
};

async function workers(queue) {
  const jobs = await queue({ isWorker: false });
  const seen = [];
  const results = new Map();
  jobs.on('job succeeded', (id, result) => results.set(id, result));
  const progress = [];
  jobs.on('job progress', (id, { page }) => progress.push(page));
  for (const _ of range(3)) {
    (await queue()).process(4, async (job) => {
      seen.push(job.data.i);
      if (job.data.i === 7) job.reportProgress({ page: 3 });
      return { 두배: job.data.i * 2 };
    });
  }
  const added = range(100).map((i) => jobs.createJob({ i, 이름: '김하나' }));
  eq((await jobs.saveAll(added)).size, 0);
  await until(() => results.size === 100);
  eq(results.get(added[7].id), { 두배: 14 });
  eq(seen.sort((a, b) => a - b), range(100));
  await until(() => progress.includes(3));
  const { succeeded, waiting, active, newestJob } = await jobs.checkHealth();
  eq([succeeded, waiting, active, newestJob], [100, 0, 0, 100]);
  eq((await jobs.getJobs('succeeded', { size: 1_000 })).length, 100);
  eq((await jobs.getJob(added[9].id)).status, 'succeeded');
}

async function delayedJobs(queue) {
  const jobs = await queue();
  const done = [];
  jobs.process(async (job) => done.push([job.data.name, Date.now() - job.data.at]));
  const later = (name, delay_ms) => jobs.createJob({ name, at: Date.now() }).delayUntil(Date.now() + delay_ms).save();
  await later('300 ms', 300);
  await later('100 ms', 100);
  const never = await later('never', 60_000);
  eq((await jobs.checkHealth()).delayed, 3);
  await until(() => done.length === 2);
  eq(done.map(([name]) => name), ['100 ms', '300 ms']);
  eq(done[0][1] >= 100 && done[1][1] >= 300, true);
  await jobs.removeJob(never.id);
  eq((await jobs.checkHealth()).delayed, 0);
}

async function retries(queue) {
  const jobs = await queue();
  const told = [];
  for (const event of ['retrying', 'failed', 'succeeded']) jobs.on(`job ${event}`, (id) => told.push([event, id]));
  let attempts = 0;
  jobs.process(async (job) => {
    if (job.data === 'never') throw new Error('거절');
    if (job.data === 'slow') await sleep(2_000);
    attempts += 1;
    if (attempts < 3) throw new Error(`attempt ${attempts}`);
    return attempts;
  });
  const third = await jobs.createJob('third').retries(5).backoff('exponential', 10).save();
  await until(() => told.some(([event, id]) => event === 'succeeded' && id === third.id));
  eq(told.filter(([event]) => event === 'retrying').length, 2);
  const never = await jobs.createJob('never').retries(1).save();
  await until(() => told.some(([event, id]) => event === 'failed' && id === never.id));
  const slow = await jobs.createJob('slow').timeout(30).save();
  await until(() => told.some(([event, id]) => event === 'failed' && id === slow.id));
  eq((await jobs.checkHealth()).failed, 2);
  const own = await jobs.createJob('again').setId('own').save();
  eq(own.id, 'own');
  eq((await jobs.createJob('again').setId('own').save()).id, null);
}

async function stalledJobs(queue) {
  const dead = await queue({ stallInterval: 100 });
  const jobs = await queue({ stallInterval: 100 });
  let taken;
  dead.process(async (job) => {
    taken = job.id;
    await sleep(3_000);
  });
  const job = await jobs.createJob({ i: 1 }).save();
  await until(() => taken === job.id);
  // The dead do not tell that they are still at it.
  dead._preventStall = async () => {};
  const stalled = [];
  jobs.on('stalled', (id) => stalled.push(id));
  const results = new Map();
  jobs.on('job succeeded', (id, result) => results.set(id, result));
  jobs.process(async ({ data }) => data.i + 1);
  await jobs.checkStalledJobs(100);
  await until(() => results.has(job.id));
  eq(results.get(job.id), 2);
  eq(stalled, [job.id]);
}

async function removal(queue, r) {
  const jobs = await queue({ isWorker: false });
  const added = range(20).map((i) => jobs.createJob({ i }));
  await jobs.saveAll(added);
  for (const { id } of added.slice(0, 10)) await jobs.removeJob(id);
  eq((await jobs.checkHealth()).waiting, 10);
  eq(await jobs.getJob(added[0].id), null);
  await jobs.destroy();
  eq(await r.dbsize(), 0);
  await refused(jobs.close().then(() => jobs.createJob({}).save()), '');
}

/// By package.
export const families = { 'bee-queue': [workers, delayedJobs, retries, stalledJobs, removal].map(withQueues) };
