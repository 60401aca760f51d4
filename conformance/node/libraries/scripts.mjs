// Every script of the installed packages, as its library would send it, compiles, and has the SHA-1 that the library
// computes for it.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { RedisStore } from 'rate-limit-redis';
import { eq } from '../harness.mjs';

const require = createRequire(import.meta.url);
const folder = new URL('../node_modules/', import.meta.url);

/// The paths of all files below a folder of a package, with this ending.
function files(path, ending) {
  const names = readdirSync(new URL(path, folder), { recursive: true });
  return names.filter((name) => name.endsWith(ending)).map((name) => `${path}/${name}`);
}

const read = (path) => readFileSync(new URL(path, folder), 'utf8');

/// The template literals of a module that are scripts.
function literals(path) {
  const found = [...read(path).matchAll(/`(?:[^`\\]|\\[^])*`/g)].map(([literal]) => literal);
  return found.filter((text) => /redis\.p?call/.test(text) && !text.includes('${')).map((text) => Function(`return ${text}`)());
}

/// What the store of rate-limit-redis loads when it starts.
async function sentByRateLimitRedis() {
  const sent = [];
  const store = new RedisStore({ sendCommand: async (...command) => sent.push(command.at(-1)) && '0'.repeat(40) });
  await store.loadIncrementScript();
  await store.loadGetScript();
  return sent;
}

/// The scripts of each package, and how many there are in the pinned version: none is overlooked.
const packages = {
  'bee-queue': [5, () => files('bee-queue/lib/lua', '.lua').map(read)],
  bottleneck: [15, () => require('bottleneck/lib/Scripts').names.map((name) => require('bottleneck/lib/Scripts').payload(name))],
  bull: [26, () => files('bull/lib/scripts', '.js').flatMap(literals)],
  bullmq: [64, () => files('bullmq/dist/esm/scripts', '.js').flatMap(literals)],
  'rate-limit-redis': [2, sentByRateLimitRedis],
  'rate-limiter-flexible': [1, () => files('rate-limiter-flexible/lib', 'Redis.js').flatMap(literals)],
  'redis-semaphore': [7, () => files('redis-semaphore/lib', '.js').flatMap(literals)],
  'redlock-4': [3, () => literals('redlock-4/redlock.js')],
  'redlock-5': [3, () => literals('redlock-5/dist/cjs/index.js')],
};

async function compiles(client, [count, texts]) {
  const scripts = await texts();
  for (const text of scripts) eq(await client.script('LOAD', text), createHash('sha1').update(text).digest('hex'));
  eq(scripts.length, count);
}

/// One family for each package.
export const families = Object.entries(packages).map(([name, scripts]) => [name, (client) => compiles(client, scripts)]);
