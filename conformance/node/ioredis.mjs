// The families over ioredis. Each gets a client and `connect(options)` for further ones.

import { eq, range, refused, until } from './harness.mjs';

const wrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value';

async function strings(r) {
  eq(await r.set('k', 'v'), 'OK');
  eq(await r.get('k'), 'v');
  eq(await r.get('none'), null);
  eq(await r.set('k', 'w', 'EX', 100, 'NX'), null);
  eq(await r.set('k', 'w', 'PX', 100_000, 'XX', 'GET'), 'v');
  eq(await r.ttl('k'), 100);
  eq(await r.append('k', 'x'), 2);
  eq(await r.mset({ a: 1, b: 2 }), 'OK');
  eq(await r.mget('a', 'none', 'b'), ['1', null, '2']);
  eq(await r.msetnx('a', 9, 'c', 9), 0);
  eq(await r.incrby('n', 42), 42);
  eq(await r.incrbyfloat('n', 0.5), '42.5');
  eq(await r.getdel('a'), '1');
  eq(await r.getex('b', 'PERSIST'), '2');
  eq(await r.lcs('k', 'k', 'LEN'), 2);
  await r.rpush('l', 1);
  await refused(r.get('l'), wrongType);
}

async function keysAndExpiry(r) {
  await r.mset('one', 1, 'two', 2);
  eq((await r.keys('*')).sort(), ['one', 'two']);
  eq(await r.exists('one', 'none'), 1);
  eq(await r.rename('one', 'uno'), 'OK');
  eq(await r.expire('uno', 100, 'NX'), 1);
  eq(await r.ttl('uno'), 100);
  eq(await r.persist('uno'), 1);
  eq(await r.pexpire('uno', 20), 1);
  await until(async () => (await r.exists('uno')) === 0);
  eq(await r.object('ENCODING', 'two'), 'int');
  const payload = await r.dumpBuffer('two');
  eq(await r.restore('three', 0, payload), 'OK');
  eq(await r.get('three'), '2');
  eq(await r.copy('three', 'four'), 1);
  eq(await r.unlink('three', 'four', 'none'), 2);
  eq(await r.select(1), 'OK');
  eq(await r.dbsize(), 0);
}

async function hashes(r) {
  eq(await r.hset('h', { a: 1, b: 'two' }), 2);
  eq(await r.hset('h', new Map([['c', 3]])), 1);
  eq(await r.hgetall('h'), { a: '1', b: 'two', c: '3' });
  eq(await r.hmget('h', 'a', 'none'), ['1', null]);
  eq(await r.hincrby('h', 'a', 9), 10);
  eq(await r.hincrbyfloat('h', 'c', 0.5), '3.5');
  eq(await r.hdel('h', 'a', 'b'), 2);
  eq(await r.hrandfield('h', 1), ['c']);
  await r.hset('wide', Object.fromEntries(range(3000).map((i) => [`f${i}`, i])));
  const seen = new Set();
  for await (const page of r.hscanStream('wide', { count: 100 })) page.forEach((text, i) => i % 2 || seen.add(text));
  eq(seen.size, 3000);
}

async function lists(r) {
  eq(await r.rpush('l', 'a', 'b', 'c'), 3);
  eq(await r.lpush('l', 'z'), 4);
  eq(await r.lrange('l', 0, -1), ['z', 'a', 'b', 'c']);
  eq(await r.linsert('l', 'AFTER', 'b', 'x'), 5);
  eq(await r.lpos('l', 'x'), 3);
  eq(await r.lrem('l', 0, 'x'), 1);
  eq(await r.lmove('l', 'm', 'RIGHT', 'LEFT'), 'c');
  eq(await r.lpop('l', 2), ['z', 'a']);
  eq(await r.lmpop(2, 'none', 'l', 'RIGHT'), ['l', ['b']]);
  await refused(r.lset('m', 9, 'x'), 'ERR index out of range');
}

async function sets(r) {
  eq(await r.sadd('a', 1, 2, 3), 3);
  eq(await r.sadd('b', 3, 4), 2);
  eq((await r.smembers('a')).sort(), ['1', '2', '3']);
  eq(await r.sinter('a', 'b'), ['3']);
  eq((await r.sdiff('a', 'b')).sort(), ['1', '2']);
  eq(await r.sunionstore('c', 'a', 'b'), 4);
  eq(await r.sintercard(2, 'a', 'b'), 1);
  eq(await r.smismember('a', 1, 9), [1, 0]);
  eq((await r.spop('c', 4)).sort(), ['1', '2', '3', '4']);
  await r.sadd('big', range(5000));
  const seen = new Set();
  for await (const page of r.sscanStream('big', { count: 500 })) page.forEach((member) => seen.add(member));
  eq(seen.size, 5000);
}

async function sortedSets(r) {
  eq(await r.zadd('z', 1, 'a', 2, 'b', 3, 'c'), 3);
  eq(await r.zadd('z', 'GT', 'CH', 5, 'a'), 1);
  eq(await r.zrange('z', 0, -1), ['b', 'c', 'a']);
  eq(await r.zrange('z', '+inf', 3, 'BYSCORE', 'REV', 'LIMIT', 0, 1), ['a']);
  eq(await r.zrangebyscore('z', '(2', '+inf', 'LIMIT', 0, 1), ['c']);
  eq(await r.zrank('z', 'a'), 2);
  eq(Number(await r.zscore('z', 'a')), 5);
  eq(Number(await r.zincrby('z', 0.5, 'a')), 5.5);
  eq((await r.zmscore('z', 'b', 'none'))[1], null);
  eq(await r.zcount('z', '-inf', 3), 2);
  eq((await r.zpopmin('z')).flat()[0], 'b');
  eq(await r.zunionstore('u', 2, 'z', 'z', 'WEIGHTS', 1, 2), 2);
  eq(Number(await r.zscore('u', 'c')), 9);
  eq(await r.zremrangebyrank('u', 0, -1), 2);
  await r.zadd('lex', ...[...'abcd'].flatMap((member) => [0, member]));
  eq(await r.zrangebylex('lex', '[b', '+'), ['b', 'c', 'd']);
  eq(await r.zlexcount('lex', '-', '(c'), 2);
}

async function hyperloglogs(r) {
  eq(await r.pfadd('many', ...range(10_000).map((i) => `user-${i}`)), 1);
  eq(await r.pfcount('many'), 9957);
  eq(await r.pfadd('few', 'user-1', 'another'), 1);
  eq(await r.pfmerge('both', 'few'), 'OK');
  eq(await r.pfcount('both', 'few'), 2);
}

async function binaryValues(r) {
  const every = Buffer.from(range(256));
  eq(await r.set(every, every), 'OK');
  eq(await r.getBuffer(every), every);
  eq(await r.hset('h', every, every), 1);
  eq(await r.hgetBuffer('h', every), every);
  eq(await r.rpush('l', every, ''), 2);
  eq(await r.lrangeBuffer('l', 0, -1), [every, Buffer.alloc(0)]);
  const five = Buffer.alloc(5 * 1024 * 1024, every);
  eq(await r.set('big', five), 'OK');
  eq(five.equals(await r.getBuffer('big')), true);
}

async function unicodeKeys(r) {
  const words = ['아이폰 15 Pro', 'Zürich', '日本語', '🙂👩‍👩‍👧‍👦', 'مرحبا'];
  await r.mset(words.flatMap((word) => [`낱말:${word}`, word]));
  eq(await r.mget(words.map((word) => `낱말:${word}`)), words);
  eq((await r.keys('낱말:*')).sort(), words.map((word) => `낱말:${word}`).sort());
}

async function server(r) {
  eq(Number(/\r\nredis_version:(\d+)/.exec(await r.info('server'))[1]) >= 7, true);
  eq([await r.config('GET', 'databases')].flatMap((found) => Object.values(found)).includes('16'), true);
  eq(await r.client('SETNAME', 'conformance'), 'OK');
  eq((await r.client('LIST')).includes('name=conformance'), true);
  eq(await r.call('ECHO', 'hello'), 'hello');
  await refused(r.call('NONSENSE', 'a'), "ERR unknown command 'NONSENSE', with args beginning with: 'a' ");
}

async function pipelines(r) {
  const pipeline = r.pipeline();
  range(50_000).forEach((i) => pipeline.set(`k${i}`, i));
  range(50_000).forEach((i) => pipeline.get(`k${i}`));
  const replies = await pipeline.exec();
  eq(replies.every(([error, reply], i) => !error && reply === (i < 50_000 ? 'OK' : `${i - 50_000}`)), true);
  const mixed = await r.pipeline().set('text', 'x').incr('text').get('text').exec();
  eq([mixed[0][1], mixed[1][0].message, mixed[2][1]], ['OK', 'ERR value is not an integer or out of range', 'x']);
}

async function autopipelining(r, connect) {
  const auto = connect({ enableAutoPipelining: true });
  await auto.ping();
  const replies = await Promise.all(range(20_000).map((i) => (i % 2 ? auto.incr('n') : auto.set(`k${i}`, i))));
  eq(replies.filter((_, i) => i % 2), range(10_000).map((i) => i + 1));
  eq(await Promise.all(range(1000).map((i) => auto.get(`k${2 * i}`))), range(1000).map((i) => `${2 * i}`));
  auto.disconnect();
}

async function transactions(r, connect) {
  eq(await r.multi().incr('n').rpush('l', 'a').exec(), [[null, 1], [null, 1]]);
  const replies = await r.multi().set('k', 'v').lpush('k', 1).get('k').exec();
  eq([replies[0][1], replies[1][0].message, replies[2][1]], ['OK', wrongType, 'v']);
  await refused(r.multi().set('k', 'never').call('NONSENSE').exec(), 'EXECABORT Transaction discarded');
  const other = connect();
  await r.watch('k');
  await other.set('k', 'changed');
  eq(await r.multi().set('k', 'never').exec(), null);
  eq(await r.get('k'), 'changed');
  other.disconnect();
}

async function watchContention(r, connect) {
  const work = async () => {
    const mine = connect();
    for (let done = 0; done < 25; ) {
      await mine.watch('total');
      const now = Number((await mine.get('total')) ?? 0);
      if (await mine.multi().set('total', now + 1).exec()) done += 1;
    }
    mine.disconnect();
  };
  await Promise.all(range(8).map(work));
  eq(await r.get('total'), '200');
}

async function scanWhileWriting(r, connect) {
  await r.pipeline(range(50_000).map((i) => ['set', `stays:${i}`, ''])).exec();
  const writer = connect();
  let writing = true;
  const written = (async () => {
    for (let i = 0; writing; i += 100) {
      await writer.pipeline(range(100).flatMap((j) => [['set', `new:${i + j}`, ''], ['del', `new:${i + j - 500}`]])).exec();
    }
  })();
  const seen = new Set();
  for await (const keys of r.scanStream({ match: 'stays:*', count: 1000 })) keys.forEach((key) => seen.add(key));
  writing = false;
  await written;
  writer.disconnect();
  eq(seen.size, 50_000);
}

async function pubSub(r, connect) {
  const sub = connect({ retryStrategy: () => 10 });
  const heard = [];
  sub.on('message', (channel, message) => heard.push([channel, message]));
  sub.on('pmessage', (pattern, channel, message) => heard.push([pattern, channel, message]));
  eq(await sub.subscribe('news', '소식'), 2);
  eq(await sub.psubscribe('user:*'), 3);
  eq(await r.publish('news', 'one'), 1);
  eq(await r.publish('user:7', '둘'), 1);
  await until(() => heard.length === 2);
  eq(heard.splice(0), [['news', 'one'], ['user:*', 'user:7', '둘']]);
  // The server ends the connection: the client connects and subscribes again by itself.
  for (const round of range(3)) {
    eq(await r.client('KILL', 'TYPE', 'pubsub'), 1);
    await until(async () => (await r.pubsub('NUMPAT')) === 1 && (await r.pubsub('CHANNELS')).length === 2);
    eq(await r.publish('소식', `again ${round}`), 1);
    await until(() => heard.length === 1);
    eq(heard.splice(0), [['소식', `again ${round}`]]);
  }
  await r.pipeline(range(2000).map((i) => ['publish', 'user:many', i])).exec();
  await until(() => heard.length === 2000);
  eq(heard.map(([, , message]) => message), range(2000).map(String));
  eq(await sub.unsubscribe('news', '소식'), 1);
  sub.disconnect();
}

async function blocking(r, connect) {
  const waiter = connect();
  eq(await waiter.blpop('none', 0.1), null);
  const coming = waiter.blpop('none', 'later', 10);
  await until(async () => /blocked_clients:1/.test(await r.info('clients')));
  eq(await r.rpush('later', 'came', 'second'), 2);
  eq(await coming, ['later', 'came']);
  eq(await waiter.blmove('later', 'moved', 'LEFT', 'RIGHT', 1), 'second');
  eq(await waiter.brpop('moved', 1), ['moved', 'second']);
  waiter.disconnect();
}

async function reconnecting(r, connect) {
  const mine = connect({ retryStrategy: () => 10, connectionName: 'killed', db: 2 });
  await mine.set('k', 'v');
  for (const round of range(3)) {
    eq(await r.client('KILL', 'ID', await mine.client('ID')), 1);
    await until(() => mine.get('k').then((value) => value === 'v', () => false));
    eq(await mine.client('GETNAME'), 'killed');
    eq(await mine.incr('rounds'), round + 1);
  }
  mine.disconnect();
}

/// The families, in the order of their running.
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
  server,
  pipelines,
  autopipelining,
  transactions,
  watchContention,
  scanWhileWriting,
  pubSub,
  blocking,
  reconnecting,
];
