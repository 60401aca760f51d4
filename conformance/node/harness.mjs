// Cases by client and family: each runs on an empty server and prints one line, `ok` or `FAILED`, with both names.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

export const host = process.env.CONFORMANCE_HOST;
export const port = Number(process.env.CONFORMANCE_PORT);
// The longest that anything here waits for another client.
const patience_ms = 20_000;

let failed = 0;

/// What came has to be what Redis gives (an object without prototype is like any other).
export function eq(got, want) {
  assert.deepEqual(plain(got), plain(want));
}

function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value) || value instanceof Set) return value;
  if (value instanceof Map) return new Map([...value].map(([name, held]) => [name, plain(held)]));
  if (value instanceof Error) return value;
  return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, plain(held)]));
}

/// The promise has to be refused with an error that begins with this text.
export async function refused(promise, text) {
  const got = await promise.then((value) => `no error but ${inspect(value)}`, (error) => error.message);
  assert.ok(got.startsWith(text), `got ${got}\nwant ${text}`);
}

/// Waits for what another client is about to do; resolves to the first true value.
export async function until(condition) {
  for (const end = Date.now() + patience_ms; Date.now() < end; ) {
    const value = await condition();
    if (value) return value;
    await sleep(5);
  }
  throw new Error(`waited in vain for ${condition}`);
}

/// Runs one family over one client and tells how it went.
export async function run(client, family, body) {
  const began = performance.now();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('not done after a minute')), 60_000);
  });
  try {
    await Promise.race([body(), late]);
    console.log(`ok      ${client}: ${family} (${((performance.now() - began) / 1000).toFixed(2)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${client}: ${family}\n${inspect(error).replace(/^/gm, '        ')}`);
  } finally {
    clearTimeout(timer);
  }
}

/// A function's name as a family's: `sortedSets` is "sorted sets".
export function named(body) {
  return body.name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/// Ends the program: with an error if any case failed.
export function finish() {
  process.exit(failed ? 1 : 0);
}

/// The version of an installed package.
export function version(name) {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
}

/// 0, 1, … below a number.
export const range = (count) => Array.from({ length: count }, (_, i) => i);

export { sleep };
