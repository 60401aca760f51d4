// Bitmaps, places, streams and groups of consumers, sorting, messages of shards, notifications, fields that expire, and
// the cache on the client's side, over node-redis; and the same for ioredis where its interface differs.

import { BasicClientSideCache } from 'redis';
import { eq, range, refused, until } from './harness.mjs';

async function bitmaps(c) {
  await c.set('k', 'foobar');
  eq(await c.bitCount('k'), 26);
  eq(await c.bitCount('k', { start: 5, end: 30, mode: 'BIT' }), 17);
  eq(await c.setBit('b', 100, 1), 0);
  eq(await c.getBit('b', 100), 1);
  eq(await c.bitPos('b', 1), 100);
  eq(await c.bitOp('NOT', 'inverted', 'b'), 13);
  eq(await c.bitCount('inverted'), 103);
  const steps = [
    { operation: 'INCRBY', encoding: 'i5', offset: 100, increment: 1 },
    { operation: 'GET', encoding: 'u4', offset: 0 },
  ];
  eq(await c.bitField('f', steps), [1, 0]);
}

async function places(c) {
  const sicily = [
    { longitude: 13.361389, latitude: 38.115556, member: 'Palermo' },
    { longitude: 15.087269, latitude: 37.502669, member: 'Catania' },
  ];
  eq(await c.geoAdd('Sicily', sicily), 2);
  eq(await c.geoDist('Sicily', 'Palermo', 'Catania'), 166274.1516);
  eq(await c.geoHash('Sicily', ['Palermo', 'Catania']), ['sqc8b49rny0', 'sqdtr74hyu0']);
  const from = { longitude: 15, latitude: 37 };
  eq(await c.geoSearch('Sicily', from, { radius: 200, unit: 'km' }, { SORT: 'ASC' }), ['Catania', 'Palermo']);
  const found = await c.geoSearchWith('Sicily', from, { width: 400, height: 400, unit: 'km' }, ['WITHDIST'], { SORT: 'DESC' });
  eq(found.map(({ member, distance }) => [member, Number(distance)]), [['Palermo', 190.4424], ['Catania', 56.4413]]);
  const [palermo] = await c.geoPos('Sicily', 'Palermo');
  eq(Number(palermo.longitude).toFixed(6), '13.361389');
}

async function streams(c, connect) {
  eq(await c.xAdd('s', '1-1', { n: '1', 이름: '하나' }), '1-1');
  eq(await c.xAdd('s', '1-*', { n: '2' }), '1-2');
  await refused(c.xAdd('s', '1-2', { n: '3' }), 'ERR The ID specified in XADD is equal or smaller');
  eq(await c.xRange('s', '-', '+'), [
    { id: '1-1', message: { n: '1', 이름: '하나' } },
    { id: '1-2', message: { n: '2' } },
  ]);
  eq((await c.xRevRange('s', '+', '-', { COUNT: 1 })).map(({ id }) => id), ['1-2']);
  eq(await c.xRead({ key: 's', id: '$' }, { BLOCK: 20 }), null);
  eq(await c.xGroupCreate('s', 'g', '0'), 'OK');
  await refused(c.xGroupCreate('s', 'g', '0'), 'BUSYGROUP Consumer Group name already exists');
  const waiter = await connect();
  eq((await waiter.xReadGroup('g', 'alice', { key: 's', id: '>' }))[0].messages.map(({ id }) => id), ['1-1', '1-2']);
  const coming = waiter.xReadGroup('g', 'alice', { key: 's', id: '>' }, { BLOCK: 10_000 });
  await until(async () => /blocked_clients:1/.test(await c.info('clients')));
  await c.xAdd('s', '2-0', { n: '3' });
  eq((await coming)[0].messages, [{ id: '2-0', message: { n: '3' } }]);
  eq(await c.xAck('s', 'g', ['1-1', '9-9']), 1);
  eq((await c.xPending('s', 'g')).pending, 2);
  eq((await c.xClaim('s', 'g', 'bob', 0, '1-2')).map(({ id }) => id), ['1-2']);
  eq((await c.xAutoClaim('s', 'g', 'bob', 0, '-')).messages.map(({ id }) => id), ['1-2', '2-0']);
  const [group] = await c.xInfoGroups('s');
  eq([group.name, group.consumers, group.pending], ['g', 2, 2]);
  eq((await c.xInfoStream('s')).length, 3);
  await Promise.all(range(10_000).map((i) => c.xAdd('long', `${i + 1}-0`, { i: `${i}` })));
  eq(await c.xTrim('long', 'MAXLEN', 10), 9_990);
  eq(await c.xLen('long'), 10);
  waiter.destroy();
}

async function sorting(c) {
  await c.rPush('l', ['3', '10', '1', '2']);
  eq(await c.sort('l'), ['1', '2', '3', '10']);
  eq(await c.sort('l', { ALPHA: true, DIRECTION: 'DESC', LIMIT: { offset: 0, count: 2 } }), ['3', '2']);
  eq(await c.sortStore('l', 'sorted'), 4);
}

async function messagesOfShards(c, connect) {
  const sub = await connect();
  const heard = [];
  await sub.sSubscribe('orders', (message, channel) => heard.push([channel, message]));
  eq(await c.sPublish('orders', 'one'), 1);
  await until(() => heard.length === 1);
  eq(heard, [['orders', 'one']]);
  eq(await c.pubSubShardChannels(), ['orders']);
  sub.destroy();
}

async function notifications(c, connect) {
  await c.configSet('notify-keyspace-events', 'KEA');
  const sub = await connect();
  const heard = [];
  await sub.pSubscribe('__keyevent@0__:*', (key, channel) => heard.push([channel.split(':')[1], key]));
  await c.set('k', 'v', { expiration: { type: 'PX', value: 20 } });
  await until(() => heard.length === 3);
  eq(heard, [['set', 'k'], ['expire', 'k'], ['expired', 'k']]);
  await c.configSet('notify-keyspace-events', '');
  sub.destroy();
}

async function blockedOnSortedSets(c, connect) {
  const waiter = await connect();
  const coming = waiter.bzPopMin(['none', 'z'], 10);
  await until(async () => /blocked_clients:1/.test(await c.info('clients')));
  eq(await c.zAdd('z', [{ score: 1, value: 'low' }, { score: 2, value: 'high' }]), 2);
  eq(await coming, { key: 'z', value: 'low', score: 1 });
  eq(await waiter.bzPopMax('z', 1), { key: 'z', value: 'high', score: 2 });
  eq(await waiter.blmPop(0.05, 'none', 'LEFT'), null);
  waiter.destroy();
}

async function fieldsThatExpire(c) {
  await c.hSet('h', { a: '1', b: '2' });
  eq(await c.hExpire('h', ['a', 'none'], 100), [1, -2]);
  eq(await c.hTTL('h', ['a', 'b', 'none']), [100, -1, -2]);
  eq(await c.hPersist('h', ['a', 'b']), [1, -1]);
  eq(await c.hpExpire('h', 'b', 20), [1]);
  await until(async () => (await c.hExists('h', 'b')) === 0);
  eq(await c.hGetAll('h'), { a: '1' });
  eq(await c.hGetDel('h', 'a'), ['1']);
  eq(await c.exists('h'), 0);
}

async function clientSideCache(c, connect) {
  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 100, evictPolicy: 'LRU' });
  const mine = await connect({ clientSideCache: cache });
  await c.set('k', 'one');
  for (const _ of range(50)) eq(await mine.get('k'), 'one');
  eq(cache.stats().missCount, 1);
  await c.set('k', 'two');
  await until(async () => (await mine.get('k')) === 'two');
  await c.hSet('h', 'f', 'v');
  eq(await mine.hGetAll('h'), { f: 'v' });
  await c.hSet('h', 'f', 'w');
  await until(async () => (await mine.hGet('h', 'f')) === 'w');
  await c.flushAll();
  await until(async () => (await mine.get('k')) === null);
  // Cut off, it forgets what it kept.
  await c.set('k', 'three');
  eq(await until(async () => (await mine.get('k')) === 'three'), true);
  await c.clientKill({ filter: 'ID', id: await mine.clientId() });
  await c.set('k', 'four');
  await until(() => mine.get('k').then((value) => value === 'four', () => false));
  mine.destroy();
}

async function monitoring(c, connect) {
  const watcher = await connect();
  const seen = [];
  await watcher.monitor((line) => seen.push(String(line)));
  await c.set('낱말', '값');
  await until(() => seen.some((line) => /"SET"/i.test(line)));
  watcher.destroy();
}

/// For node-redis; the second list asks for RESP3, the third for commands that Redis has since 8.0.
export const families = [
  bitmaps,
  places,
  streams,
  sorting,
  messagesOfShards,
  notifications,
  blockedOnSortedSets,
  monitoring,
];
export const familiesOfResp3 = [clientSideCache];
export const familiesSince8 = [fieldsThatExpire];

async function ioredisStreams(r, connect) {
  eq(await r.xadd('s', '1-1', 'n', 1), '1-1');
  eq(await r.xgroup('CREATE', 's', 'g', '0'), 'OK');
  const read = (reply) => (Array.isArray(reply) ? reply : Object.entries(reply));
  const [[key, entries]] = read(await r.xreadgroup('GROUP', 'g', 'c', 'STREAMS', 's', '>'));
  eq([key, entries.map(([id]) => id)], ['s', ['1-1']]);
  const waiter = connect();
  const coming = waiter.xread('BLOCK', 10_000, 'STREAMS', 's', '$');
  await until(async () => /blocked_clients:1/.test(await r.info('clients')));
  await r.xadd('s', '2-0', 'n', 2);
  eq(read(await coming)[0][1].map(([id]) => id), ['2-0']);
  eq(await r.xack('s', 'g', '1-1'), 1);
  waiter.disconnect();
}

async function ioredisBitmapsAndPlaces(r) {
  await r.set('k', 'foobar');
  eq(await r.bitcount('k'), 26);
  eq(await r.bitfield('f', 'INCRBY', 'i5', 100, 1, 'GET', 'u4', 0), [1, 0]);
  eq(await r.geoadd('Sicily', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania'), 2);
  eq(await r.geodist('Sicily', 'Palermo', 'Catania'), '166274.1516');
  eq(await r.geosearch('Sicily', 'FROMLONLAT', 15, 37, 'BYRADIUS', 100, 'km'), ['Catania']);
  eq(await r.sort('none'), []);
}

async function ioredisMonitoring(r, connect) {
  const monitor = await connect().monitor();
  const seen = [];
  monitor.on('monitor', (_, command) => seen.push(command));
  await r.set('낱말', 'x');
  await until(() => seen.some(([name]) => name.toLowerCase() === 'set'));
  monitor.disconnect();
}

/// For ioredis.
export const familiesOfIoredis = { streams: ioredisStreams, 'bitmaps and places': ioredisBitmapsAndPlaces, monitoring: ioredisMonitoring };
