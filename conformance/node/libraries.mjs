// Runs what libraries promise whose work is done by scripts: locks, limiters, queues.

import { Redis } from 'ioredis';
import { finish, host, named, port, run, version } from './harness.mjs';
import * as locks from './libraries/locks.mjs';
import * as bee from './libraries/bee_queue.mjs';
import * as bull from './libraries/bull.mjs';
import * as bullmq from './libraries/bullmq.mjs';
import * as limits from './libraries/limits.mjs';
import * as scripts from './libraries/scripts.mjs';
import * as seed001 from './libraries/seed_001.mjs';

process.on('unhandledRejection', () => {});
const admin = new Redis({ host, port });

/// Gives a family a connected client and `connect(options)` for further ones; all of them end with it.
async function test(label, name, family) {
  await admin.flushall();
  await admin.script('FLUSH');
  const clients = [];
  const connect = (options = {}) => {
    const client = new Redis({ host, port, ...options });
    client.on('error', () => {});
    clients.push(client);
    return client;
  };
  connect.Redis = Redis;
  await run(label, name, () => family(connect(), connect));
  clients.forEach((client) => client.disconnect());
}

/// `redlock-5` is installed under this name; its version is its own. `bottleneck (…)` is bottleneck over something.
function label(name) {
  const [, library, , over = ''] = /^(.*?)(-[45])?( \(.*\))?$/.exec(name);
  return `${library.replace(/^redis$/, 'node-redis')} ${version(name.replace(over, ''))}${over}`;
}

const only = process.argv[2];
for (const [name, family] of scripts.families) {
  if (!only || name.startsWith(only)) await test(label(name), 'scripts', family);
}
for (const [name, listed] of [locks, limits, bull, bullmq, bee, seed001].flatMap(({ families }) => Object.entries(families))) {
  if (!only || name.startsWith(only)) for (const family of listed) await test(label(name), named(family), family);
}
finish();
