// The review-analysis platform of the first requirement document through node-redis: progress that is written and told
// in one transaction, and the relay to those who watch a task.

import { eq, range, until } from './harness.mjs';

async function report(client, task, fields, message) {
  const replies = await client
    .multi()
    .hSet(`analysis_progress:${task}`, fields)
    .expire(`analysis_progress:${task}`, 7200)
    .publish(`analysis_updates:${task}`, JSON.stringify(message))
    .exec();
  return replies[2];
}

async function liveProgress(client, connect) {
  const sent = new Map();
  const subscriber = await connect();
  // The document subscribes to the pattern as if it were a channel, which hears nothing. Ids may contain colons.
  await subscriber.pSubscribe('analysis_updates:*', (message, channel) => {
    const task = channel.slice('analysis_updates:'.length);
    sent.set(task, [...(sent.get(task) ?? []), JSON.parse(message)]);
  });
  for (const progress of range(50)) {
    for (const task of ['123', 'shop:456']) {
      eq(await report(client, task, { progress, current_step: '감성 분석' }, { progress, step: '감성 분석' }), 1);
    }
  }
  await until(() => sent.get('123')?.length === 50 && sent.get('shop:456')?.length === 50);
  eq(sent.get('123').map(({ progress }) => progress), range(50));
  eq(await client.hGetAll('analysis_progress:123'), { progress: '49', current_step: '감성 분석' });
  eq(await client.ttl('analysis_progress:123'), 7200);
  subscriber.destroy();
}

async function queueAndLock(client) {
  const lock = JSON.stringify({ task_id: 'task-12345', type: 'batch', user_count: 3 });
  const take = () => client.set('analysis_lock:prod-123', lock, { condition: 'NX', expiration: { type: 'EX', value: 3600 } });
  eq([await take(), await take()], ['OK', null]);
  eq(await client.lPush('analysis_queue:prod-123', ['user-789:realtime', 'user-101:batch', 'user-202:realtime']), 3);
  eq(await client.lRange('analysis_queue:prod-123', 0, -1), ['user-202:realtime', 'user-101:batch', 'user-789:realtime']);
  eq(await client.rPop('analysis_queue:prod-123'), 'user-789:realtime');
}

async function caches(client) {
  await client.set('search_cache:abc', JSON.stringify({ total: 2 }), { expiration: { type: 'EX', value: 1800 } });
  eq(JSON.parse(await client.get('search_cache:abc')), { total: 2 });
  for (const [words, votes] of Object.entries({ '아이폰 15': 1, '갤럭시 S24': 5, '맥북 프로': 3 })) {
    await client.zIncrBy('popular_searches', votes, words);
  }
  eq(await client.zRange('popular_searches', 0, 1, { REV: true }), ['갤럭시 S24', '맥북 프로']);
  for (const i of range(12)) {
    await client.multi().lPush('user_recent_searches:7', `${i}`).lTrim('user_recent_searches:7', 0, 9).exec();
  }
  eq(await client.lRange('user_recent_searches:7', 0, -1), range(10).map((i) => `${11 - i}`));
  await client.multi().hSet('product_cache:1', { name: '아이폰 15 Pro 128GB', price: 1290000 }).expire('product_cache:1', 3600).exec();
  eq(await client.hGet('product_cache:1', 'name'), '아이폰 15 Pro 128GB');
  eq(await client.pfAdd('active_users:2025-01-08', ['1', '2', '1']), 1);
  eq(await client.pfCount('active_users:2025-01-08'), 2);
}

export const families = [liveProgress, queueAndLock, caches];
