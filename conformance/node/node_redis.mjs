// The families over node-redis. Each gets a connected client and `connect(options)` for further ones.

import { RESP_TYPES, WatchError, createClientPool } from 'redis';
import { eq, host, port, range, refused, sleep, until } from './harness.mjs';

const wrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value';
/// Replies as Buffers.
const raw = (client) => client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });

async function strings(c) {
  eq(await c.set('k', 'v'), 'OK');
  eq(await c.get('k'), 'v');
  eq(await c.get('none'), null);
  eq(await c.set('k', 'w', { condition: 'NX' }), null);
  eq(await c.set('k', 'w', { condition: 'XX', GET: true }), 'v');
  eq(await c.set('k', 'x', { expiration: { type: 'EX', value: 100 } }), 'OK');
  eq(await c.set('k', 'y', { expiration: 'KEEPTTL' }), 'OK');
  eq(await c.ttl('k'), 100);
  eq(await c.append('k', 'z'), 2);
  eq(await c.getRange('k', -1, -1), 'z');
  eq(await c.setRange('k', 3, '!'), 4);
  eq(await c.strLen('k'), 4);
  eq(await c.mSet({ a: '1', b: '2' }), 'OK');
  eq(await c.mGet(['a', 'none', 'b']), ['1', null, '2']);
  eq(await c.mSetNX({ a: '9', c: '9' }), 0);
  eq(await c.incr('n'), 1);
  eq(await c.incrBy('n', 41), 42);
  eq(await c.decrBy('n', 2), 40);
  eq(await c.incrByFloat('n', 0.5), '40.5');
  await refused(c.incr('n'), 'ERR value is not an integer or out of range');
  eq(await c.getDel('a'), '1');
  eq(await c.getEx('b', { type: 'PX', value: 50_000 }), '2');
  eq(await c.ttl('b'), 50);
  await c.mSet({ x: 'ohmytext', y: 'mynewtext' });
  eq(await c.lcs('x', 'y'), 'mytext');
  eq(await c.lcsLen('x', 'y'), 6);
  await c.rPush('l', '1');
  await refused(c.get('l'), wrongType);
}

async function keysAndExpiry(c, connect) {
  await c.mSet({ one: '1', two: '2', three: '3' });
  eq((await c.keys('t*')).sort(), ['three', 'two']);
  eq(await c.exists(['one', 'two', 'none']), 2);
  eq(await c.type('one'), 'string');
  eq(await c.rename('one', 'uno'), 'OK');
  await refused(c.rename('one', 'uno'), 'ERR no such key');
  eq(await c.renameNX('uno', 'two'), 0);
  eq(await c.copy('two', 'dos'), 1);
  eq(await c.touch(['two', 'none']), 1);
  eq(await c.unlink(['dos', 'none']), 1);
  eq(await c.expire('two', 100), 1);
  eq(await c.expire('two', 200, 'NX'), 0);
  eq(await c.expire('two', 200, 'GT'), 1);
  eq(await c.ttl('two'), 200);
  eq(await c.persist('two'), 1);
  eq(await c.ttl('two'), -1);
  eq(await c.pTTL('none'), -2);
  const at = Math.floor(Date.now() / 1000) + 1000;
  eq(await c.expireAt('two', at), 1);
  eq(await c.expireTime('two'), at);
  eq(await c.pExpireTime('two'), at * 1000);
  eq(await c.pExpire('two', 20), 1);
  await until(async () => (await c.exists('two')) === 0);
  eq(await c.objectEncoding('uno'), 'int');
  await c.rPush('l', ['a', 'b']);
  const payload = await raw(c).dump('l');
  eq(await c.restore('m', 60_000, payload), 'OK');
  eq(await c.lRange('m', 0, -1), ['a', 'b']);
  eq(await c.ttl('m'), 60);
  await refused(c.restore('m', 0, payload), 'BUSYKEY Target key name already exists.');
  const other = await connect({ database: 1 });
  eq(await c.move('m', 1), 1);
  eq(await other.lLen('m'), 2);
  eq(await other.dbSize(), 1);
  eq(await other.flushDb(), 'OK');
  other.destroy();
}

async function hashes(c) {
  eq(await c.hSet('h', { a: 1, b: 'two', c: '3.5' }), 3);
  eq(await c.hSet('h', 'a', 2), 0);
  eq(await c.hGet('h', 'b'), 'two');
  eq(await c.hGetAll('h'), { a: '2', b: 'two', c: '3.5' });
  eq(await c.hGetAll('none'), {});
  eq(await c.hmGet('h', ['a', 'none']), ['2', null]);
  eq(await c.hIncrBy('h', 'a', -5), -3);
  eq(await c.hIncrByFloat('h', 'c', 0.25), '3.75');
  eq(await c.hSetNX('h', 'a', '9'), 0);
  eq(await c.hExists('h', 'b'), 1);
  eq(await c.hLen('h'), 3);
  eq(await c.hStrLen('h', 'b'), 3);
  eq((await c.hKeys('h')).sort(), ['a', 'b', 'c']);
  eq((await c.hVals('h')).sort(), ['-3', '3.75', 'two']);
  eq(await c.hDel('h', ['a', 'b', 'none']), 2);
  eq(await c.hRandFieldCountWithValues('h', 1), [{ field: 'c', value: '3.75' }]);
  await c.hSet('wide', Object.fromEntries(range(3000).map((i) => [`f${i}`, i])));
  const seen = new Map();
  for await (const entries of c.hScanIterator('wide', { COUNT: 100 })) {
    for (const { field, value } of entries) seen.set(field, value);
  }
  eq(seen.size, 3000);
  eq(seen.get('f2999'), '2999');
}

async function lists(c) {
  eq(await c.rPush('l', ['a', 'b', 'c']), 3);
  eq(await c.lPush('l', 'z'), 4);
  eq(await c.lRange('l', 0, -1), ['z', 'a', 'b', 'c']);
  eq(await c.lIndex('l', -1), 'c');
  eq(await c.lInsert('l', 'BEFORE', 'b', 'x'), 5);
  eq(await c.lSet('l', 0, 'y'), 'OK');
  await refused(c.lSet('l', 99, 'y'), 'ERR index out of range');
  eq(await c.lPos('l', 'x'), 2);
  eq(await c.lPosCount('l', 'x', 0), [2]);
  eq(await c.lRem('l', 0, 'x'), 1);
  eq(await c.lTrim('l', 1, 2), 'OK');
  eq(await c.lPop('l'), 'a');
  eq(await c.rPopCount('l', 5), ['b']);
  eq(await c.lPopCount('l', 5), null);
  await c.rPush('from', ['1', '2', '3']);
  eq(await c.lMove('from', 'to', 'LEFT', 'RIGHT'), '1');
  eq(await c.rPopLPush('from', 'to'), '3');
  eq(await c.lmPop(['none', 'to'], 'LEFT', { COUNT: 5 }), ['to', ['3', '1']]);
  await c.rPush('long', range(10_000).map(String));
  eq(await c.lRange('long', 4998, 5001), ['4998', '4999', '5000', '5001']);
}

async function sets(c) {
  eq(await c.sAdd('a', ['1', '2', '3', '4']), 4);
  eq(await c.sAdd('b', ['4', '5', 'x']), 3);
  eq(await c.sCard('a'), 4);
  eq(await c.sIsMember('a', '3'), 1);
  eq(await c.smIsMember('a', ['3', 'x']), [1, 0]);
  eq((await c.sMembers('b')).sort(), ['4', '5', 'x']);
  eq(await c.sInter(['a', 'b']), ['4']);
  eq(await c.sInterCard(['a', 'b']), 1);
  eq((await c.sUnion(['a', 'b'])).sort(), ['1', '2', '3', '4', '5', 'x']);
  eq((await c.sDiff(['a', 'b'])).sort(), ['1', '2', '3']);
  eq(await c.sUnionStore('c', ['a', 'b']), 6);
  eq(await c.sMove('c', 'b', '1'), 1);
  eq(await c.sRem('a', ['1', 'none']), 1);
  eq((await c.sPopCount('a', 2)).length, 2);
  eq((await c.sRandMemberCount('b', -9)).length, 9);
  await c.sAdd('big', range(10_000).map(String));
  const seen = new Set();
  for await (const members of c.sScanIterator('big', { COUNT: 500 })) members.forEach((member) => seen.add(member));
  eq(seen.size, 10_000);
}

async function sortedSets(c) {
  eq(await c.zAdd('z', [{ score: 1, value: 'a' }, { score: 2, value: 'b' }, { score: 3, value: 'c' }]), 3);
  eq(await c.zAdd('z', { score: 5, value: 'a' }, { condition: 'NX' }), 0);
  eq(await c.zAdd('z', { score: 1.5, value: 'a' }, { CH: true }), 1);
  eq(await c.zAddIncr('z', { score: 1, value: 'a' }), 2.5);
  const [a, b, d] = [{ value: 'a', score: 2.5 }, { value: 'b', score: 2 }, { value: 'c', score: 3 }];
  eq(await c.zRangeWithScores('z', 0, -1), [b, a, d]);
  eq(await c.zRange('z', 0, 1, { REV: true }), ['c', 'a']);
  eq(await c.zRange('z', '(2', '+inf', { BY: 'SCORE', LIMIT: { offset: 1, count: 5 } }), ['c']);
  eq(await c.zRangeByScore('z', '-inf', '(3', { LIMIT: { offset: 0, count: 1 } }), ['b']);
  eq(await c.zIncrBy('z', 0.5, 'b'), 2.5);
  eq(await c.zRank('z', 'b'), 1);
  eq(await c.zRank('z', 'none'), null);
  eq(await c.zScore('z', 'c'), 3);
  eq(await c.zmScore('z', ['c', 'none']), [3, null]);
  eq(await c.zCount('z', 2.5, '+inf'), 3);
  eq(await c.zPopMin('z'), a);
  eq(await c.zPopMaxCount('z', 5), [d, { value: 'b', score: 2.5 }]);
  eq(await c.zPopMin('z'), null);
  await c.zAdd('lex', [...'abcdefg'].map((value) => ({ score: 0, value })));
  eq(await c.zRangeByLex('lex', '[b', '(e'), ['b', 'c', 'd']);
  eq(await c.zLexCount('lex', '-', '+'), 7);
  eq(await c.zRemRangeByLex('lex', '-', '[b'), 2);
  eq(await c.zRemRangeByRank('lex', 0, 0), 1);
  eq(await c.zRemRangeByScore('lex', '-inf', '+inf'), 4);
  await c.zAdd('x', [{ score: 1, value: 'a' }, { score: 2, value: 'b' }]);
  await c.zAdd('y', [{ score: 10, value: 'b' }]);
  eq(await c.zUnionWithScores(['x', 'y']), [{ value: 'a', score: 1 }, { value: 'b', score: 12 }]);
  eq(await c.zInterWithScores([{ key: 'x', weight: 2 }, { key: 'y', weight: 1 }]), [{ value: 'b', score: 14 }]);
  eq(await c.zDiffWithScores(['x', 'y']), [{ value: 'a', score: 1 }]);
  eq(await c.zUnionStore('u', ['x', 'y']), 2);
  eq(await c.zmPop(['none', 'x'], 'MIN', { COUNT: 2 }), {
    key: 'x',
    members: [{ value: 'a', score: 1 }, { value: 'b', score: 2 }],
  });
  await c.zAdd('inf', [{ score: -Infinity, value: 'low' }, { score: 1e-320, value: 'tiny' }, { score: Infinity, value: 'high' }]);
  eq((await c.zRangeWithScores('inf', 0, -1)).map(({ score }) => score), [-Infinity, 1e-320, Infinity]);
  await c.zAdd('big', range(5000).map((i) => ({ score: i, value: `m${i}` })));
  const seen = new Map();
  for await (const members of c.zScanIterator('big', { COUNT: 500 })) {
    for (const { value, score } of members) seen.set(value, score);
  }
  eq(seen.size, 5000);
  eq(seen.get('m4999'), 4999);
}

async function hyperloglogs(c) {
  eq(await c.pfAdd('h', ['a', 'b', 'c']), 1);
  eq(await c.pfAdd('h', 'a'), 0);
  eq(await c.pfCount('h'), 3);
  eq(await c.pfAdd('other', ['c', 'd']), 1);
  eq(await c.pfMerge('both', ['h', 'other']), 'OK');
  eq(await c.pfCount('both'), 4);
  await c.pfAdd('many', range(10_000).map((i) => `user-${i}`));
  eq(await c.pfCount('many'), 9957);
}

async function binaryValues(c) {
  const every = Buffer.from(range(256));
  const b = raw(c);
  eq(await b.set(every, every), 'OK');
  eq(await b.get(every), every);
  eq(await b.hSet('h', every, every), 1);
  eq(await b.hGet('h', every), every);
  eq(await b.rPush('l', range(256).map((i) => Buffer.from([i]))), 256);
  eq(Buffer.concat(await b.lRange('l', 0, -1)), every);
  eq(await b.sAdd('s', every), 1);
  eq(await b.sMembers('s'), [every]);
  eq(await b.zAdd('z', { score: 1, value: every }), 1);
  eq(await b.zRange('z', 0, -1), [every]);
  eq(await b.echo(Buffer.from('\r\n$5\r\nhello\r\n')), Buffer.from('\r\n$5\r\nhello\r\n'));
  eq(await c.set('', ''), 'OK');
  eq(await c.get(''), '');
}

async function unicodeKeys(c) {
  const words = ['아이폰 15 Pro', 'Zürich', '日本語', '🙂👩‍👩‍👧‍👦', 'مرحبا'];
  for (const word of words) await c.set(`낱말:${word}`, word);
  eq(await c.mGet(words.map((word) => `낱말:${word}`)), words);
  eq((await c.keys('낱말:*')).sort(), words.map((word) => `낱말:${word}`).sort());
  eq(await c.strLen('낱말:日本語'), 9);
  eq(await c.hSet('해시', '필드', '값'), 1);
  eq(await c.hGetAll('해시'), { 필드: '값' });
}

async function largeValues(c) {
  const five = Buffer.alloc(5 * 1024 * 1024, Buffer.from(range(256)));
  const b = raw(c);
  eq(await b.set('big', five), 'OK');
  eq(five.equals(await b.get('big')), true);
  eq(await b.append('big', 'end'), five.length + 3);
  eq(await c.getRange('big', -3, -1), 'end');
  eq(await b.hSet('h', 'f', five), 1);
  eq(five.equals(await b.hGet('h', 'f')), true);
}

async function server(c) {
  const info = await c.info();
  eq(Number(/redis_version:(\d+)/.exec(info)[1]) >= 7, true);
  await c.set('k', 'v');
  eq(/db0:keys=1,expires=0/.test(await c.info('keyspace')), true);
  eq(await c.ping(), 'PONG');
  eq(await c.echo('hello'), 'hello');
  eq(await c.configGet('databases'), { databases: '16' });
  eq(await c.clientSetName('conformance'), 'OK');
  eq(await c.clientGetName(), 'conformance');
  const list = await c.clientList();
  eq(list.filter(({ name }) => name === 'conformance').length, 1);
  eq((await c.clientInfo()).id, await c.clientId());
  const [get] = await c.commandInfo(['get']);
  eq([get.name, get.arity, get.firstKeyIndex, [...get.flags].sort()], ['get', 2, 1, ['fast', 'readonly']]);
  eq(await c.commandGetKeys(['MSET', 'a', '1', 'b', '2']), ['a', 'b']);
  await refused(c.sendCommand(['NONSENSE', 'a']), "ERR unknown command 'NONSENSE', with args beginning with: 'a' ");
  await refused(c.sendCommand(['GET']), "ERR wrong number of arguments for 'get' command");
}

async function pipelines(c) {
  const sent = range(50_000).map((i) => c.set(`k${i}`, `${i}`));
  const asked = range(50_000).map((i) => c.get(`k${i}`));
  eq((await Promise.all(sent)).every((reply) => reply === 'OK'), true);
  eq((await Promise.all(asked)).every((reply, i) => reply === `${i}`), true);
  const pipeline = c.multi();
  range(1000).forEach((i) => pipeline.get(`k${i}`));
  eq(await pipeline.execAsPipeline(), range(1000).map(String));
}

async function transactions(c, connect) {
  eq(await c.multi().incr('n').incrBy('n', 5).rPush('l', 'a').exec(), [1, 6, 1]);
  const replies = await c.multi().set('k', 'v').lPush('k', '1').get('k').exec().catch((error) => error.replies);
  eq([replies[0], replies[2]], ['OK', 'v']);
  eq(replies[1].message, wrongType);
  await refused(c.multi().set('k', 'never').addCommand(['NONSENSE']).exec(), "ERR unknown command 'NONSENSE'");
  eq(await c.get('k'), 'v');
  const other = await connect();
  await c.watch('k');
  await other.set('k', 'changed');
  await refused(c.multi().set('k', 'never').exec(), "One (or more) of the watched keys has been changed");
  eq(await c.get('k'), 'changed');
  other.destroy();
}

async function watchContention(c, connect) {
  const work = async () => {
    const mine = await connect();
    for (let done = 0; done < 25; ) {
      await mine.watch('total');
      const now = Number((await mine.get('total')) ?? 0);
      const replies = await mine.multi().set('total', `${now + 1}`).rPush('log', `${now + 1}`).exec().catch((error) => {
        if (!(error instanceof WatchError)) throw error;
      });
      if (replies) done += 1;
    }
    mine.destroy();
  };
  await Promise.all(range(8).map(work));
  eq(await c.get('total'), '200');
  eq(await c.lRange('log', 0, -1), range(200).map((i) => `${i + 1}`));
}

async function scanWhileWriting(c, connect) {
  await Promise.all(range(50_000).map((i) => c.set(`stays:${i}`, '')));
  const writer = await connect();
  let writing = true;
  const written = (async () => {
    for (let i = 0; writing; i += 100) {
      await Promise.all(range(100).flatMap((j) => [writer.set(`new:${i + j}`, ''), writer.del(`new:${i + j - 500}`)]));
    }
  })();
  const seen = new Set();
  for await (const keys of c.scanIterator({ MATCH: 'stays:*', COUNT: 1000, TYPE: 'string' })) {
    keys.forEach((key) => seen.add(key));
  }
  writing = false;
  await written;
  writer.destroy();
  eq(seen.size, 50_000);
}

async function pubSub(c, connect) {
  const sub = await connect();
  const heard = [];
  await sub.subscribe(['news', '소식'], (message, channel) => heard.push([channel, message]));
  await sub.pSubscribe('user:*', (message, channel) => heard.push([channel, message]));
  await sub.subscribe('bytes', (message) => heard.push(['bytes', [...message]]), true);
  eq(await c.pubSubNumSub(['news', 'none']), { news: 1, none: 0 });
  eq(await c.pubSubNumPat(), 1);
  eq((await c.pubSubChannels()).sort(), ['bytes', 'news', '소식']);
  eq(await c.publish('news', 'one'), 1);
  eq(await c.publish('user:7', '둘'), 1);
  eq(await c.publish('bytes', Buffer.from(range(256))), 1);
  eq(await c.publish('nobody', 'x'), 0);
  await until(() => heard.length === 3);
  eq(heard.splice(0), [['news', 'one'], ['user:7', '둘'], ['bytes', range(256)]]);
  // The server ends the connection: the client connects and subscribes again by itself.
  for (const round of range(3)) {
    eq(await c.clientKill({ filter: 'TYPE', type: 'pubsub' }), 1);
    await until(async () => (await c.pubSubNumPat()) === 1 && (await c.pubSubChannels()).length === 3);
    eq(await c.publish('소식', `again ${round}`), 1);
    await until(() => heard.length === 1);
    eq(heard.splice(0), [['소식', `again ${round}`]]);
  }
  await sub.unsubscribe('news');
  eq(await c.publish('news', 'unheard'), 0);
  await Promise.all(range(2000).map((i) => c.publish('user:many', `${i}`)));
  await until(() => heard.length === 2000);
  eq(heard.map(([, message]) => message), range(2000).map(String));
  sub.destroy();
}

async function reconnecting(c, connect) {
  const mine = await connect({ name: 'to-be-killed' });
  const id = await mine.clientId();
  eq(await c.clientKill({ filter: 'ID', id }), 1);
  await until(() => mine.ping().then((reply) => reply === 'PONG', () => false));
  eq(await mine.clientGetName(), 'to-be-killed');
  eq((await mine.clientId()) === id, false);
  mine.destroy();
}

async function blocking(c, connect) {
  const waiter = await connect();
  const began = Date.now();
  eq(await waiter.blPop('none', 0.1), null);
  eq(Date.now() - began >= 95, true);
  const coming = waiter.blPop(['none', 'later'], 10);
  await until(async () => /blocked_clients:1/.test(await c.info('clients')));
  eq(await c.rPush('later', ['came', 'second']), 2);
  eq(await coming, { key: 'later', element: 'came' });
  eq(await waiter.blMove('later', 'moved', 'LEFT', 'RIGHT', 1), 'second');
  eq(await c.lRange('moved', 0, -1), ['second']);
  eq(await waiter.brPop('moved', 1), { key: 'moved', element: 'second' });
  waiter.destroy();
}

/// The families for every protocol.
export const families = [
  strings,
  keysAndExpiry,
  hashes,
  lists,
  sets,
  sortedSets,
  hyperloglogs,
  binaryValues,
  unicodeKeys,
  largeValues,
  server,
  pipelines,
  transactions,
  watchContention,
  scanWhileWriting,
  pubSub,
  reconnecting,
  blocking,
];

/// A pool of connections: one command each, transactions, and waiting ones beside others.
export async function pool() {
  const pooled = createClientPool({ socket: { host, port } }, { minimum: 1, maximum: 4 });
  await pooled.connect();
  await Promise.all(range(500).map(() => pooled.incr('n')));
  await Promise.all(range(100).map(() => pooled.multi().incr('m').incr('m').exec()));
  eq(await pooled.mGet(['n', 'm']), ['500', '200']);
  const coming = pooled.execute((client) => client.blPop('jobs', 10));
  await sleep(20);
  eq(await pooled.rPush('jobs', 'one'), 1);
  eq(await coming, { key: 'jobs', element: 'one' });
  eq(pooled.totalClients <= 4, true);
  pooled.destroy();
}
