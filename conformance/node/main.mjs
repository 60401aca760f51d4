// Runs every family over every client of Node.

import { Redis } from 'ioredis';
import { createClient } from 'redis';
import * as connectRedis from './connect_redis.mjs';
import { finish, host, named, port, run, version } from './harness.mjs';
import * as ioredis from './ioredis.mjs';
import * as newer from './newer.mjs';
import * as nodeRedis from './node_redis.mjs';
import * as seed000 from './seed_000.mjs';
import * as seed001 from './seed_001.mjs';
import * as seed003 from './seed_003.mjs';

const nodeRedisName = `node-redis ${version('redis')}`;
// What a failed case leaves unanswered is refused when its client is destroyed.
process.on('unhandledRejection', () => {});
const admin = await createClient({ socket: { host, port } }).connect();

async function test(client, family, body) {
  await admin.flushAll();
  await run(client, family, body);
}

/// A function that connects node-redis; its clients come back after 10 ms when they are cut off.
function nodeRedisOver(RESP) {
  return async (options = {}) => {
    const socket = { host, port, reconnectStrategy: 10 };
    const client = createClient({ socket, RESP, commandOptions: { timeout: 60_000 }, ...options });
    client.on('error', () => {});
    return client.connect();
  };
}

async function testNodeRedis(label, families, prefix = '', RESP = 3) {
  const connect = nodeRedisOver(RESP);
  for (const family of families) {
    await test(label, prefix + named(family), async () => {
      const client = await connect();
      try {
        await family(client, connect);
      } finally {
        client.destroy();
      }
    });
  }
}

async function testIoredis(label, families, options) {
  const connect = (further = {}) => new Redis({ host, port, ...options, ...further });
  for (const [name, family] of families) {
    await test(label, name, async () => {
      const client = connect();
      try {
        await family(client, connect);
      } finally {
        client.disconnect();
      }
    });
  }
}

/// Whether the server knows a command. Pipkin has to: only another server may lack the newest ones.
async function has(command) {
  return !process.env.CONFORMANCE_TARGET || (await admin.commandList({ FILTERBY: { type: 'PATTERN', value: command } })).length > 0;
}

const newest = (await has('hgetdel')) ? newer.familiesSince8 : [];
for (const RESP of [2, 3]) {
  const families = [...nodeRedis.families, ...newer.families, ...newest, ...(RESP === 3 ? newer.familiesOfResp3 : [])];
  await testNodeRedis(`${nodeRedisName} RESP${RESP}`, families, '', RESP);
}
await test(`${nodeRedisName} pool`, 'pool', nodeRedis.pool);
for (const protocol of [2, 3]) {
  const families = [...ioredis.families.map((family) => [named(family), family]), ...Object.entries(newer.familiesOfIoredis)];
  await testIoredis(`ioredis ${version('ioredis')} RESP${protocol}`, families, { protocol });
}
await testNodeRedis(`connect-redis ${version('connect-redis')}`, connectRedis.families);
await testNodeRedis(nodeRedisName, seed000.families, 'seed 000 ');
await testNodeRedis(nodeRedisName, seed001.families, 'seed 001 ');
await testNodeRedis(nodeRedisName, seed003.families, 'seed 003 ');
finish();
